"""Issue 16, item 1: killed at any moment and started again, every image is read once; nobody else writes meanwhile."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

from tests.cohort.boxes import dcm, many, options, png
from tests.cohort.readers import FixedReader, MortalReader
from vertenet.cohort import Steps, Workers, read_cohort
from vertenet.cohort.journal import Journal
from vertenet.errors import OptionError

#: What is killed: a run of two processes on a folder.
RUN = """
import sys
from pathlib import Path
from tests.cohort.boxes import options
from tests.cohort.readers import SlowReader
from vertenet.cohort import Workers, read_cohort
if __name__ == "__main__":
    home = Path(sys.argv[1])
    read_cohort([str(home / "in")], home / "out", options(home), workers=Workers(2), make=SlowReader)
"""


def rows_of(out: Path) -> list[dict]:
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read(home: Path, **others):
    others.setdefault("make", FixedReader)
    others.setdefault("workers", Workers(0))
    return read_cohort([str(home / "in")], home / "out", options(home), **others)


def journal_lines(home: Path) -> list[bytes]:
    path = home / "out" / ".cohort" / "journal.jsonl"
    return path.read_bytes().splitlines(keepends=True) if path.exists() else []


@pytest.mark.timeout(900)
def test_killed_at_three_moments_and_started_again_every_image_is_read_once(tmp_path):
    made = many(tmp_path / "in", 60)
    draw = random.Random(16)
    kept: list[bytes] = []
    for least in (3, 20, 38):
        run = subprocess.Popen(
            [sys.executable, "-c", RUN, str(tmp_path)], cwd=Path(__file__).parents[2], start_new_session=True
        )
        ends = time.monotonic() + 300
        while len(journal_lines(tmp_path)) < least and run.poll() is None and time.monotonic() < ends:
            time.sleep(0.02)
        time.sleep(draw.random() * 0.2)
        assert run.poll() is None
        run.send_signal(signal.SIGKILL)
        run.wait()
        now = journal_lines(tmp_path)
        assert now[: len(kept)] == kept  # what was done stays, byte for byte
        kept = [line for line in now if line.endswith(b"\n")]
        assert len(rows_of(tmp_path / "out")) >= least - 1  # and is in the table, which grows with it
    # Workers whose run is gone end by themselves; the lock is free again.
    done = subprocess.run([sys.executable, "-c", RUN, str(tmp_path)], cwd=Path(__file__).parents[2], timeout=600)
    assert done.returncode == 0
    out = tmp_path / "out"
    lines = [json.loads(line)["path"] for line in journal_lines(tmp_path)]
    assert sorted(lines) == sorted(made)
    assert [row["path"] for row in rows_of(out)] == sorted(made)
    assert pd.read_parquet(out / "results.parquet")["path"].tolist() == sorted(made)
    broken = [path for path in made if Path(path).suffix == ".dcm"]
    assert pd.read_csv(out / "failures.csv")["path"].tolist() == sorted(broken)
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["images"], summary["failed"], summary["listed"]) == (60, 3, 60)
    for row in rows_of(out):
        assert row["outcome"] == "failed" or (out / f"{row['results']}.reading.json").is_file()
    assert not list(out.rglob("*.part*"))


def test_a_torn_last_line_is_cut_off_and_its_image_read_again(tmp_path):
    for number in range(4):
        png(tmp_path / "in" / f"{number}.png", number)
    read(tmp_path)
    path = tmp_path / "out" / ".cohort" / "journal.jsonl"
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for torn in ([*lines[:3], lines[3][:-1]], [*lines[:3], lines[3][:40]], [*lines[:2], b"\0\0{]\n", lines[3]]):
        path.write_bytes(b"".join(torn))
        seen: list[str] = []
        read(tmp_path, steps=Steps(read=lambda outcome, seen=seen: seen.append(outcome.place)))
        assert len(seen) == 1
        assert sorted(row["image"] for row in rows_of(tmp_path / "out")) == [f"{number}.png" for number in range(4)]


def test_images_that_came_later_are_read_and_the_others_keep_their_places(tmp_path):
    png(tmp_path / "in" / "b" / "scan.png", 1)
    read(tmp_path)
    png(tmp_path / "in" / "a" / "scan.png", 2)
    png(tmp_path / "in" / "b" / "scan.bmp", 3)
    told = []
    read(tmp_path, steps=Steps(listed=lambda images, todo: told.append((images, todo))))
    assert told == [(3, 2)]
    found = {row["path"][len(str(tmp_path)) :]: row["results"] for row in rows_of(tmp_path / "out")}
    assert found == {
        "/in/a/scan.png": "readings/a/scan",
        "/in/b/scan.bmp": "readings/b/scan.bmp",
        "/in/b/scan.png": "readings/b/scan",
    }


def test_failed_images_stay_failed_until_they_are_to_be_tried_again(tmp_path):
    png(tmp_path / "in" / "good.png")
    broken = tmp_path / "in" / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    assert read(tmp_path).all.counts["failed"] == 1
    png(broken, 3)
    assert read(tmp_path).all.counts["failed"] == 1
    told = []
    summary = read(tmp_path, retry_failed=True, steps=Steps(listed=lambda images, todo: told.append(todo)))
    assert told == [1]
    assert (summary.all.counts["failed"], summary.all.images) == (0, 2)
    assert [row["outcome"] for row in rows_of(tmp_path / "out")] == ["read", "read"]


def test_a_worker_that_is_killed_costs_its_image_and_no_other(tmp_path):
    for number, name in enumerate(("a", "deadly", "b", "c")):
        png(tmp_path / "in" / f"{name}.png", number)
    summary = read(tmp_path, make=MortalReader, workers=Workers(1))
    assert (summary.all.images, summary.all.counts["failed"]) == (4, 1)
    assert read(tmp_path, retry_failed=True, workers=Workers(1)).all.counts["failed"] == 0


def test_two_runs_on_one_folder_and_other_options_are_refused(tmp_path):
    png(tmp_path / "in" / "a.png")
    read(tmp_path)
    with FileLock(tmp_path / "out" / ".cohort" / "lock"), pytest.raises(OptionError, match="another run is writing"):
        read(tmp_path)
    before = (tmp_path / "out" / "results.csv").read_bytes()
    inputs = [str(tmp_path / "in")]
    for other, said in (
        ({"factor": 1.5}, "--factor"),
        ({"spacing": 0.4, "decoder": "top-six"}, "--decoder and another --spacing"),
    ):
        with pytest.raises(OptionError, match=f"was read with another {said}"):
            read_cohort(inputs, tmp_path / "out", options(tmp_path, **other), make=FixedReader)
    with pytest.raises(OptionError, match="another input"):
        read_cohort([*inputs, inputs[0]], tmp_path / "out", options(tmp_path), make=FixedReader)
    (tmp_path / "weights.safetensors").write_bytes(b"other weights")
    with pytest.raises(OptionError, match="another model"):
        read(tmp_path)
    assert (tmp_path / "out" / "results.csv").read_bytes() == before
    assert read(tmp_path, start_over=True).all.images == 1


def test_overlays_are_drawn_of_all_of_flagged_or_of_none(tmp_path):
    png(tmp_path / "in" / "sure.png", 1, bright=True)
    png(tmp_path / "in" / "unsure.png", 2, bright=False)
    for wanted in ("none", "flagged", "all"):
        home = tmp_path / wanted
        read_cohort(
            [str(tmp_path / "in")], home, options(tmp_path, overlays=wanted), workers=Workers(0), make=FixedReader
        )
        drawn = sorted(path.name for path in home.rglob("*.overlay.png"))
        flagged = [f"{Path(row['image']).stem}.overlay.png" for row in rows_of(home) if row["look_first"]]
        assert drawn == {"none": [], "flagged": flagged, "all": ["sure.overlay.png", "unsure.overlay.png"]}[wanted]
        assert "unsure.overlay.png" in flagged
        assert len(list(home.rglob("*.thumbnail.jpg"))) == 2


def test_patients_are_pseudonyms_of_a_secret_and_never_names(tmp_path):
    for number, patient in enumerate(("4711", "4711", "4712")):
        dcm(tmp_path / "in" / f"1.2.{number}", number, PatientID=patient)
    read(tmp_path)
    rows = rows_of(tmp_path / "out")
    assert rows[0]["patient"] == rows[1]["patient"] != rows[2]["patient"]
    assert (rows[0]["sop_instance_uid"], rows[0]["manufacturer"], rows[0]["scanner"]) == (
        "1.2.840.99.1",
        "HOLOGIC",
        "Horizon",
    )
    assert (rows[0]["study_month"], rows[0]["modality"]) == ("2024-03", "DX")
    other = options(tmp_path).__class__(str(tmp_path / "weights.safetensors"), key=b"another key, as long")
    read_cohort([str(tmp_path / "in")], tmp_path / "other", other, workers=Workers(0), make=FixedReader)
    assert rows_of(tmp_path / "other")[0]["patient"] not in ("", rows[0]["patient"])
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"Doe" not in content, path
            assert b"4711" not in content.replace(b"1.2.840", b""), path


def test_a_name_that_is_no_text_does_not_stop_the_tables(tmp_path):
    png(tmp_path / "in" / "a.png")
    os.rename(tmp_path / "in" / "a.png", os.fsencode(tmp_path / "in") + b"/\xff\n.png")
    assert read(tmp_path).all.counts["read"] == 1
    assert rows_of(tmp_path / "out")[0]["image"] == "\\xff\n.png"
    assert read(tmp_path).all.images == 1


def test_records_are_read_from_the_disk_and_not_kept(tmp_path):
    for number in range(3):
        png(tmp_path / "in" / f"{number}.png", number)
    read(tmp_path)
    with Journal(tmp_path / "out" / ".cohort" / "journal.jsonl") as journal:
        assert {type(entry.offset) for entry in journal.entries.values()} == {int}
        assert [record["row"]["image"] for record in journal.records(list(journal.entries)[::-1])] == [
            *("2.png", "1.png", "0.png")
        ]


#: Prints the memory of the process that writes, MiB, after every hundred images.
MEMORY = """
import sys
from pathlib import Path
from tests.cohort.boxes import options
from tests.cohort.readers import FixedReader
from vertenet.cohort import Steps, Workers, read_cohort

def told(outcome, count=[0]):
    count[0] += 1
    if count[0] % 100 == 0:
        print(int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20, flush=True)

if __name__ == "__main__":
    home = Path(sys.argv[1])
    how = options(home, overlays="none")
    read_cohort([str(home / "in")], home / "out", how, workers=Workers(2), make=FixedReader, steps=Steps(read=told))
"""


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_the_memory_of_the_writer_does_not_grow_with_the_cohort(tmp_path):
    first = png(tmp_path / "in" / "0.png")
    for number in range(1, 800):
        os.link(first, tmp_path / "in" / f"{number}.png")
    command = [sys.executable, "-c", MEMORY, str(tmp_path)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr
    used = [int(line) for line in done.stdout.split()]
    assert len(used) == 8
    assert used[-1] - used[1] < 25  # 600 images of 26 kB of results each and more as objects
