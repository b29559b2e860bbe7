"""Issue 13, item 1: what images are called changes no figure."""

from __future__ import annotations

import shutil

import pandas as pd
from typer.testing import CliRunner

from vertenet.cli import app
from vertenet.phantom import generate, write

#: As many as the test has time for; the order of the names is that of the UIDs.
SEEDS = {4: "png", 5: "dicom", 6: "dicom"}


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


def test_images_renamed_to_uids_are_evaluated_to_the_same_digits(tmp_path):
    plain, uids = tmp_path / "plain" / "scans", tmp_path / "uids" / "scans"
    uids.mkdir(parents=True)
    for number, (seed, kind) in enumerate(SEEDS.items()):
        image = write(generate(seed, difficulty="easy"), plain, name=f"scan{number}", format=kind)
        uid = f"1.2.840.113619.2.55.{number}"
        suffix = image.suffix if kind == "png" else ""  # scanners give DICOM files none
        shutil.copyfile(image, uids / f"{uid}{suffix}")
        shutil.copyfile(plain / f"scan{number}.truth.json", uids / f"{uid}.truth.json")
    before, after = figures(plain, tmp_path / "before"), figures(uids, tmp_path / "after")
    assert "predictions.csv" in before
    assert before.keys() == after.keys()
    for name, table in before.items():
        pd.testing.assert_frame_equal(table, after[name])
    assert len(before["predictions.csv"]) >= 24 * len(SEEDS)
    assert pd.to_numeric(before["predictions.csv"]["error_px"], errors="coerce").median() < 3
