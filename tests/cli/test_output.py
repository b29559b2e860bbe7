"""What a command says where its output goes into a file: lines, whole file names, no table without end."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from rich.console import Console

from vertenet.cli.progress import PlainProgress
from vertenet.models import find_weights
from vertenet.phantom import generate, write

NAME = "a scan with a name that is longer than a line of eighty columns of a terminal would be [left] {}.png"


def vertenet(*arguments, cwd=None):
    # A job's environment names no width; rich then takes 80 columns.
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    return subprocess.run(
        [sys.executable, "-m", "vertenet.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=600,
        env=environment,
        cwd=cwd,
    )


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A folder of 22 copies of one image under long names."""
    folder = tmp_path_factory.mktemp("images")
    made = write(generate(41, scanner="hologic-horizon", difficulty="easy"), folder)
    for number in range(22):
        (folder / NAME.format(number)).write_bytes(made.read_bytes())
    made.unlink()
    return sorted(folder.glob("*.png"))


def test_names_of_files_are_whole_and_in_brackets_too(images, tmp_path):
    out = tmp_path / "a folder [of results] with quite a long name, so that the line is beyond eighty columns"
    done = vertenet("predict", *images[:2], "--out", out, "--no-refine")
    assert done.returncode == 0, done.stderr
    for path in images[:2]:
        assert path.name in done.stdout
    assert f"Results of 2 images in {out}." in done.stdout
    missing = "no [network] of this name/" + "x" * 90 + ".safetensors"
    assert vertenet("predict", "x.png", "--out", "o", "--model", missing).stderr.startswith(f"{missing}: there is no")


def test_of_many_images_the_answers_are_counted(images, tmp_path):
    done = vertenet("predict", *images, "--out", tmp_path, "--no-refine")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) < 10
    assert "Levels: T12-L5 in 22" in done.stdout or "T12-L5 (uncertain) in 22" in done.stdout
    assert "Results of 22 images in" in done.stdout
    assert done.stderr.splitlines()[-1].startswith("Reading images: 22 of 22 in 0:")
    rows = (tmp_path / "results.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 23


def test_lines_tell_rate_and_time_left(tmp_path):
    now = [0.0]
    with (
        (tmp_path / "log.txt").open("w") as file,
        PlainProgress(Console(file=file), every=10.0, get_time=lambda: now[0]) as progress,
    ):
        task = progress.add_task("Reading images", total=200)
        for done in range(1, 101):
            now[0] += 0.5
            progress.update(task, completed=done)
        slow = progress.add_task("Cutting crops", total=2)
        for _ in range(2):
            now[0] += 30
            progress.advance(slow)
    assert (tmp_path / "log.txt").read_text().splitlines() == [
        "Reading images: 20 of 200, 2.0 a second, about 0:01:30 left",
        "Reading images: 40 of 200, 2.0 a second, about 0:01:20 left",
        "Reading images: 60 of 200, 2.0 a second, about 0:01:10 left",
        "Reading images: 80 of 200, 2.0 a second, about 0:01:00 left",
        "Reading images: 100 of 200, 2.0 a second, about 0:00:50 left",
        "Cutting crops: 1 of 2, 30.0 s each, about 0:00:30 left",
        "Cutting crops: 2 of 2 in 0:01:00",
    ]


def test_a_calibration_says_at_once_how_many_images_it_needs(tmp_path):
    for arguments, said in (
        (("--phantoms", 40), "0 annotated images and 40 phantoms are too few: a calibration needs 40 images"),
        (("--phantoms", 74), "--phantoms 75"),
    ):
        done = vertenet("calibrate", *arguments, "--out", tmp_path / "made.json")
        assert done.returncode == 2
        assert said in done.stderr
        assert "Reading images" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_calibration_of_shipped_weights_is_not_overwritten_unasked():
    shipped = find_weights("vertenet-lite").parent
    before = {path.name: path.stat().st_mtime_ns for path in shipped.glob("vertenet-lite*")}
    for name in ("vertenet-lite", shipped / "vertenet-lite.safetensors"):
        done = vertenet("calibrate", "--model", name, "--phantoms", 76)
        assert done.returncode == 2
        assert "vertenet-lite comes with the program" in done.stderr
        assert "--out" in done.stderr
    assert {path.name: path.stat().st_mtime_ns for path in shipped.glob("vertenet-lite*")} == before
