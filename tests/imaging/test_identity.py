from pydicom import dcmread

from vertenet.imaging.identity import identity_of
from vertenet.phantom import generate, write


def dicom(folder, name, **elements):
    path = write(generate(3, difficulty="easy", crop=None), folder, name=name, format="dicom")
    header = dcmread(path)
    for keyword, value in elements.items():
        setattr(header, keyword, value)
    header.save_as(path)
    return path


def test_scans_of_one_patient_share_a_pseudonym_that_is_not_the_number(tmp_path):
    first, second, other, elsewhere = (
        identity_of(dicom(tmp_path, name, PatientID=number, IssuerOfPatientID=issuer)).person
        for name, number, issuer in (("a", "4711", ""), ("b", "4711 ", ""), ("c", "4712", ""), ("d", "4711", "other"))
    )
    assert first == second
    assert len({first, other, elsewhere}) == 3
    assert "4711" not in first


def test_a_header_without_a_number_names_nobody_but_its_scanner(tmp_path):
    found = identity_of(dicom(tmp_path, "a", PatientID="", ManufacturerModelName="Horizon A"))
    assert found == (None, "Horizon A")


def test_a_picture_has_no_identity(tmp_path):
    assert identity_of(write(generate(3, difficulty="easy", crop=None), tmp_path, name="a")) == (None, None)
