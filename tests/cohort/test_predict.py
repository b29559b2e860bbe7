"""predict on the engine of the cohort: a kill loses nothing, two images of one name are two, and no record is left."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.cohort.boxes import options, png
from tests.cohort.readers import FixedReader
from vertenet.cohort import Steps, Workers, predict_images, read_cohort
from vertenet.errors import OptionError


def predict(home: Path, *inputs, **others):
    return predict_images(
        list(map(str, inputs)), home / "out", options(home, thumbnails=False), make=FixedReader, **others
    )


def files_of(home: Path) -> list[str]:
    return sorted(path.relative_to(home / "out").as_posix() for path in (home / "out").rglob("*") if path.is_file())


def test_two_images_of_one_name_are_told_apart(tmp_path):
    first, second = png(tmp_path / "a" / "scan.png", 1), png(tmp_path / "b" / "c" / "scan.png", 2)
    rows = predict(tmp_path, first, second)
    assert [(row["image"], row["path"], row["results"]) for row in rows] == [
        ("scan.png", str(first), "scan"),
        ("scan.png", str(second), "scan-2"),
    ]
    endings = (".mrk.json", ".overlay.png", ".reading.json")
    assert files_of(tmp_path) == sorted(["results.csv", *(f"{n}{e}" for n in ("scan", "scan-2") for e in endings)])
    again = predict(tmp_path, tmp_path / "b")
    assert [row["results"] for row in again] == ["c/scan"]
    assert again[0]["created"] >= rows[1]["created"]


def test_it_goes_on_after_a_kill_and_reads_everything_again_when_it_was_through(tmp_path):
    images = [png(tmp_path / "in" / f"{number}.png", number) for number in range(4)]
    seen: list[str] = []

    def stop(outcome):
        seen.append(outcome.place)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(tmp_path, *images, steps=Steps(read=stop))
    with (tmp_path / "out" / "results.csv").open(encoding="utf-8") as file:
        assert [row["image"] for row in csv.DictReader(file)] == ["0.png", "1.png"]
    rows = predict(tmp_path, *images, steps=Steps(read=lambda outcome: seen.append(outcome.place)))
    assert seen == ["0", "1", "2", "3"]
    assert [row["image"] for row in rows] == [f"{number}.png" for number in range(4)]
    assert not (tmp_path / "out" / ".cohort").exists()
    predict(tmp_path, *images, steps=Steps(read=lambda outcome: seen.append(outcome.place)))
    assert len(seen) == 8


def test_what_was_begun_in_another_way_is_begun_anew(tmp_path):
    images = [png(tmp_path / "in" / f"{number}.png", number) for number in range(2)]

    def stop(outcome):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(tmp_path, *images, steps=Steps(read=stop))
    assert [row["image"] for row in predict(tmp_path, images[1])] == ["1.png"]


def test_the_folder_of_a_cohort_is_not_written_to(tmp_path):
    image = png(tmp_path / "in" / "a.png")
    read_cohort([str(image)], tmp_path / "out", options(tmp_path), workers=Workers(0), make=FixedReader)
    before = files_of(tmp_path)
    with pytest.raises(OptionError, match="a cohort that was read with another command"):
        predict(tmp_path, image)
    assert files_of(tmp_path) == before
