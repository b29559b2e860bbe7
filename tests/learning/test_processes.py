"""Runs that are killed, and runs of several processes, as a person starts them."""

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

from tests.learning.small import small, train_small
from vertenet.networks.zoo import registry

ROOT = Path(__file__).parents[2]
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
#: What differs from run to run without meaning anything.
TIMES = {"images_per_s", "seconds", "seconds_left"}


@pytest.fixture(autouse=True)
def small_network(monkeypatch):
    monkeypatch.setitem(registry._BUILDERS, "small", small)


def train_elsewhere(folder, *, launcher=(), check=True, **settings):
    command = [sys.executable, *launcher, "-m", "tests.learning.small", str(folder), json.dumps(settings)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=check)


def weights(folder):
    return safetensors.torch.load_file(folder / "weights.safetensors")


def curve(folder):
    with (folder / "log.csv").open() as handle:
        return [{key: value for key, value in row.items() if key not in TIMES} for row in csv.DictReader(handle)]


def same_tensors(ours, theirs):
    """Whether two nests of dicts and lists hold the same, tensors to the bit."""
    if isinstance(ours, torch.Tensor):
        return torch.equal(ours, theirs)
    if isinstance(ours, dict):
        return set(ours) == set(theirs) and all(same_tensors(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, (list, tuple)):
        return len(ours) == len(theirs) and all(map(same_tensors, ours, theirs))
    return ours == theirs


def test_a_run_killed_between_checkpoints_goes_on_to_the_same_bits_and_the_same_curve(tmp_path):
    # Drop-out draws at random in every step. The kill (the clock is looked at once before step 1) comes after step 11:
    # the checkpoint is that of step 6, and the log has a row of step 10 that must not stay twice.
    settings = {"steps": 14, "validate_every": 6, "options": {"dropout": 0.3}}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train_small(whole, **settings)
    died = train_elsewhere(killed, kill_at=13, check=False, workers=1, **settings)
    assert died.returncode == -signal.SIGKILL
    assert [row["step"] for row in curve(killed)] == ["6", "10"]
    assert not (killed / "weights.safetensors").exists()
    train_small(killed, resume=True, **settings)
    assert curve(killed) == curve(whole)
    assert [row["step"] for row in curve(whole)] == ["6", "10", "12", "14"]
    ours, theirs = (torch.load(folder / "checkpoint.pt", weights_only=True) for folder in (whole, killed))
    for part in ("network", "average", "optimiser", "scaler"):
        assert same_tensors(ours[part], theirs[part]), part
    assert (whole / "weights.safetensors").read_bytes() == (killed / "weights.safetensors").read_bytes()


def test_two_processes_train_as_one_does_on_the_same_batches(tmp_path):
    # A network without batch norm: its statistics are those of a process's own images, so there no equality holds.
    settings = {"steps": 10, "validate_every": 5, "accumulate": 2}
    one, two = tmp_path / "one", tmp_path / "two"
    train_small(one, **settings)
    train_elsewhere(two, launcher=TORCHRUN, **settings)
    for ours, theirs in zip(curve(one), curve(two)):
        for name in ("loss", "hm", "reg", "wh", "level", "anterior"):
            assert abs(float(ours[name]) - float(theirs[name])) < 1e-4 * float(ours[name]), name
    assert len(curve(one)) == len(curve(two)) == 2
    for name, value in weights(one).items():
        torch.testing.assert_close(weights(two)[name].float(), value.float(), rtol=2e-3, atol=2e-4)
    assert json.loads((two / "weights.json").read_text())["recipe"]["cost"]["processes"] == 2
