"""Files become volumes as the server reads them, or a sentence says why not."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import slicer
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import JPEGBaseline8Bit, RLELossless
from VerteNetLib.mrml.image import VolumeImage
from VerteNetLib.mrml.volumes import source_file
from vtk.util.numpy_support import vtk_to_numpy

from vertenet.errors import ImageReadError
from vertenet.imaging import read
from vertenet.measure import detect_crop
from vertenet.radiograph import Spacing, SpacingSource

from . import files
from .conftest import SAMPLES, sample, truth_of


def assert_read_alike(scene, path) -> VolumeImage:
    """Here and on the server the same pixels are seen, the same size and side told."""
    image, served = VolumeImage.load(scene, path, "image"), read(path)
    here = image.radiograph()
    np.testing.assert_allclose(here.pixels, served.pixels, atol=1e-3)
    assert (here.spacing, here.anterior) == (served.spacing, served.anterior)
    return image


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_shown_and_its_crop_told_as_the_server_does(world, path):
    stage = world.stage()
    stage.load(path, path.stem)
    served, spine = read(path), truth_of(path)
    np.testing.assert_allclose(stage.radiograph().pixels, served.pixels, atol=1e-3)
    assert stage.image.spacing == served.spacing
    stage.landmarks.show(spine)
    told = json.loads(path.with_suffix(".truth.json").read_text(encoding="utf-8"))["crop"]
    assert stage.overlays.crop() == detect_crop(served, spine)
    assert (stage.overlays.crop().state == "cropped") == bool(told["segments"])
    stage.close()


def test_a_volume_that_slicers_dicom_module_loaded_is_read_by_its_file(world, tmp_path, monkeypatch):
    """That module leaves no storage node, but the UID of the instance, under which its database knows the file."""
    path = files.dicom(tmp_path / "IM1", bits=12, PhotometricInterpretation="MONOCHROME1", PixelSpacing=["0.5", "0.25"])
    uid, served = str(dcmread(path).SOPInstanceUID), read(path)
    volume = VolumeImage.load(world.scene, path, "loaded").volume
    loaded = world.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "of the DICOM module")
    loaded.SetAndObserveImageData(volume.GetImageData())
    loaded.CopyOrientation(volume)
    loaded.SetAttribute("DICOM.instanceUIDs", uid)
    known = {uid: str(path)}
    monkeypatch.setattr(slicer, "dicomDatabase", SimpleNamespace(fileForInstance=lambda n: known.get(n, "")), False)
    image = VolumeImage.adopt(loaded)
    assert (image.spacing, image.spacing.source) == (served.spacing, SpacingSource.PIXEL_SPACING)
    np.testing.assert_allclose(image.radiograph().pixels, served.pixels, atol=1e-3)
    other = world.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "of a file that is gone")
    other.SetAndObserveImageData(volume.GetImageData())
    other.SetAttribute("DICOM.instanceUIDs", "1.2.3")
    assert source_file(other) is None


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("polarity", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("window", [{}, {"WindowCenter": "100", "WindowWidth": "120"}], ids=["no window", "window"])
def test_depths_polarities_and_windows_are_shown_as_the_server_does(world, tmp_path, bits, polarity, window):
    path = files.dicom(tmp_path / "a.dcm", bits=bits, PhotometricInterpretation=polarity, **window)
    image = assert_read_alike(world.scene, path)
    values = vtk_to_numpy(image.volume.GetImageData().GetPointData().GetScalars())
    assert len(np.unique(values)) > 200, "the depth of the file is kept"


@pytest.mark.parametrize("polarity", ["MONOCHROME1", "MONOCHROME2"])
def test_rescaled_padded_and_tabulated_values_are_shown_as_the_server_does(world, tmp_path, polarity):
    table = Dataset()
    table.LUTDescriptor, table.LUTData = [4096, 0, 12], (np.arange(4096) ** 2 // 4096).astype(np.uint16).tobytes()
    table["LUTData"].VR = "OW"
    stored = files.pixels(12)
    stored[:, :10] = 4000
    for number, elements in enumerate(
        (
            {"RescaleSlope": "2", "RescaleIntercept": "-100", "WindowCenter": "2000", "WindowWidth": "3000"},
            {"RescaleSlope": "0.5", "RescaleIntercept": "10"},
            {"PixelPaddingValue": 4000, "RescaleSlope": "2", "RescaleIntercept": "-100"},
            {"VOILUTSequence": [table]},
            {"WindowCenter": "2000", "WindowWidth": "900", "VOILUTFunction": "SIGMOID"},
        )
    ):
        path = tmp_path / f"{number}.dcm"
        files.dicom(path, stored, bits=12, PhotometricInterpretation=polarity, **elements)
        assert_read_alike(world.scene, path)


def test_signed_values_are_shown_as_the_server_does(world, tmp_path):
    for number, polarity in enumerate(("MONOCHROME1", "MONOCHROME2")):
        stored = (files.pixels(16).astype(np.int32) - 32768).astype(np.int16)
        path = tmp_path / f"{number}.dcm"
        assert_read_alike(world.scene, files.dicom(path, stored, bits=16, PhotometricInterpretation=polarity))


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jpg"])
def test_grey_saved_as_colour_is_grey_again(world, tmp_path, name):
    stored = np.repeat(files.pixels()[..., None], 3, axis=-1)
    assert_read_alike(world.scene, files.raster(tmp_path / name, stored))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_of_a_raster_file_are_kept(world, tmp_path, name):
    image = assert_read_alike(world.scene, files.raster(tmp_path / name, files.pixels(16)))
    assert image.grid.values(image.volume).max() == 65535


def test_transparency_is_ignored(world, tmp_path):
    grey = files.pixels()
    opaque = np.full_like(grey, 255)
    assert_read_alike(world.scene, files.raster(tmp_path / "a.png", np.stack([grey, grey, grey, opaque], axis=-1)))


def test_a_secondary_capture_in_rgb_is_grey(world, tmp_path):
    stored = np.repeat(files.pixels()[..., None], 3, axis=-1)
    image = assert_read_alike(world.scene, files.dicom(tmp_path / "a.dcm", stored, modality="OT"))
    assert image.volume.IsA("vtkMRMLScalarVolumeNode")
    assert image.grid.values(image.volume).shape == (files.ROWS, files.COLUMNS)


def test_rle_is_decompressed(world, tmp_path):
    path = files.dicom(tmp_path / "a.dcm")
    data = dcmread(path)
    data.compress(RLELossless)
    data.save_as(path)
    assert_read_alike(world.scene, path)


@pytest.mark.parametrize(
    ("direction", "turned"),
    [
        ((1, 0, 0, 0, 1, 0, 0, 0, 1), False),
        ((0, 0, 1, -1, 0, 0, 0, -1, 0), False),
        ((0, 0, 1, 1, 0, 0, 0, 1, 0), True),
        ((0, 0, 1, 0, -1, 0, -1, 0, 0), True),
    ],
    ids=["axial", "sagittal", "foot first", "lying on its side"],
)
def test_a_volume_is_turned_head_up_as_the_server_does(world, tmp_path, direction, turned):
    image = assert_read_alike(world.scene, files.volume(tmp_path / "a.nrrd", direction))
    assert (image.grid.transposed or image.grid.rows_flipped) == turned


def coloured():
    grey = files.pixels()
    return np.stack([grey, grey // 2, 255 - grey], axis=-1)


def frames(path):
    stored = files.pixels()
    return files.dicom(path, stored, NumberOfFrames=2, PixelData=stored.tobytes() * 2)


def undecodable(path):
    files.dicom(path)
    data = dcmread(path)
    data.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    data.PixelData = b"\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\x00\xe0\x04\x00\x00\x00\xff\xd8\xff\xd9"
    data["PixelData"].is_undefined_length = True
    data.save_as(path)
    return path


def thick(path):
    import SimpleITK

    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.zeros((5, 96, 64), np.int16)), str(path))
    return path


def cut_off(path):
    whole = files.dicom(path) if path.suffix == ".dcm" else files.raster(path)
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    return path


#: An EXIF block whose only entry is orientation 6.
ON_ITS_SIDE = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"


def text_file(path):
    path.write_text("no image")
    return path


@pytest.mark.parametrize(
    ("make", "name", "words"),
    [
        (frames, "a.dcm", "holds 2 frames, but one is needed. Export the lateral view"),
        (thick, "a.nrrd", "more than one slice"),
        (thick, "a.nii.gz", "more than one slice"),
        (undecodable, "a.dcm", "cannot be decoded here (JPEG Baseline"),
        (lambda path: files.raster(path, coloured()), "a.png", "in colour, but a radiograph is grey"),
        (lambda path: files.dicom(path, coloured()), "a.dcm", "in colour, but a radiograph is grey"),
        (lambda path: files.raster(path, exif=ON_ITS_SIDE), "a.jpg", "stored turned or mirrored"),
        (cut_off, "a.png", "damaged"),
        (cut_off, "a.jpg", "damaged"),
        (cut_off, "a.tif", "damaged"),
        (cut_off, "a.dcm", "ends before its pixel data"),
        (text_file, "a.png", "none of DICOM, PNG"),
    ],
    ids=["frames", "NRRD slices", "NIfTI slices", "codec", "colour PNG", "colour DICOM", "EXIF",
         "PNG cut off", "JPEG cut off", "TIFF cut off", "DICOM cut off", "text"],
)  # fmt: skip
def test_what_is_not_one_grey_image_is_refused_with_a_sentence_and_nothing_is_added(world, tmp_path, make, name, words):
    stage = world.stage()
    shown = stage.load(sample(1), "before")
    count = world.scene.GetNumberOfNodes()
    with pytest.raises(ImageReadError) as caught:
        stage.load(make(tmp_path / name), "image")
    assert words in str(caught.value)
    assert world.scene.GetNumberOfNodes() == count
    assert stage.image == shown, "the image that was open stays open"
    stage.close()


def test_the_spacing_is_kept_with_its_source_and_moves_nothing(editing, world):
    before = editing.landmarks.spine()
    volume = world.scene.GetNodeByID(editing.image.volume_id)
    geometry = volume.GetSpacing()
    assert editing.image.spacing.source is SpacingSource.IMAGER_PIXEL_SPACING
    given = Spacing(0.6, 0.5, SpacingSource.USER, note="ruler")
    editing.set_spacing(given)
    assert editing.image.spacing == editing.radiograph().spacing == given
    assert volume.GetSpacing() == geometry
    assert editing.landmarks.spine() == before
    editing.set_spacing(None)
    assert editing.image.spacing is None
    assert any("unknown" in warning for warning in editing.image.warnings)


def test_an_unknown_size_and_one_millimetre_are_warned_of(world, tmp_path):
    stage = world.stage()
    assert any("size of a pixel is unknown" in text for text in stage.load(sample(1), "png").warnings)
    volume = files.volume(tmp_path / "a.nrrd", spacing=(1, 1, 1))
    assert any("1 mm a pixel" in text for text in stage.load(volume, "nrrd").warnings)
    stage.close()


def test_a_volume_of_another_module_is_adopted_with_what_its_file_says(world, tmp_path):
    path = files.dicom(tmp_path / "a.dcm", **files.SPACINGS["both"])
    storage = world.scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    volume = world.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "theirs")
    storage.SetFileName(str(path))
    assert storage.ReadData(volume)
    volume.CreateDefaultDisplayNodes()
    volume.SetAndObserveStorageNodeID(storage.GetID())
    stage = world.stage()
    image = stage.adopt(volume.GetID())
    assert (image.name, image.spacing) == ("theirs", read(path).spacing)
    assert stage.source_file() == path
    path.unlink()
    assert stage.source_file() is None
    stage.close()


def test_a_volume_that_is_no_single_slice_is_not_adopted(world, tmp_path):
    storage = world.scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    volume = world.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "theirs")
    storage.SetFileName(str(thick(tmp_path / "a.nrrd")))
    assert storage.ReadData(volume)
    stage = world.stage()
    with pytest.raises(ImageReadError, match="more than one slice"):
        stage.adopt(volume.GetID())
    with pytest.raises(ImageReadError, match="no such volume"):
        stage.adopt("vtkMRMLScalarVolumeNode99")
    assert stage.image is None
    stage.close()


@pytest.mark.parametrize("number", [2, 5, 11])
def test_written_pixels_are_what_a_reader_sees_and_nothing_else(world, tmp_path, number):
    stage = world.stage()
    stage.load(sample(number), "Doe^Jane")
    stage.write_pixels(tmp_path / "pixels.nrrd")
    again = read(tmp_path / "pixels.nrrd")
    assert np.abs(again.pixels - stage.radiograph().pixels).max() <= 0.5
    if stage.image.spacing is not None:
        assert again.spacing.row == pytest.approx(stage.image.spacing.row)
        assert again.spacing.column == pytest.approx(stage.image.spacing.column)
    header = (tmp_path / "pixels.nrrd").read_bytes().split(b"\n\n")[0].decode("ascii")
    assert [line.split(":")[0] for line in header.splitlines()] == [
        "NRRD0004", "type", "dimension", "sizes", "encoding", "space", "space directions", "space origin",
    ]  # fmt: skip
    stage.close()


def test_no_name_of_a_patient_reaches_the_scene(world, tmp_path):
    stage = world.stage()
    stage.load(files.dicom(tmp_path / "a.dcm", PatientID="4711"), "image")
    world.save(tmp_path / "scene")
    (mrml,) = (tmp_path / "scene").rglob("*.mrml")
    for word in ("Nobody", "Really", "4711"):
        assert word not in mrml.read_text(encoding="utf-8")
    stage.close()


def test_without_an_image_there_is_nothing_to_measure(stage):
    assert stage.image is None
    assert stage.source_file() is None
    for ask in (stage.radiograph, lambda: stage.set_spacing(None)):
        with pytest.raises(ImageReadError, match="no image is open"):
            ask()
