"""vertenet cohort as a user meets it, with the shipped model: two commands in a row, files that others open."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from vertenet.phantom import generate, write


def vertenet(*arguments, home):
    done = subprocess.run(
        [sys.executable, "-m", "vertenet.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=900,
        env={**os.environ, "XDG_CONFIG_HOME": str(home / "config")},
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.mark.timeout(1800)
def test_a_cohort_is_read_by_two_workers_and_the_second_command_finds_it_done(tmp_path):
    images = tmp_path / "in"
    made = [
        write(generate(60 + number, difficulty="easy"), images / folder, format="dicom", name="1.2.840.99")
        for number, folder in enumerate(("site1", "site2"))
    ]
    broken = images / "site2" / "broken.dcm"
    broken.write_bytes(made[0].read_bytes()[:3000])
    out = tmp_path / "out"
    done = vertenet("cohort", images, "--out", out, "--workers", 2, home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "3 images: " in done.stdout
    assert done.stderr.splitlines()[-1].startswith("Reading images: 3 of 3 in 0:")
    table = pd.read_parquet(out / "results.parquet")
    assert sorted(table["path"]) == sorted(map(str, [*made, broken]))
    assert table["patient"].dropna().str.startswith("patient-").all()
    assert pd.read_csv(out / "failures.csv")["path"].tolist() == [str(broken)]
    assert json.loads((out / "summary.json").read_text())["failed"] == 1
    written = {path: path.stat().st_mtime_ns for path in out.rglob("*.reading.json")}
    assert len(written) == 2
    again = vertenet("cohort", images, "--out", out, "--workers", 2, home=tmp_path)
    assert (again.returncode, again.stdout.splitlines()[0]) == (0, "3 of 3 images were read before.")
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.reading.json")} == written


def test_what_is_wrong_with_a_command_is_a_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    for arguments, words in (
        ((tmp_path / "empty",), "there is no image to read"),
        ((tmp_path / "empty", "--workers", 0), "--workers is 0"),
        ((tmp_path / "empty", "--overlays", "some"), "all, flagged, none"),
        ((tmp_path / "empty", "--model", "none-such"), "none-such"),
    ):
        done = vertenet("cohort", *arguments, "--out", tmp_path / "out", home=tmp_path)
        assert done.returncode == 2
        assert words in done.stderr
