"""Issue 16, item 1: a folder a patient out of whatever came, each image once, nothing changed."""

from __future__ import annotations

import csv
import shutil
from collections import Counter

from tests.cohort.boxes import dcm, png
from vertenet.cohort.curate import COLUMNS, curate_images

KEY = b"a key of the tests"


def rows_of(out):
    with (out / "curated.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        assert tuple(reader.fieldnames) == COLUMNS
        return {row["path"].rpartition("/in/")[2]: row for row in reader}


def test_images_are_sorted_into_a_folder_a_patient(tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    a = dcm(source / "cd1" / "IM1", 1, PatientID="1", ProtocolName="LVA", PatientOrientation=["L", "F"])
    dcm(source / "cd1" / "IM2", 2, PatientID="2")
    dcm(source / "cd2" / "IM1", 3, PatientID="1", StudyDate="20251101")
    shutil.copy(a, source / "cd2" / "copy")
    dcm(source / "cd2" / "other", 4, PatientID="1", SOPInstanceUID="1.2.840.99.2")
    picture = png(source / "scans" / "scan.png", 5)
    (source / "junk.dcm").write_bytes(b"junk")
    before = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    assert curate_images([str(source)], out, KEY) == {"copied": 5, "duplicate": 1, "failed": 1}
    rows = rows_of(out)
    first, second, later = (rows[name] for name in ("cd1/IM1", "cd1/IM2", "cd2/IM1"))
    assert first["patient"] == later["patient"] != second["patient"]
    assert first["file"] == f"{first['patient']}/2024-03_1.2.840.99.2.dcm"
    assert later["file"] == f"{first['patient']}/2025-11_1.2.840.99.4.dcm"
    assert (first["protocol"], first["orientation"]) == ("LVA", "L\\F")
    assert (rows["cd2/copy"]["outcome"], rows["cd2/copy"]["file"]) == ("duplicate", first["file"])
    assert rows["cd2/other"]["file"].startswith(f"{first['patient']}/2024-03_1.2.840.99.2-")  # another image, one UID
    assert rows["scans/scan.png"]["file"] == "no-patient/scans/scan.png"
    assert "none of DICOM" in rows["junk.dcm"]["error"]
    for name, row in rows.items():
        if row["file"]:
            assert (out / row["file"]).read_bytes() == before[source / name]
    assert {path: path.read_bytes() for path in source.rglob("*") if path.is_file()} == before
    assert picture.exists()
    again = curate_images([str(source)], out, KEY)
    assert again == Counter({"there already": 5, "duplicate": 1, "failed": 1})
    assert sum(path.is_file() for path in out.rglob("*")) == 6
