"""The same on Ray: outcomes of every image, a killed actor survived, sentences where Ray is not there."""

from __future__ import annotations

import builtins
import csv
from pathlib import Path

import pytest

from tests.cohort.boxes import many, options, png
from tests.cohort.readers import FixedReader, MortalReader, UnfitReader
from vertenet.cli.extras import remedy_for
from vertenet.cohort import Workers, read_cohort
from vertenet.errors import ModelError, OptionError


def read(home: Path, make=FixedReader, ray: str = "local", **others):
    return read_cohort([str(home / "in")], home / "out", options(home), workers=Workers(2, ray), make=make, **others)


@pytest.fixture
def shipped_tests(monkeypatch):
    """Ray's workers find the readers of these tests where this process does."""
    pytest.importorskip("ray", reason="an optional extra: pip install 'vertenet[ray]'")
    root = str(Path(__file__).parents[2])
    monkeypatch.setenv("PYTHONPATH", f"{root}:{root}/lib")


@pytest.mark.timeout(900)
def test_actors_read_every_image_and_one_that_is_killed_costs_its_image_alone(tmp_path, shipped_tests):
    made = many(tmp_path / "in", 12)
    made += [str(png(tmp_path / "in" / f"{name}.png", 70)) for name in ("deadly", "once")]
    summary = read(tmp_path, MortalReader)
    assert (summary.all.images, summary.all.counts["failed"]) == (14, 2)
    with (tmp_path / "out" / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["path"]: row for row in csv.DictReader(file)}
    assert sorted(rows) == sorted(made)
    assert "its worker died" in rows[str(tmp_path / "in" / "deadly.png")]["error"]
    assert rows[str(tmp_path / "in" / "once.png")]["outcome"] == "read"
    assert read(tmp_path, retry_failed=True).all.counts["failed"] == 1  # the damaged file; the other is read now
    with pytest.raises(ModelError, match="weights are damaged"):
        read(tmp_path, UnfitReader, start_over=True)


@pytest.mark.timeout(900)
def test_a_cluster_that_is_not_there_is_a_sentence(tmp_path, shipped_tests):
    png(tmp_path / "in" / "a.png")
    with pytest.raises(OptionError, match=r"Ray cannot be reached at '127\.0\.0\.1:1'"):
        read(tmp_path, ray="127.0.0.1:1")


def test_without_ray_the_missing_package_is_named_with_its_extra(tmp_path, monkeypatch):
    whole = builtins.__import__

    def without_ray(name, *arguments, **others):
        if name.split(".")[0] == "ray":
            raise ModuleNotFoundError("No module named 'ray'", name="ray")
        return whole(name, *arguments, **others)

    monkeypatch.setattr(builtins, "__import__", without_ray)
    png(tmp_path / "in" / "a.png")
    with pytest.raises(ModuleNotFoundError) as raised:
        read(tmp_path)
    assert remedy_for(raised.value.name) == "Install it with: pip install 'vertenet[ray]'"
