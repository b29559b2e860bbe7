"""``vertenet serve`` as a process: how it starts, how it refuses to, how it ends."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import psutil
import pytest

from .conftest import our_server

SERVE = [sys.executable, "-m", "vertenet.cli", "serve"]


def refusal(*options: str) -> str:
    """What the command says when it refuses to start, on one line."""
    done = subprocess.run([*SERVE, *options], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


def test_a_missing_folder_is_a_sentence(tmp_path):
    assert "there is no such folder" in refusal("--studies", str(tmp_path / "nowhere"), "--port", "0")


def test_a_taken_port_is_a_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        words = refusal("--studies", str(tmp_path), "--port", port)
    assert f"cannot listen on 127.0.0.1 port {port}" in words
    assert "--port" in words


@pytest.mark.parametrize("port", ["-1", "70000"])
def test_an_impossible_port_is_a_sentence(tmp_path, port):
    assert "cannot listen" in refusal("--studies", str(tmp_path), "--port", port)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_running_requests_finish_ends_training_and_leaves_no_process_behind(tmp_path, environment, stop):
    app = shutil.copytree(Path(__file__).with_name("slow_app"), tmp_path / "app")
    studies = tmp_path / "studies"
    studies.mkdir()
    (studies / "a.png").write_bytes(b"never opened")
    with our_server(studies, environment, app) as server:
        assert "127.0.0.1" in server.url
        process = psutil.Process(server.process.pid)
        answers = []
        request = {"params": {"image": "a"}, "data": {"params": '{"seconds": 1.5}'}, "timeout": 30}
        worker = threading.Thread(target=lambda: answers.append(httpx.post(f"{server.url}/infer/slow", **request)))
        httpx.post(f"{server.url}/train/slow", json={"seconds": 600}).raise_for_status()
        while not (children := process.children(recursive=True)):
            time.sleep(0.1)
        worker.start()
        time.sleep(0.5)
        process.send_signal(stop)
        code = server.process.wait(20)
        worker.join()
        assert answers[0].json() == {"waited_s": 1.5}
        assert code == (0 if stop == signal.SIGINT else -signal.SIGTERM)
        assert not any(child.is_running() for child in children)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.url}/info/")
