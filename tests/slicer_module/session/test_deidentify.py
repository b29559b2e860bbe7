"""A DICOM file that is sent says nothing of the patient, and shows the same picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import RLELossless
from VerteNetLib.deidentify import BurnedInError, deidentify, installation_secret, is_dicom, pseudonymous_id

from tests.imaging.dicom_files import (
    JPEG_2000_LOSSLESS,
    JPEG_BASELINE,
    JPEG_LS_LOSSLESS,
    compressed,
    dataset,
    ramp,
    save,
)
from vertenet.errors import ImageReadError
from vertenet.imaging import read
from vertenet.imaging.identity import identity_of

from .conftest import Remembered

SECRET = b"k" * 32
#: What must not be anywhere in the file that is sent.
NAMES = (b"Doe", b"Jane", b"SECRET", b"4711", b"1940", b"Smith", b"Accession", b"Clinic", b"overlay text", b"raw name")
OVERLAYS = range(0x6000, 0x7000)


def telling(stored=None, **elements) -> Dataset:
    """A DX image with the patient in every corner of the file."""
    ds = dataset(ramp() if stored is None else stored, bits=12, **elements)
    ds.ReferringPhysicianName, ds.AccessionNumber, ds.InstitutionName = "Smith^John", "Accession 7", "Clinic of Doe"
    ds.StudyDate, ds.PatientSex, ds.PatientAge = "19400101", "F", "079Y"
    ds.ImageComments = ds.DerivationDescription = "Jane Doe, 4711"
    ds.PixelSpacing, ds.ImagerPixelSpacing = [0.3, 0.25], [0.3, 0.25]
    ds.PatientOrientation, ds.WindowCenter, ds.WindowWidth = ["A", "F"], 2000, 4000
    ds.WindowCenterWidthExplanation = "for Jane"
    ds.VOILUTFunction = "LINEAR"
    ds.ReferencedImageSequence = Sequence([Dataset()])
    ds.ReferencedImageSequence[0].ReferencedSOPInstanceUID = ds.SOPInstanceUID
    block = ds.private_block(0x0011, "Smith's scanner", create=True)
    block.add_new(1, "LO", "Jane Doe raw name")
    ds.add_new(0x60000010, "US", 8)
    ds.add_new(0x60000022, "LO", "overlay text")
    ds.add_new(0x60003000, "OW", b"overlay text of Doe ")
    return ds


def sent(ds: Dataset, tmp_path, **how):
    source, target = save(ds, tmp_path / "source.dcm"), tmp_path / "target.dcm"
    deidentify(source, target, SECRET, **how)
    return source, target


def test_nothing_of_the_patient_is_left_and_the_picture_is_the_same(tmp_path):
    ds = telling()
    ds.preamble = b"Jane Doe 4711".ljust(128, b"\0")
    source, target = sent(ds, tmp_path)
    content = target.read_bytes()
    assert not [name for name in NAMES if name in content]
    assert not [
        uid for uid in (ds.SOPInstanceUID, ds.StudyInstanceUID, ds.SeriesInstanceUID) if uid.encode() in content
    ]
    before, after = read(source), read(target)
    np.testing.assert_array_equal(before.pixels, after.pixels)
    assert (before.spacing, before.anterior) == (after.spacing, after.anterior)
    for name in ("origin", "column_step", "row_step"):
        np.testing.assert_array_equal(getattr(before.geometry, name), getattr(after.geometry, name))
    cleaned = dcmread(target)
    assert not [element for element in cleaned.iterall() if element.tag.is_private or element.tag.group in OVERLAYS]
    assert cleaned.PatientIdentityRemoved == "YES"
    assert (cleaned.Manufacturer, cleaned.ManufacturerModelName) == ("HOLOGIC", "Horizon")


def test_a_person_has_one_pseudonym_that_only_this_installation_knows(tmp_path):
    people = {}
    for number, (patient, secret) in enumerate(
        [("4711", SECRET), ("4711", SECRET), ("4712", SECRET), ("4711", b"x" * 32)]
    ):
        source = save(dataset(ramp(), PatientID=patient, SOPInstanceUID=f"1.2.{number}"), tmp_path / "s.dcm")
        deidentify(source, tmp_path / "t.dcm", secret)
        people[number] = identity_of(tmp_path / "t.dcm").person
    assert people[0] == people[1]
    assert len({people[0], people[2], people[3]}) == 3
    source = save(dataset(ramp(), PatientID=None), tmp_path / "s.dcm")
    deidentify(source, tmp_path / "t.dcm", SECRET)
    assert identity_of(tmp_path / "t.dcm").person is None


def test_the_same_image_sent_again_is_the_same_file(tmp_path):
    source, target = sent(telling(), tmp_path)
    deidentify(source, tmp_path / "again.dcm", SECRET)
    assert target.read_bytes() == (tmp_path / "again.dcm").read_bytes()
    assert pseudonymous_id(target, SECRET) == pseudonymous_id(tmp_path / "again.dcm", SECRET)


def test_bits_above_the_pixels_and_bytes_behind_them_are_cleared(tmp_path):
    for signed in (False, True):
        stored = ramp(bits=12, signed=signed)
        ds = dataset(stored, bits=12)
        noisy = (stored.view(np.uint16) & 0x0FFF) | 0xA000
        ds.PixelData = noisy.tobytes() + b"Jane Doe"
        ds.PixelRepresentation = int(signed)
        source, target = sent(ds, tmp_path)
        assert b"Jane" not in target.read_bytes()
        np.testing.assert_array_equal(dcmread(target).pixel_array, stored)
        np.testing.assert_array_equal(read(source).pixels, read(target).pixels)


@pytest.mark.parametrize("syntax", [JPEG_BASELINE, JPEG_LS_LOSSLESS, JPEG_2000_LOSSLESS, RLELossless])
def test_compressed_pixels_stay_as_they_are(tmp_path, syntax):
    source, target = sent(compressed(ramp(bits=8), syntax, bits=8), tmp_path)
    np.testing.assert_array_equal(read(source).pixels, read(target).pixels)
    assert dcmread(target).file_meta.TransferSyntaxUID == syntax


def test_a_name_inside_the_compressed_stream_goes(tmp_path):
    out = io.BytesIO()
    Image.fromarray(ramp(bits=8)).save(out, "JPEG", quality=95, comment=b"Jane Doe 4711", exif=_exif("Jane Doe"))
    assert b"Jane" in out.getvalue()
    ds = compressed(ramp(bits=8), JPEG_BASELINE, bits=8)
    ds.PixelData = encapsulate([out.getvalue()])
    ds["PixelData"].is_undefined_length = True
    source, target = sent(ds, tmp_path)
    assert b"Jane" not in target.read_bytes()
    np.testing.assert_array_equal(read(source).pixels, read(target).pixels)


def _exif(artist: str) -> Image.Exif:
    made = Image.Exif()
    made[0x013B] = artist
    return made


def test_burned_in_text_needs_a_look(tmp_path):
    ds = dataset(ramp(), BurnedInAnnotation="YES")
    with pytest.raises(BurnedInError, match="burned into the picture"):
        sent(ds, tmp_path)
    assert not (tmp_path / "target.dcm").exists()
    sent(ds, tmp_path, burned_in_checked=True)
    assert (tmp_path / "target.dcm").exists()


@pytest.mark.parametrize(
    "damage", [lambda b: b[:200], lambda b: b[:-100], lambda b: b"DICM", lambda b: b[:132] + b"\xff" * 300]
)
def test_what_cannot_be_cleaned_is_not_sent(tmp_path, damage):
    source = save(telling(), tmp_path / "source.dcm")
    source.write_bytes(damage(source.read_bytes()))
    with pytest.raises(ImageReadError) as caught:
        deidentify(source, tmp_path / "target.dcm", SECRET)
    assert not (tmp_path / "target.dcm").exists()
    assert "Doe" not in caught.value.sentence


def test_a_scanner_s_free_text_that_may_name_somebody_goes(tmp_path):
    _source, target = sent(dataset(ramp(), ManufacturerModelName="Doe^Jane", Manufacturer="Müller"), tmp_path)
    assert "Manufacturer" not in dcmread(target)
    assert "ManufacturerModelName" not in dcmread(target)


def test_the_key_of_an_installation_is_made_once_and_kept():
    settings = Remembered()
    first = installation_secret(settings)
    assert installation_secret(settings) == first
    assert len(first) == 32
    settings.set("deidentify/secret", "damaged")
    assert installation_secret(settings) != first


def test_dicom_is_told_by_its_content(tmp_path):
    source = save(dataset(ramp()), tmp_path / "no ending")
    (tmp_path / "x.dcm").write_bytes(b"text")
    assert is_dicom(source)
    assert not is_dicom(tmp_path / "x.dcm")
    assert not is_dicom(tmp_path / "missing.dcm")
