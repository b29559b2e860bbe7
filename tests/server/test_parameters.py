from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertenet.errors import OptionError
from vertenet.server.parameters import DEFAULTS, InferParameters


def test_nothing_given_leaves_everything_to_the_file():
    parameters = InferParameters.from_request({"model": "vertenet", "image": "a", "client_id": "me"})
    assert parameters == InferParameters(anterior=None, spacing_mm=None, factor=1.2, ignored=())


def test_a_client_that_sends_the_option_table_back_as_text_gets_the_defaults():
    table = {"anterior": DEFAULTS["anterior"][0], "spacing_mm": "", "factor": str(DEFAULTS["factor"])}
    assert InferParameters.from_request(table) == InferParameters()


@pytest.mark.parametrize("side", ["left", "right", "auto"])
def test_the_anterior_side_is_taken_whatever_its_case(side):
    assert InferParameters.from_request({"anterior": f" {side.upper()} "}).anterior == side


@given(st.floats(min_value=1e-6, max_value=1e6))
def test_numbers_are_the_same_as_numbers_and_as_text(number):
    as_number = InferParameters.from_request({"spacing_mm": number, "factor": number})
    as_text = InferParameters.from_request({"spacing_mm": repr(number), "factor": repr(number)})
    assert as_number == as_text
    assert (as_number.spacing_mm, as_number.factor) == (number, number)


@pytest.mark.parametrize("name", ["spacing_mm", "factor"])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, "wide", "nan", True, [1], {}])
def test_what_is_no_positive_number_is_refused_by_name(name, value):
    with pytest.raises(OptionError, match=f"parameter {name} is"):
        InferParameters.from_request({name: value})


@pytest.mark.parametrize("value", ["front", 1, ["left"], True])
def test_an_unknown_side_is_refused_with_the_choice(value):
    with pytest.raises(OptionError, match="Use left, right, auto"):
        InferParameters.from_request({"anterior": value})


def test_a_misspelt_parameter_is_reported_and_the_framework_s_own_are_not():
    request = {"anteriour": "left", "image": "a", "device": "cuda", "client_id": "x", "save_label": False}
    assert InferParameters.from_request(request).ignored == ("anteriour",)
