"""Workers die, hang and fail to start; the image in hand is tried again once, and all the others are read."""

from __future__ import annotations

import multiprocessing

import pytest

from tests.cohort.boxes import options, png
from tests.cohort.readers import (
    FixedReader,
    HangingReader,
    MortalReader,
    StillbornReader,
    UnfitReader,
)
from vertenet.cohort.dispatch import dispatch
from vertenet.cohort.items import FileItem
from vertenet.cohort.processes import ProcessCrew
from vertenet.cohort.reader import Job
from vertenet.errors import ModelError


def jobs(folder, *names):
    return [Job(FileItem(str(png(folder / f"{name}.png", seed))), name) for seed, name in enumerate(names)]


def outcomes(folder, make, todo, count=2, **others):
    return {o.place: o for o in dispatch(todo, ProcessCrew(options(folder), make), count, **others)}


def test_a_worker_that_is_killed_is_replaced_and_only_its_image_is_tried_again(tmp_path):
    names = ["a", "once", "b", "deadly", "c", "d"]
    found = outcomes(tmp_path, MortalReader, jobs(tmp_path, *names))
    assert sorted(found) == sorted(names)
    assert [name for name in names if found[name].failed] == ["deadly"]
    row = found["deadly"].row
    assert row["error"].startswith(f"{tmp_path}/deadly.png: its worker died while it read the image, 2 times.")
    assert row["reason"] == "its worker died while it read the image, # times"
    assert multiprocessing.active_children() == []


def test_an_image_that_never_ends_is_given_up(tmp_path):
    found = outcomes(tmp_path, HangingReader, jobs(tmp_path, "a", "endless", "b"), patience=4.0)
    assert [name for name, outcome in found.items() if outcome.failed] == ["endless"]
    assert "did not come back within 4 s" in found["endless"].row["error"]


def test_jobs_are_taken_as_workers_are_free_and_not_before(tmp_path):
    (image,) = jobs(tmp_path, "a")
    taken = []

    def endless():
        for number in range(10**9):
            taken.append(number)
            yield Job(image.item, f"a{number}")

    found = dispatch(endless(), ProcessCrew(options(tmp_path), FixedReader), 2)
    for number in range(1, 9):
        next(found)
        assert len(taken) <= number + 4  # one in each hand, one looked at beforehand, one whose answer waits
    found.close()
    assert multiprocessing.active_children() == []


def test_a_model_that_cannot_be_loaded_ends_the_run_with_its_sentence(tmp_path):
    with pytest.raises(ModelError, match=r"a worker cannot start: .*weights are damaged"):
        outcomes(tmp_path, UnfitReader, jobs(tmp_path, "a"))


def test_workers_that_die_before_they_are_ready_are_not_blamed_on_images(tmp_path):
    with pytest.raises(ModelError, match="3 workers in a row ended before they were ready"):
        outcomes(tmp_path, StillbornReader, jobs(tmp_path, "a"), count=1)
