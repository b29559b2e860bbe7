"""Single slices in NIfTI, NRRD and MetaImage."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
import SimpleITK

from tests.imaging.dicom_files import ramp
from vertenet.errors import ImageReadError
from vertenet.imaging import read
from vertenet.imaging.intensity import spread
from vertenet.radiograph import SpacingSource

SUFFIXES = [".nii", ".nii.gz", ".nrrd", ".mha", ".mhd"]
#: ITK directions (columns are the axes) of a sagittal slice as NIfTI stores it: front, up, right.
NIFTI_SAGITTAL = (0, 0, -1, -1, 0, 0, 0, 1, 0)


def write(path, array: np.ndarray, spacing=None, direction=None, origin=None, **options) -> SimpleITK.Image:
    image = SimpleITK.GetImageFromArray(array, **options)
    if spacing:
        image.SetSpacing(spacing)
    if direction:
        image.SetDirection(direction)
    if origin:
        image.SetOrigin(origin)
    SimpleITK.WriteImage(image, str(path))
    return image


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_any_axis_may_be_the_single_one(tmp_path, suffix, axis, dtype):
    stored = ramp(bits=8).astype(dtype)
    path = tmp_path / f"a{suffix}"
    write(path, np.expand_dims(stored, axis), (0.4, 0.5, 0.6))
    radiograph = read(path)
    # NumPy's axes run against ITK's, so axis 0 is the third spacing.
    column_mm, row_mm = np.delete([0.4, 0.5, 0.6], 2 - axis)
    expected = stored if dtype is np.uint8 else spread(stored)
    if axis in (1, 2):  # with identity directions the third ITK axis points to the head
        expected = expected[::-1]
    np.testing.assert_allclose(radiograph.pixels, expected, atol=1e-4)
    assert (radiograph.spacing.row, radiograph.spacing.column) == pytest.approx((row_mm, column_mm))
    assert radiograph.spacing.source is SpacingSource.VOLUME_HEADER


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_plain_2d_files_are_read(tmp_path, suffix):
    write(tmp_path / f"a{suffix}", ramp(bits=8), (0.4, 0.5), origin=(3, 4))
    radiograph = read(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(radiograph.pixels, ramp(bits=8))
    np.testing.assert_allclose(radiograph.geometry.to_lps([[1, 2]])[0], [3.4, 5, 0])


def test_a_sagittal_nifti_slice_is_turned_head_up_and_its_geometry_with_it(tmp_path):
    stored = ramp(bits=8)
    image = write(tmp_path / "a.nii.gz", stored[None], (0.4, 0.5, 1), NIFTI_SAGITTAL, (7, 8, 9))
    radiograph = read(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(radiograph.pixels, stored[::-1])
    assert radiograph.anterior == "right"
    assert "head" in radiograph.warnings[0]
    for x, y in [(0, 0), (11, 30)]:
        place = image.TransformIndexToPhysicalPoint((x, 47 - y, 0))
        np.testing.assert_allclose(radiograph.geometry.to_lps([[x, y]])[0], place, atol=1e-4)


def test_a_slice_lying_on_its_side_is_turned(tmp_path):
    stored = ramp(bits=8)
    # ITK's first axis runs to the feet, its second to the back.
    direction = (0, 0, 1, 0, 1, 0, -1, 0, 0)
    image = write(tmp_path / "a.nrrd", stored[None], (0.4, 0.5, 1), direction)
    radiograph = read(tmp_path / "a.nrrd")
    np.testing.assert_array_equal(radiograph.pixels, stored.T)
    assert radiograph.anterior == "left"
    assert radiograph.spacing.row == pytest.approx(0.4)
    place = image.TransformIndexToPhysicalPoint((30, 11, 0))
    np.testing.assert_allclose(radiograph.geometry.to_lps([[11, 30]])[0], place, atol=1e-9)


def test_a_coronal_slice_is_said(tmp_path):
    write(tmp_path / "a.nrrd", ramp(bits=8)[None], (0.4, 0.5, 1), (1, 0, 0, 0, 0, 1, 0, -1, 0))
    radiograph = read(tmp_path / "a.nrrd")
    assert radiograph.anterior is None
    assert any("sagittal" in warning for warning in radiograph.warnings)


def test_one_millimetre_is_kept_with_a_warning(tmp_path):
    write(tmp_path / "a.mha", ramp(bits=8)[None])
    radiograph = read(tmp_path / "a.mha")
    assert radiograph.spacing.row == 1
    assert any("often means unknown" in warning for warning in radiograph.warnings)


@pytest.mark.parametrize(
    ("written", "named"), [(".nii", ".nrrd"), (".nii.gz", ".png"), (".nrrd", ""), (".mha", ".dcm")]
)
def test_a_wrong_extension_does_not_matter(tmp_path, written, named):
    write(tmp_path / f"a{written}", ramp(bits=8)[None], (0.4, 0.5, 1))
    (tmp_path / f"a{written}").rename(tmp_path / f"b{named}")
    radiograph = read(tmp_path / f"b{named}")
    np.testing.assert_array_equal(radiograph.pixels, ramp(bits=8))
    assert radiograph.name == f"b{named}"


@pytest.mark.parametrize("suffix", SUFFIXES[:4])
@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 40, 48), np.float32), "48 x 40 x 3 voxels, more than one slice"),
        (np.full((1, 40, 48), np.nan, np.float32), "not finite"),
        (np.full((1, 40, 48), np.inf, np.float32), "not finite"),
        (np.zeros((1, 1, 48), np.float32), "no image"),
        (np.zeros((1, 8, 48), np.float32), "48 x 8 pixels"),
    ],
)
def test_what_is_no_single_slice_is_refused(tmp_path, suffix, array, message):
    write(tmp_path / f"a{suffix}", array)
    with pytest.raises(ImageReadError, match=message) as error:
        read(tmp_path / f"a{suffix}")
    assert f"a{suffix}" in str(error.value)


def test_several_values_a_pixel_are_refused(tmp_path):
    write(tmp_path / "a.nrrd", np.zeros((40, 48, 3), np.float32), isVector=True)
    with pytest.raises(ImageReadError, match="vector of 32-bit float"):
        read(tmp_path / "a.nrrd")
    write(tmp_path / "b.nrrd", np.zeros((40, 48), np.complex64))
    with pytest.raises(ImageReadError, match="complex"):
        read(tmp_path / "b.nrrd")


@pytest.mark.parametrize("suffix", SUFFIXES[:4])
@pytest.mark.parametrize("share", [0.95, 0.5])
def test_a_cut_file_is_refused_and_not_filled_up(tmp_path, suffix, share):
    noise = np.random.default_rng(0).integers(0, 60000, (1, 80, 96)).astype(np.uint16)
    path = tmp_path / f"a{suffix}"
    write(path, noise)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ImageReadError, match=rf"a{suffix}"):
        read(path)


def test_a_header_of_an_impossible_size_is_refused(tmp_path):
    write(tmp_path / "a.mha", ramp(bits=8)[None])
    content = (tmp_path / "a.mha").read_bytes().replace(b"DimSize = 40 48 1", b"DimSize = 20000 20000 1")
    (tmp_path / "a.mha").write_bytes(content)
    with pytest.raises(ImageReadError, match="20000 x 20000 pixels, more than"):
        read(tmp_path / "a.mha")


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "missing.raw"])
def test_a_header_may_not_name_a_file_elsewhere_as_its_pixels(tmp_path, name):
    (tmp_path / "secret").write_bytes(b"x" * 10000)
    folder = tmp_path / "studies"
    folder.mkdir()
    header = f"ObjectType = Image\nNDims = 2\nDimSize = 40 48\nElementType = MET_UCHAR\nElementDataFile = {name}\n"
    (folder / "a.mhd").write_text(header)
    with pytest.raises(ImageReadError, match="not a file beside it"):
        read(folder / "a.mhd")
    header = f"NRRD0004\ntype: uint8\ndimension: 2\nsizes: 40 48\nencoding: raw\ndata file: {name}\n\n"
    (folder / "a.nhdr").write_text(header)
    with pytest.raises(ImageReadError, match="not a file beside it"):
        read(folder / "a.nhdr")


def test_a_gzip_file_of_something_else_is_refused(tmp_path):
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(b"nothing of the kind" * 50))
    with pytest.raises(ImageReadError, match=r"a\.nii\.gz.*none of DICOM"):
        read(tmp_path / "a.nii.gz")
