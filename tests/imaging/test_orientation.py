"""Which side is anterior, as far as a file states it."""

from __future__ import annotations

import pytest

from tests.imaging import dicom_files as files
from vertenet.errors import ImageReadError, OptionError
from vertenet.imaging import read


@pytest.fixture
def load(tmp_path):
    def through_file(*, options=None, **elements):
        ds = files.dataset(files.ramp(), **elements)
        return read(files.save(ds, tmp_path / "scan.dcm"), **(options or {}))

    return through_file


@pytest.mark.parametrize(
    ("orientation", "side"),
    [(["A", "F"], "right"), (["P", "F"], "left"), (["AR", "FA"], "right"), (["PL", "F"], "left")],
)
def test_rows_that_run_to_the_front_have_it_on_the_right(load, orientation, side):
    radiograph = load(PatientOrientation=orientation)
    assert radiograph.anterior == side
    assert radiograph.warnings == ()


def test_without_a_statement_the_side_is_unknown(load):
    assert load().anterior is None
    assert load(PatientOrientation=["", ""]).anterior is None


@pytest.mark.parametrize(
    ("cosines", "side"),
    [([0, 1, 0, 0, 0, -1], "left"), ([0, -1, 0, 0, 0, -1], "right"), ([0.2, -0.98, 0, 0, 0, -1], "right")],
)
def test_a_sagittal_image_orientation_states_the_side(load, cosines, side):
    assert load(ImageOrientationPatient=cosines, ImagePositionPatient=[0, 0, 0]).anterior == side


@pytest.mark.parametrize(
    ("orientation", "fault"), [(["A", "H"], "upside down"), (["F", "A"], "on its side"), (["H", "P"], "on its side")]
)
def test_images_that_are_not_head_up_are_refused(load, orientation, fault):
    with pytest.raises(ImageReadError, match=rf"scan\.dcm.*{fault}.*Turn it"):
        load(PatientOrientation=orientation)


def test_a_frontal_orientation_is_said_and_not_believed(load):
    radiograph = load(PatientOrientation=["L", "F"])
    assert radiograph.anterior is None
    assert any("lateral" in warning for warning in radiograph.warnings)


def test_a_frontal_view_position_is_said(load):
    assert any("ViewPosition is AP" in warning for warning in load(ViewPosition="AP").warnings)


def test_what_the_user_says_wins_and_a_contradiction_is_said(load):
    radiograph = load(PatientOrientation=["A", "F"], options={"anterior": "left"})
    assert radiograph.anterior == "left"
    assert any("right; left was given" in warning for warning in radiograph.warnings)
    assert load(PatientOrientation=["A", "F"], options={"anterior": "right"}).warnings == ()


def test_a_side_that_does_not_exist_is_refused(load):
    with pytest.raises(OptionError, match="'front'"):
        load(options={"anterior": "front"})
