"""Phantoms as files: the same bytes every time, the same pixels in every format."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from PIL import Image

from vertenet.errors import OptionError, SchemaError
from vertenet.phantom import PhantomTruth, generate, write


@pytest.mark.parametrize("format", ["png", "jpeg", "dicom"])
def test_a_seed_gives_the_same_files_to_the_byte(tmp_path, format):
    paths = [write(generate(12), tmp_path / folder, format) for folder in ("a", "b")]
    first, second = (sorted(path.parent.iterdir()) for path in paths)
    assert [p.name for p in first] == [p.name for p in second]
    assert len(first) == 2
    for a, b in zip(first, second):
        assert a.read_bytes() == b.read_bytes()


def test_the_truth_lies_beside_the_image_and_reads_back(tmp_path):
    phantom = generate(3, scanner="ge-prodigy-de")
    path = write(phantom, tmp_path, name="case")
    assert path.name == "case.png"
    assert PhantomTruth.from_json((tmp_path / "case.truth.json").read_text()) == phantom.truth


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_png_keeps_the_pixels(tmp_path, bits):
    phantom = generate(1, bits=bits, jpeg=None)
    pixels = np.asarray(Image.open(write(phantom, tmp_path)), dtype=np.float64)
    scale = 255 / (255 if bits == 8 else 65535)
    np.testing.assert_allclose(pixels * scale, phantom.radiograph.pixels, atol=0.01)


@pytest.mark.parametrize("modality", ["DX", "CR", "OT"])
@pytest.mark.parametrize(("bits", "inverse"), [(8, False), (8, True), (12, False), (16, True)])
def test_dicom_keeps_the_pixels_and_says_what_they_mean(tmp_path, bits, inverse, modality):
    phantom = generate(1, bits=bits, jpeg=None, monochrome1=inverse, anterior="left")
    data = pydicom.dcmread(write(phantom, tmp_path, "dicom", modality=modality))
    top = 2**bits - 1
    values = data.pixel_array.astype(np.float64)
    shown = top - values if data.PhotometricInterpretation == "MONOCHROME1" else values
    assert (data.PhotometricInterpretation == "MONOCHROME1") == inverse
    np.testing.assert_allclose(shown * 255 / top, phantom.radiograph.pixels, atol=0.01)
    assert data.Modality == modality
    assert (data.BitsStored, data.PixelRepresentation) == (bits, 0)
    assert list(data.PatientOrientation) == ["P", "F"]
    assert [float(v) for v in data.PixelSpacing] == [phantom.truth.spacing.row, phantom.truth.spacing.column]
    assert data.PatientID == "PHANTOM-1"


def test_dicom_of_unknown_spacing_says_nothing_of_it(tmp_path):
    data = pydicom.dcmread(write(generate(1, spacing_unknown=True), tmp_path, "dicom"))
    assert "PixelSpacing" not in data
    assert "ImagerPixelSpacing" not in data


def test_identifiers_differ_between_phantoms(tmp_path):
    uids = {
        str(pydicom.dcmread(write(generate(1, scanner=scanner, **more), tmp_path, "dicom")).SOPInstanceUID)
        for scanner in ("hologic-horizon", "ge-prodigy-de")
        for more in ({}, {"gas": 1.0})
    }
    assert len(uids) == 4
    assert all(len(uid) <= 64 for uid in uids)


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(OptionError, match="png"):
        write(generate(1), tmp_path, "bmp")
    with pytest.raises(OptionError, match="DX"):
        write(generate(1), tmp_path, "dicom", modality="MR")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "vertenet-phantom-truth/1.0"}'])
def test_a_damaged_truth_is_refused(text):
    with pytest.raises(SchemaError):
        PhantomTruth.from_json(text)
