"""Readings from a CSV: both forms, what unreadable means, and a sentence for everything that is wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vertenet.errors import AnnotationError, OptionError
from vertenet.evaluation.agreement import read_readings
from vertenet.evaluation.agreement.readings import complete_matrix

LONG = """image,reader,region,score,condition
a,Ann,L1,0,without
a,Ben,L1,1,without
b,Ann,L1,,without
b,Ben,L1,3,without
"""


def read(tmp_path, text):
    path = tmp_path / "readings.csv"
    path.write_text(text, encoding="utf-8")
    return read_readings(path)


def test_an_empty_score_is_unreadable_and_never_a_zero(tmp_path):
    found = read(tmp_path, LONG)
    assert found.unreadable == 1
    values = found.values("without", "Ann", "L1")
    assert values["a"] == 0
    assert math.isnan(values["b"])


def test_the_wide_form_says_the_same_as_the_long_one(tmp_path):
    wide = "Image,Reader,L1,L2\r\na,Ann,0,4\r\na,Ben,1,\r\n"
    long = "image,reader,region,score\na,Ann,L1,0\na,Ann,L2,4\na,Ben,L1,1\na,Ben,L2,\n"
    assert read(tmp_path, wide) == read(tmp_path, long)


def test_the_total_needs_all_four_segments(tmp_path):
    text = "image,reader,L1,L2,L3,L4\na,Ann,1,2,3,4\nb,Ann,1,,3,4\nc,Ann,0,0,0,0\n"
    found = read(tmp_path, text)
    assert found.regions == ("L1", "L2", "L3", "L4", "AAC-24")
    total = found.values("", "Ann", "AAC-24")
    assert (total["a"], total["c"], found.highest_of("AAC-24")) == (10, 0, 24)
    assert math.isnan(total["b"])


def test_images_are_left_out_for_want_of_a_score_or_of_a_reading_and_counted_apart():
    matrix = complete_matrix([{"a": 1, "b": math.nan, "c": 2}, {"a": 3, "b": 1, "d": 4}])
    assert matrix.images == ("a",)
    np.testing.assert_array_equal(matrix.scores, [[1], [3]])
    assert (matrix.unreadable, matrix.unread) == (1, 2)


def test_another_region_needs_its_scale(tmp_path):
    text = "image,reader,region,score,highest\na,Ann,iliac,9,12\na,Ben,iliac,12,12\n"
    assert read(tmp_path, text).highest_of("iliac") == 12


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("a,Ben,L1,1,without", "a,Ben,L1,7,without"), "line 3: the score 7 of L1 is above 6"),
        (("a,Ben,L1,1,without", "a,Ben,L1,-1,without"), "line 3: the score '-1' is no whole number"),
        (("a,Ben,L1,1,without", "a,Ben,L1,1.5,without"), "Leave it empty where it was unreadable"),
        (("a,Ben,L1,1,without", "a,Ann,L1,1,without"), "given in line 2 already"),
        (("a,Ben,L1,1,without", "a,,L1,1,without"), "line 3: the reader is empty"),
        (("a,Ben,L1,1,without", "a,Ben,T12,1,without"), "the region 'T12' is none of L1, L2, L3, L4"),
        (("reader", "who"), "the column 'reader' is missing"),
        ((LONG[35:], ""), "holds no readings"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_with_its_line(tmp_path, change, said):
    with pytest.raises(AnnotationError) as error:
        read(tmp_path, LONG.replace(*change, 1))
    assert said in str(error.value)
    assert "readings.csv" in str(error.value)


def test_a_reader_who_is_not_in_the_file_is_named(tmp_path):
    with pytest.raises(OptionError, match=r"no readings by Cleo.*Ann, Ben"):
        read(tmp_path, LONG).restricted_to(["Ann", "Cleo"])


def test_a_file_that_is_not_there_or_no_text_is_said(tmp_path):
    with pytest.raises(AnnotationError, match="cannot be read"):
        read_readings(tmp_path / "none.csv")
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\xff\xfe\x00")
    with pytest.raises(AnnotationError, match="cannot be read"):
        read_readings(tmp_path / "picture.csv")
