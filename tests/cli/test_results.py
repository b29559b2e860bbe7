"""DICOM results, page and text from the command line, and their way to an archive."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from pydicom import dcmread

from tests.cli.test_output import vertenet
from tests.pacs.test_sending import unused_port
from vertenet.annotation import load
from vertenet.reading import RESEARCH_USE, Reading

SAMPLES = Path(__file__).parents[2] / "sample_data"
IMAGE = SAMPLES / "02-clean-4500a-dicom.dcm"


def points(spine) -> dict:
    return {name: corner.xy for name, corner in spine.named_points() if corner.is_present}


def test_predict_writes_results_for_a_pacs_and_convert_reads_them_back(tmp_path):
    before = hashlib.sha256(IMAGE.read_bytes()).hexdigest()
    done = vertenet("predict", IMAGE, "--out", tmp_path, "--dicom", "--report")
    assert done.returncode == 0, done.stderr
    stem = IMAGE.stem
    names = {path.name for path in tmp_path.iterdir()}
    endings = (".sr.dcm", ".gsps.dcm", ".report.html", ".report.txt", ".mrk.json", ".reading.json", ".overlay.png")
    assert names == {"results.csv", *(f"{stem}{ending}" for ending in endings)}
    reading = Reading.load(tmp_path / f"{stem}.reading.json")
    wanted = points(reading.spine)
    assert len(wanted) >= 20
    for ending in (".sr.dcm", ".gsps.dcm"):
        done = vertenet("convert", tmp_path / f"{stem}{ending}", tmp_path / "again.mrk.json")
        assert done.returncode == 0, done.stderr
        (found,) = load(tmp_path / "again.mrk.json").values()
        assert set(points(found.spine)) == set(wanted)
        for name, xy in wanted.items():
            np.testing.assert_allclose(points(found.spine)[name], xy, atol=0.01)
    # Slicer shows the points of a report where it shows those of the reading.
    done = vertenet("convert", tmp_path / f"{stem}.sr.dcm", tmp_path / "again.mrk.json")
    places = [
        {point["label"]: point.get("position") for point in json.loads(path.read_text())["markups"][0]["controlPoints"]}
        for path in (tmp_path / f"{stem}.mrk.json", tmp_path / "again.mrk.json")
    ]
    for label, position in places[0].items():
        if position is not None:
            np.testing.assert_allclose(places[1][label], position, atol=0.01)
    assert RESEARCH_USE in (tmp_path / f"{stem}.report.txt").read_text("utf-8")
    assert hashlib.sha256(IMAGE.read_bytes()).hexdigest() == before

    # A person's reading, made into results again, and an archive that is down.
    out = tmp_path / "again"
    signed = tmp_path / "signed.reading.json"
    data = {**reading.to_dict(), "reader": "Anna Roe"}
    signed.write_text(json.dumps(data))
    done = vertenet("report", IMAGE, signed, "--out", out, "--dicom", "--verify", "St Elsewhere")
    assert done.returncode == 0, done.stderr
    assert dcmread(out / f"{stem}.sr.dcm").VerificationFlag == "VERIFIED"
    assert "Read by Anna Roe." in (out / f"{stem}.report.txt").read_text("utf-8")
    done = vertenet("report", IMAGE, out / f"{stem}.sr.dcm", "--out", tmp_path / "third", "--prior", signed)
    assert done.returncode == 0, done.stderr
    other = vertenet("report", SAMPLES / "01-clean-horizon.png", signed, "--out", tmp_path / "wrong")
    assert other.returncode == 2
    assert not (tmp_path / "wrong").exists()
    port = unused_port()
    done = vertenet("send", out / f"{stem}.sr.dcm", "--to", f"ARCHIVE@127.0.0.1:{port}", "--timeout", 5)
    assert done.returncode == 2
    assert f"nobody answers at ARCHIVE@127.0.0.1:{port}" in done.stderr
    assert "send them again" in done.stderr


def test_an_image_that_is_no_dicom_file_is_refused_in_one_sentence(tmp_path):
    image = SAMPLES / "01-clean-horizon.png"
    done = vertenet("predict", image, "--out", tmp_path / "out", "--dicom")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"{image}: the image is no DICOM file, so no DICOM result can refer to it. "
        "Give the DICOM file of the image, or leave out --dicom."
    ]
    assert not (tmp_path / "out").exists()
