from __future__ import annotations

import json

import pytest

from vertenet.errors import OptionError
from vertenet.server import plain


@pytest.mark.parametrize("text", ["1e400", "NaN", '"\\udfff"', '{"\\ud800": 1}', '{"a": [1e999]}', "[" * 40 + "]" * 40])
def test_what_json_cannot_say_is_refused_wherever_it_stands(text):
    with pytest.raises(OptionError, match="this field is not plain JSON"):
        plain.parse(text, "this field")


def test_plain_json_comes_as_it_is():
    said = {"a": [1, 2.5, None, True, "ä \U0001f600"], "b": {"c": -1e308}}
    assert plain.parse(json.dumps(said), "x") == said


def test_what_is_kept_comes_back_in_a_form_that_can_be_written():
    text = '{"a": Infinity, "b": [NaN, "x\\ud800"], "\\ud800": 1, "deep": ' + "[" * 100 + "]" * 100 + "}"
    found = plain.kept(text)
    assert (found["a"], found["b"]) == (None, [None, "x?"])
    assert plain.parse(json.dumps(found, allow_nan=False), "x") == found
    assert plain.kept("{") == plain.kept("[1]") == plain.kept(None) == plain.kept("[" * 10**6) == {}


def test_notes_have_a_size():
    assert json.loads(plain.notes({"a": 1}, "x")) == {"a": 1}
    with pytest.raises(OptionError, match="more than"):
        plain.notes({"a": "x" * plain.LARGEST_NOTES}, "x")
