"""Issue 13, item 1: what images are called changes no figure."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest
from typer.testing import CliRunner

from vertenet.cli.commands import app
from vertenet.phantom import generate, write

KINDS = ("png", "dicom", "dicom")


def figures(data, out):
    """Every table that the command writes, by name, the images' names and the clock left out."""
    done = CliRunner().invoke(
        app, ["evaluate", "--data", str(data), "--out", str(out), "--decoders", "levels", "--resamples", "20"]
    )
    assert done.exit_code == 0, done.output
    tables = {}
    for path in sorted(out.rglob("*.csv")):
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        named = [column for column in table if column in ("image", "person")]
        timed = [column for column in table if "latency" in column or "second" in column]
        tables[path.relative_to(out).as_posix()] = table.drop(columns=named + timed)
    return tables


@pytest.mark.parametrize("count", [3, pytest.param(20, marks=pytest.mark.long)])
def test_images_renamed_to_uids_are_evaluated_to_the_same_digits(count, tmp_path):
    plain, uids = tmp_path / "plain" / "scans", tmp_path / "uids" / "scans"
    uids.mkdir(parents=True)
    for number in range(10, 10 + count):  # as many digits in each, so that both folders have one order
        kind = KINDS[number % len(KINDS)]
        image = write(generate(number, difficulty="easy"), plain, name=f"scan{number}", format=kind)
        uid = f"1.2.840.113619.2.55.{number}"
        suffix = image.suffix if kind == "png" else ""  # scanners give DICOM files none
        shutil.copyfile(image, uids / f"{uid}{suffix}")
        shutil.copyfile(plain / f"scan{number}.truth.json", uids / f"{uid}.truth.json")
    before, after = figures(plain, tmp_path / "before"), figures(uids, tmp_path / "after")
    assert "predictions.csv" in before
    assert before.keys() == after.keys()
    for name, table in before.items():
        pd.testing.assert_frame_equal(table, after[name])
    assert len(before["predictions.csv"]) >= 24 * count
    medians = [pd.to_numeric(t["predictions.csv"]["error_px"], errors="coerce").median() for t in (before, after)]
    print(f"Median corner error of {count} phantoms before and after renaming: {medians[0]!r} and {medians[1]!r} px")
    assert medians[0] < 3
