from __future__ import annotations

import json
import os
import subprocess
import sys

import psutil

from vertenet.reading import Reading

from .conftest import APP, IMAGES, make_studies


def test_the_demo_serves_asks_compares_and_stops(tmp_path, environment):
    samples, out = make_studies(tmp_path / "samples"), tmp_path / "out"
    before = sorted(path.name for path in samples.iterdir())
    command = [sys.executable, str(APP / "demo.py"), "--samples", str(samples), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ, **environment})
    assert done.returncode == 0, done.stderr
    for name in IMAGES:
        assert name in done.stdout
        Reading.load(out / f"{name}.reading.json")
        assert len(json.loads((out / f"{name}.mrk.json").read_text())["markups"][0]["controlPoints"]) == 24
        assert (out / f"{name}.overlay.png").stat().st_size > 1000
        assert name in (out / "index.html").read_text("utf-8")
    assert "http://127.0.0.1" in done.stdout
    assert "Research use only" in done.stdout
    assert sorted(path.name for path in samples.iterdir()) == before, "the demo wrote into the samples"
    left = [p for p in psutil.process_iter(["cmdline"]) if "vertenet-demo-" in " ".join(p.info["cmdline"] or [])]
    assert not [p for p in left if p.is_running() and "serve" in p.info["cmdline"]]


def test_the_demo_says_when_there_is_nothing_to_show(tmp_path):
    command = [sys.executable, str(APP / "demo.py"), "--samples", str(tmp_path), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{tmp_path}: ")
    assert "no image with a .truth.json" in done.stderr
