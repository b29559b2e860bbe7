"""Training as a client starts, watches and stops it, over HTTP."""

from __future__ import annotations

import json
import os
import signal
import sys
import time

import httpx
import psutil
import pytest
from monailabel.client import MONAILabelClient

from vertenet.annotation import markups
from vertenet.server.background import BackgroundServer
from vertenet.server.gateway.roles import role_of, template
from vertenet.server.training.versions import ModelVersions

from .conftest import make_labelled, make_starter, seeds_of_both_sides

PATIENCE_S = 240
#: More steps than anybody waits for.
ENDLESS = {"steps": 900_000, "minutes": 600, "device": "cpu", "batch": 2}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Four labelled images, a small starter, and a training by itself after four new labels."""
    folder = tmp_path_factory.mktemp("training")
    studies = folder / "studies"
    studies.mkdir()
    _, made = make_labelled(studies, seeds_of_both_sides(3, 1))
    starter = make_starter(folder)
    command = [sys.executable, "-m", "vertenet.cli", "serve", "--studies", str(studies), "--port", "0"]
    command += ["--model", str(starter)]
    for setting in ("replay=2", "replay_judging=2", "retrain_after=4"):
        command += ["--conf", setting]
    environment = {"MONAI_LABEL_SESSION_PATH": str(folder / "sessions"), "OMP_WAIT_POLICY": "PASSIVE"}
    with BackgroundServer(command, environment=environment) as running:
        running.made = made
        running.starter, running.audit = starter, studies / ".vertenet" / "audit.log"
        running.models = studies / ".vertenet" / "models" / "small"
        yield running


@pytest.fixture
def client(server, tmp_path):
    return MONAILabelClient(server.url, tmpdir=str(tmp_path))


def wait_for(condition, what: str):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"waited in vain for {what}")


def stats(client) -> dict:
    return client.info()["train_stats"]["vertenet"]


def begin_endless(client):
    """Start a training that goes on; gives its process."""
    client.train_start("vertenet", dict(ENDLESS))
    wait_for(lambda: (now := stats(client))["state"] == "running" and now.get("step"), "the first steps")
    (child,) = (p for p in psutil.process_iter(["cmdline"]) if _trains(p, "900000"))
    return child


def _trains(process: psutil.Process, steps: str) -> bool:
    words = process.info["cmdline"] or []
    return "monailabel.interfaces.utils.app" in words and any(f'"steps":{steps}' in word for word in words)


def served(client) -> str:
    return client.info()["models"]["vertenet"]["model_version"]


def test_a_client_watches_and_cancels_a_training(server, client):
    before = served(client)
    process = begin_endless(client)
    assert client.train_status(check_if_running=True)
    running = stats(client)
    assert running["state"] == "running"
    assert running["seconds_left"] > 0
    assert 0 <= running["epoch"] <= running["total_epochs"]
    assert 0 <= running["best_metric"] <= 1
    assert "total_time" not in running
    assert client.train_stop()["status"] == "STOPPED"
    wait_for(lambda: not psutil.pid_exists(process.pid), "the end of the process")
    assert stats(client)["state"] == "killed"
    assert not client.train_status(check_if_running=True)
    assert served(client) == before


def test_a_training_that_is_killed_leaves_the_served_model(server, client):
    before = served(client)
    os.kill(begin_endless(client).pid, signal.SIGKILL)
    wait_for(lambda: client.train_status()["status"] == "ERROR", "the error")
    assert "served model" in stats(client)["message"]
    assert served(client) == before
    _, answer = client.infer("vertenet", next(iter(server.made)), {})
    assert answer["model_version"] == before


def test_labels_start_a_training_whose_model_is_served_until_it_is_rolled_back(server, client, tmp_path):
    before = served(client)
    for name, image in server.made.items():
        label = tmp_path / f"{name}.mrk.json"
        label.write_text(markups.dumps(image.truth.spine, size=image.radiograph.pixels.shape, midpoints=False))
        client.save_label(name, str(label), "final")
    wait_for(lambda: client.train_status()["status"] == "DONE", "the training that starts by itself")
    assert stats(client)["state"] == "done"
    new = served(client)
    assert new > before
    assert any("Passed" in line for line in client.train_status()["details"])
    image = next(iter(server.made))
    _, answer = client.infer("vertenet", image, {})
    assert answer["model_version"] == new
    listed = {row["version"]: row for row in httpx.get(f"{server.url}/models/versions", trust_env=False).json()}
    assert listed[new]["served"]
    assert listed[new]["gate"]["passed"]
    assert answer["model"]["sha256"] == listed[new]["sha256"]

    url = f"{server.url}/models/rollback"
    assert httpx.post(url, params={"version": "v0000"}, trust_env=False, timeout=30).json()["version"] == "v0000"
    _, answer = client.infer("vertenet", image, {})
    assert (answer["model_version"], answer["model"]["sha256"]) == ("v0000", listed["v0000"]["sha256"])
    refused = httpx.post(url, params={"version": "../v0000"}, trust_env=False, timeout=30)
    assert refused.status_code == 404
    assert "v0001" in refused.json()["detail"]


def test_what_was_refused_is_published_by_name_and_with_a_reason_which_the_audit_keeps(server, client, tmp_path):
    versions = ModelVersions(server.models, server.starter)
    name = versions.next_name()
    staged = make_starter(tmp_path, seed=3)
    folder = tmp_path / "made"
    folder.mkdir()
    for end in (".safetensors", ".json"):
        staged.with_suffix(end).rename((folder / versions.file_name(name)).with_suffix(end))
    versions.keep(folder, {"passed": False, "reason": "Refused."})

    def post(route, **params):
        return httpx.post(f"{server.url}/models/{route}", params=params, trust_env=False, timeout=60)

    before = served(client)
    refused = post("rollback", version=name)
    assert (refused.status_code, "POST /models/publish" in refused.json()["detail"]) == (409, True)
    assert post("publish", version=name).status_code in (400, 422)
    assert post("publish", version="v9999", reason="x").status_code == 404
    assert served(client) == before
    answer = post("publish", version=name, reason="looked at twenty overlays")
    assert (answer.status_code, answer.json()["state"]) == (200, "published although refused")
    assert served(client) == name
    assert post("publish", version=name, reason="again").status_code == 409
    lines = [json.loads(line) for line in server.audit.read_text().splitlines()]
    (line,) = (row for row in lines if row["route"] == "POST /models/publish" and row["status"] == 200)
    assert (line["model_version"], line["overruled_reason"]) == (name, "looked at twenty overlays")
    assert role_of("POST", "/models/publish") == "admin"
    assert template("POST", "/models/publish") != "unknown"


def test_a_bad_parameter_ends_the_training_with_a_sentence(server, client):
    with pytest.raises(Exception, match=r"nonsense|400"):
        client.train_start("vertenet", {"nonsense": 1})
    client.train_start("vertenet", {"learning_rate": -1})
    ended = wait_for(lambda: (t := client.train_status())["status"] == "ERROR" and t, "the error")
    assert any("learning_rate" in line for line in ended["details"])
    assert json.loads(json.dumps(ended)) == ended
