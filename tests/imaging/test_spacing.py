"""What a pixel measures, how we know, and where 3D Slicer puts it."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK

from tests.imaging import dicom_files as files
from vertenet.errors import OptionError
from vertenet.imaging import read
from vertenet.radiograph import SpacingSource

IMAGER = {"ImagerPixelSpacing": [0.5, 0.6]}
PIXEL = {"PixelSpacing": [0.3, 0.4]}
NOMINAL = {"NominalScannedPixelSpacing": [0.7, 0.8]}


@pytest.fixture
def load(tmp_path):
    def through_file(kind="DX", *, options=None, **elements):
        ds = files.dataset(files.ramp(), kind=kind, **elements)
        return read(files.save(ds, tmp_path / "scan.dcm"), **(options or {}))

    return through_file


@pytest.mark.parametrize(
    ("elements", "row", "column", "source", "magnification"),
    [
        (PIXEL, 0.3, 0.4, SpacingSource.PIXEL_SPACING, 1),
        ({**PIXEL, **IMAGER}, 0.3, 0.4, SpacingSource.PIXEL_SPACING, 1),
        (IMAGER, 0.5, 0.6, SpacingSource.IMAGER_PIXEL_SPACING, 1),
        (
            {**IMAGER, "EstimatedRadiographicMagnificationFactor": 1.25},
            0.4,
            0.48,
            SpacingSource.IMAGER_PIXEL_SPACING,
            1.25,
        ),
        (
            {**IMAGER, "PixelSpacing": [0.5, 0.6], "EstimatedRadiographicMagnificationFactor": 1.25},
            0.4,
            0.48,
            SpacingSource.IMAGER_PIXEL_SPACING,
            1.25,
        ),
        (NOMINAL, 0.7, 0.8, SpacingSource.NOMINAL_SCANNED, 1),
        ({**NOMINAL, **PIXEL}, 0.3, 0.4, SpacingSource.PIXEL_SPACING, 1),
    ],
)
def test_spacing_comes_from_the_best_element_there_is(load, elements, row, column, source, magnification):
    spacing = load(**elements).spacing
    assert (spacing.row, spacing.column) == pytest.approx((row, column))
    assert spacing.source is source
    assert spacing.magnification == magnification


def test_without_any_element_the_spacing_is_unknown(load):
    assert load().spacing is None


def test_the_size_at_the_detector_is_kept_with_a_note_and_a_warning(load):
    radiograph = load(**IMAGER)
    assert "detector" in radiograph.spacing.note
    assert any("magnification" in warning for warning in radiograph.warnings)


def test_a_given_magnification_goes_before_the_estimated_one(load):
    radiograph = load(**IMAGER, EstimatedRadiographicMagnificationFactor=1.1, options={"magnification": 2})
    assert radiograph.spacing.row == 0.25
    assert radiograph.spacing.magnification == 2
    assert "given by user" in radiograph.spacing.note


def test_a_magnification_does_not_touch_a_calibrated_spacing(load):
    radiograph = load(**PIXEL, options={"magnification": 2})
    assert radiograph.spacing.row == 0.3
    assert any("not used" in warning for warning in radiograph.warnings)


def test_a_calibrated_spacing_says_how_and_that_it_differs(load):
    note = load(**PIXEL, **IMAGER, PixelSpacingCalibrationType="FIDUCIAL").spacing.note
    assert "FIDUCIAL" in note
    assert "0.5 x 0.6" in note


def test_what_the_user_says_wins_and_a_contradiction_is_said(load):
    radiograph = load(**PIXEL, options={"spacing": 0.35})
    assert (radiograph.spacing.row, radiograph.spacing.column) == (0.35, 0.35)
    assert radiograph.spacing.source is SpacingSource.USER
    assert any("0.3 x 0.4" in warning for warning in radiograph.warnings)
    assert load(**PIXEL, options={"spacing": (0.3, 0.4)}).warnings == ()


@pytest.mark.parametrize("spacing", [0, -1, float("nan"), float("inf"), "wide", (1, 2, 3), (0.3, 0)])
def test_impossible_options_are_refused(load, spacing):
    with pytest.raises(OptionError, match="spacing"):
        load(options={"spacing": spacing})


@pytest.mark.parametrize("magnification", [0, 0.5, -1, float("nan"), "big"])
def test_impossible_magnifications_are_refused(load, magnification):
    with pytest.raises(OptionError, match="magnification"):
        load(options={"magnification": magnification})


def test_an_unusable_element_is_passed_over_with_a_warning(load):
    radiograph = load(PixelSpacing=[0, 0])
    assert radiograph.spacing is None
    assert any("PixelSpacing" in warning for warning in radiograph.warnings)


def test_a_pixel_of_implausible_size_is_said(load):
    assert any("hardly possible" in warning for warning in load(PixelSpacing=[12, 12]).warnings)


def test_pixels_that_are_not_square_and_of_unknown_size_are_said(load):
    assert any("not square" in warning for warning in load(PixelAspectRatio=[2, 1]).warnings)


@pytest.mark.parametrize(
    ("kind", "elements", "row", "column"),
    [
        ("DX", PIXEL, 1, 1),
        ("DX", {**PIXEL, **IMAGER}, 0.5, 0.6),
        ("CR", PIXEL, 1, 1),
        ("CR", IMAGER, 0.5, 0.6),
        ("SC", PIXEL, 0.3, 0.4),
        ("SC", IMAGER, 1, 1),
        ("SC", NOMINAL, 0.7, 0.8),
        ("DX", {**IMAGER, "EstimatedRadiographicMagnificationFactor": 1.25}, 0.5, 0.6),
    ],
)
def test_markups_live_in_the_geometry_that_itk_gives_the_file(load, tmp_path, kind, elements, row, column):
    geometry = load(kind, **elements).geometry
    np.testing.assert_allclose(geometry.column_step, [column, 0, 0])
    np.testing.assert_allclose(geometry.row_step, [0, row, 0])
    image = SimpleITK.ReadImage(str(tmp_path / "scan.dcm"))
    for x, y in [(0, 0), (39, 0), (7, 47)]:
        expected = image.TransformIndexToPhysicalPoint((x, y, 0))
        np.testing.assert_allclose(geometry.to_lps([[x, y]])[0], expected, atol=1e-9)


def test_a_sagittal_position_in_the_patient_is_part_of_the_geometry(load, tmp_path):
    radiograph = load("SC", **PIXEL, ImageOrientationPatient=[0, 1, 0, 0, 0, -1], ImagePositionPatient=[10, -20, 30])
    image = SimpleITK.ReadImage(str(tmp_path / "scan.dcm"))
    lps = radiograph.geometry.to_lps([[5, 9]])[0]
    np.testing.assert_allclose(lps, image.TransformIndexToPhysicalPoint((5, 9, 0)), atol=1e-9)
    np.testing.assert_allclose(lps, [10, -20 + 5 * 0.4, 30 - 9 * 0.3], atol=1e-9)
