"""Issue 13, items 1 and 4: what predict writes has whole names, and measures the same when it is read again."""

from __future__ import annotations

import numpy as np

from vertenet.annotation import load, load_for_image
from vertenet.assess import assess
from vertenet.cohort import write_results
from vertenet.cohort.items import FileItem
from vertenet.cohort.names import result_places
from vertenet.imaging import read
from vertenet.imaging.fingerprint import pixels_sha256
from vertenet.phantom import generate, write


def test_results_are_named_after_whole_names():
    names = ["1.2.840.55.1", "1.2.840.55.2", "1.2.840.55.dcm", "scan.png", "scan.dcm", "a/scan2.nii.gz"]
    assert result_places([FileItem(name) for name in names]) == [
        *("1.2.840.55.1", "1.2.840.55.2", "1.2.840.55", "scan.png", "scan.dcm", "scan2")
    ]


def test_middle_heights_survive_the_markups_that_predict_writes(tmp_path):
    for seed in (60, 61):
        phantom = generate(seed, difficulty="easy", crop=None)
        image = write(phantom, tmp_path, name=f"1.2.840.{seed}", format="dicom")
        radiograph = read(image).with_anterior(phantom.truth.anterior)
        reading = assess(radiograph, phantom.truth.spine)
        write_results(radiograph, reading, tmp_path / "out", f"1.2.840.{seed}", pixels_sha256(image))
        path = tmp_path / "out" / f"1.2.840.{seed}.mrk.json"
        spine = load_for_image(path, radiograph)
        again = assess(radiograph, spine)
        middle = [found.px.middle for found in reading.morphometry.vertebrae.values()]
        assert len(middle) == 6
        assert np.isfinite(middle).all()
        assert again.morphometry == reading.morphometry
        (annotation,) = load(path).values()
        assert (annotation.image, annotation.pixels_sha256) == (image.name, pixels_sha256(image))
