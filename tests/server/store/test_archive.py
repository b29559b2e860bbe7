"""The dataset as a zip, as ``vertenet train --data`` reads it."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from monailabel.interfaces.exception import LabelNotFoundException

from vertenet.errors import AnnotationError
from vertenet.imaging import read
from vertenet.learning.cases import annotated_cases
from vertenet.server.store import RadiographStore
from vertenet.spine import STANDARD_LEVELS

from .scenes import DOTTED, PLAIN, make_store, moved, submit, truth


def test_what_is_exported_is_what_training_reads(tmp_path):
    store = make_store(tmp_path)
    # A second image that shares everything up to the first dot: landmark files are matched by that.
    sibling = shutil.copy(store.get_image_uri(DOTTED), tmp_path / "1.2.840.114.dcm")
    store = RadiographStore(str(tmp_path))
    submit(store, DOTTED)
    submit(store, "1.2.840.114", spine=moved(truth(DOTTED), 1))
    submit(store, PLAIN)
    archive = Path(store.get_dataset_archive(None))
    try:
        cases = {case.name: case for case in annotated_cases(archive)}
    finally:
        archive.unlink()
    assert set(cases) == {"1-2-840-113.dcm", "1-2-840-114.dcm", "hologic.png"}
    expected = {"1-2-840-113.dcm": 0, "1-2-840-114.dcm": 1}
    for name, dx in expected.items():
        spine = moved(truth(DOTTED), dx)
        np.testing.assert_allclose(
            cases[name].spine.to_array(STANDARD_LEVELS), spine.to_array(STANDARD_LEVELS), atol=1e-6
        )
        np.testing.assert_array_equal(cases[name].radiograph().pixels, read(sibling).pixels)
    assert cases["hologic.png"].person == PLAIN
    assert cases["1-2-840-113.dcm"].person == cases["1-2-840-114.dcm"].person == store.person_of(DOTTED)
    assert not any(case.synthetic for case in cases.values())


def test_the_archive_tells_where_each_label_came_from(tmp_path):
    store = make_store(tmp_path)
    submit(store, who="anna")
    submit(store, who="boris")
    with zipfile.ZipFile(store.get_dataset_archive(None)) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("cases.csv").decode())))
        history = json.loads(archive.read("history.json"))
    Path(archive.filename).unlink()
    assert [(row["image_id"], row["annotator"], row["revision"]) for row in rows] == [(PLAIN, "boris", "2")]
    assert rows[0]["label_sha256"] == store.revisions(PLAIN)[1].sha256
    assert [r["annotator"] for r in history["images"]["hologic.png"]] == ["anna", "boris"]
    assert "esearch use only" in history["notice"]


def test_the_number_of_images_can_be_limited(tmp_path):
    store = make_store(tmp_path)
    submit(store, DOTTED)
    submit(store, PLAIN)
    archive = Path(store.get_dataset_archive(1))
    assert [case.name for case in annotated_cases(archive)] == ["1-2-840-113.dcm"]
    archive.unlink()


def test_without_labels_there_is_no_archive(tmp_path):
    with pytest.raises(LabelNotFoundException):
        make_store(tmp_path).get_dataset_archive(None)


def test_a_damaged_zip_is_refused_in_a_sentence(tmp_path):
    store = make_store(tmp_path / "studies")
    submit(store)
    content = bytearray(Path(store.get_dataset_archive(None)).read_bytes())
    content[200:20_000] = bytes(19_800)
    (tmp_path / "cut.zip").write_bytes(content)
    with pytest.raises(AnnotationError, match=r"cut\.zip: the zip file cannot be unpacked"):
        annotated_cases(tmp_path / "cut.zip")
