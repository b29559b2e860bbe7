"""vertenet bench: one command, one table, one JSON."""

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vertenet.cli.commands import app
from vertenet.experiments import speed

SAMPLE = Path(__file__).parents[2] / "sample_data" / "01-clean-horizon.png"


def test_bench_measures_the_authors_way_and_a_runtime_and_writes_both(tmp_path):
    out = tmp_path / "bench.json"
    options = ["--runtime", "torch", "--batch", "1", "--batch", "2", "--rounds", "1", "--out", str(out)]
    done = CliRunner().invoke(app, ["bench", str(SAMPLE), *options])
    assert done.exit_code == 0, done.output
    found = json.loads(out.read_text())
    rows = {(row["what"], row["way"], row["batch"]): row for row in found["timings"]}
    assert set(rows) == {
        *(("network", way, batch) for way, batch in (("authors", 1), ("torch", 1), ("torch", 2))),
        ("reading", "authors", 1),
        ("reading", "torch", 1),
    }
    for row in rows.values():
        assert row["p50"] > 0
        assert row["images_per_second"] == pytest.approx(1 / row["p50"])
        assert row["spread"][0] <= row["ratio"] <= row["spread"][1]
    assert rows["network", "authors", 1]["ratio"] == 1
    seconds, memory = found["starts"]["torch"]
    assert seconds > 0
    assert 100 < memory < 3000
    assert found["floors"]["vertenet-lite"] > 0
    assert "vertenet-lite" in done.output


def test_ways_are_measured_in_turn_and_their_ratio_is_that_of_the_authors_to_theirs():
    calls = []

    def way(name, seconds):
        return lambda: (calls.append(name), time.sleep(seconds))

    rows = speed._in_turn("network", "m", {("authors", 1): way("a", 0.04), ("x", 2): way("x", 0.02)}, rounds=3)
    assert calls == ["a", "x"] * 4
    assert rows[1].p50 >= 0.01  # an image of a batch of two
    assert rows[1].ratio == pytest.approx(4, rel=0.5)


def test_a_runtime_that_cannot_be_measured_is_named_with_the_reason(monkeypatch):
    monkeypatch.setattr(speed, "installed", lambda name: not name.startswith("openvino"))
    ways, left = speed.usable()
    assert "torch" in ways
    assert "openvino is not installed" in left
    assert speed.usable(device="cuda")[1].count("onnxruntime runs on the CPU alone") == 1


def test_an_unknown_runtime_is_refused():
    done = CliRunner().invoke(app, ["bench", "--runtime", "tensorflow"])
    assert "tensorflow" in str(done.exception)
