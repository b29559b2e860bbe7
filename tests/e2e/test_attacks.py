"""Attacks that cost memory, connections or the disk: the server lives, answers others, and is tidy afterwards."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.imaging.test_bombs import deflated
from vertenet.server import tokens
from vertenet.server.background import BackgroundServer

from .certificates import make_certificate
from .conftest import make_studies, our_server
from .label_load import make_load

MIB = 1 << 20
LIMIT_MIB = 5 * 1024
#: What the server may have had in memory at any time, MiB, beside the code of its libraries: of those, each kernel maps
#: as much as its page cache happens to hold in one piece (1,200 to 1,540 MiB in all for the same server).
MOST_MIB = 1200
#: What an attack may add to the peak of an ordinary inference, MiB: less than what one image may unpack to.
ATTACK_MIB = 128


def confined(studies: Path, environment: dict[str, str]) -> BackgroundServer:
    """Our server, whose address space ends at `LIMIT_MIB`."""
    server = our_server(studies, environment)
    server.command = ["bash", "-c", f'ulimit -v {LIMIT_MIB * 1024}; exec "$0" "$@"', *server.command]
    return server


def memory_mib(server: BackgroundServer, row: str) -> float:
    """A row of Linux's account of the process: VmHWM is the most it ever had, RssFile what is mapped from files."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(rf"{row}:\s+(\d+) kB", status)[1]) / 1024


def own_peak_mib(server: BackgroundServer) -> float:
    """The most memory that the process ever had, without the code of its libraries."""
    return memory_mib(server, "VmHWM") - memory_mib(server, "RssFile")


def ask(server: BackgroundServer, method: str, path: str, **options) -> httpx.Response:
    return httpx.request(method, f"{server.url}{path}", trust_env=False, **{"timeout": 300, **options})


def infer_upload(server: BackgroundServer, file: Path) -> httpx.Response:
    return ask(server, "POST", "/infer/vertenet?output=json", files={"file": (file.name, file.read_bytes())})


def keep_upload(server: BackgroundServer, file: Path) -> httpx.Response:
    return ask(server, "PUT", "/datastore/image", files={"file": (file.name, file.read_bytes())})


@pytest.fixture
def own_tmp(tmp_path, environment):
    """A folder for all temporary files of a server, and the environment that says so."""
    (tmp_path / "tmp").mkdir()
    return tmp_path / "tmp", {**environment, "TMPDIR": str(tmp_path / "tmp")}


# Memory


@pytest.mark.skipif(sys.platform != "linux", reason="the limit and the peak are Linux's")
def test_11_two_bombs_of_1_mb_at_once_in_5_gib_are_refused_and_cost_no_memory(tmp_path, environment):
    studies = make_studies(tmp_path / "studies")
    bombs = [deflated(tmp_path / f"bomb-{i}.dcm", 1024) for i in range(2)]
    assert all(bomb.stat().st_size < 1.1 * MIB for bomb in bombs)
    with confined(studies, environment) as server, ThreadPoolExecutor(4) as pool:
        assert ask(server, "POST", "/infer/vertenet?image=hologic&output=json").status_code == 200
        before = memory_mib(server, "VmHWM")
        for send in (infer_upload, keep_upload):
            for answer in pool.map(lambda bomb, send=send: send(server, bomb), bombs):
                assert answer.status_code == 422, answer.text
                assert "unpack to more than" in answer.json()["detail"]
        assert ask(server, "GET", "/health/ready").status_code == 200
        assert ask(server, "POST", "/infer/vertenet?image=hologic&output=json").status_code == 200
        print(f"peak {before:.0f}, then {memory_mib(server, 'VmHWM'):.0f} MiB, own {own_peak_mib(server):.0f} MiB")
        assert memory_mib(server, "VmHWM") < before + ATTACK_MIB
        assert own_peak_mib(server) < MOST_MIB


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is Linux's")
def test_11_eight_images_of_64_megapixels_at_once_are_decoded_one_after_the_other(tmp_path, environment):
    studies = make_studies(tmp_path / "studies")
    large = tmp_path / "large.png"
    Image.fromarray(np.zeros((8191, 8192), np.uint8)).save(large, compress_level=9)
    with our_server(studies, environment) as server, ThreadPoolExecutor(8) as pool:
        files = {"file": (large.name, large.read_bytes())}
        answers = list(pool.map(lambda i: ask(server, "PUT", f"/datastore/image?image=x{i}", files=files), range(8)))
        assert [answer.status_code for answer in answers] == [200] * 8, answers[0].text
        assert ask(server, "POST", "/infer/vertenet?image=hologic&output=json").status_code == 200
        print(f"own peak {own_peak_mib(server):.0f} MiB")
        assert own_peak_mib(server) < 1.5 * MOST_MIB  # it was 5 GiB


# What a killed server leaves


def test_11_what_a_killed_server_left_is_cleared_away_by_the_next(tmp_path, own_tmp):
    scratch, environment = own_tmp
    studies = make_studies(tmp_path / "studies")
    sessions = Path(environment["MONAI_LABEL_SESSION_PATH"])
    server = our_server(studies, environment).__enter__()
    try:
        image = (studies / "hologic.png").read_bytes()
        body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.png"\r\n\r\n' + image
        with ThreadPoolExecutor(6) as pool:
            sent = [pool.submit(infer_upload, server, studies / "hologic.png") for _ in range(6)]
            deadline = time.monotonic() + 60
            while not list(scratch.rglob("vertenet-upload-*")) and time.monotonic() < deadline:
                time.sleep(0.002)
            assert list(scratch.rglob("vertenet-upload-*"))
            os.killpg(server.process.pid, signal.SIGKILL)
            server.process.wait()
            assert any(one.exception() is not None for one in sent)
    finally:
        server.stop()
    assert list(scratch.rglob("vertenet-upload-*"))
    half = sessions / "0b0c8f3e-0000-11ee-8c99-0242ac120002"
    half.mkdir()
    long_ago = time.time() - 3600
    (half / "image.png").write_bytes(body)
    os.utime(half, (long_ago, long_ago))
    unfinished = studies / ".half.4194305.part.png"  # no process has this number
    unfinished.write_bytes(body)
    os.utime(unfinished, (long_ago, long_ago))
    with our_server(studies, environment) as server:
        assert list(scratch.rglob("vertenet-upload-*")) == []
        assert not half.exists()
        assert not unfinished.exists()
        assert infer_upload(server, studies / "hologic.png").status_code == 200
    assert list(scratch.rglob("vertenet-*")) == []


# Connections


def log_bytes(server: BackgroundServer) -> int:
    return len(server.log)


def test_13_health_is_answered_beside_1100_idle_connections_under_tls_and_the_log_stays_small(tmp_path, environment):
    most, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2500:
        pytest.skip("this machine allows a process too few connections for the attack")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(most, 2500), hard))
    certificate, file = make_certificate(tmp_path), tmp_path / "tokens.json"
    tokens.add(file, "ada", "admin")
    server = our_server(make_studies(tmp_path / "studies"), environment)
    server.command += ["--tokens", str(file), "--tls-cert", str(certificate.file), "--tls-key", str(certificate.key)]
    # What a service gets from most systems.
    server.command = ["bash", "-c", 'ulimit -n 1024; exec "$0" "$@"', *server.command]
    server._verify = certificate.context()
    with server, ExitStack() as idle:
        host, port = server.url.removeprefix("https://").split(":")
        before = log_bytes(server)
        for _ in range(1100):
            idle.enter_context(socket.create_connection((host, int(port)), timeout=10))
        seconds = []
        for _ in range(20):
            begun = time.monotonic()
            answer = ask(server, "GET", "/health/ready", verify=certificate.context(), timeout=10)
            seconds.append(time.monotonic() - begun)
            assert answer.status_code == 200
            time.sleep(0.25)
        print(f"health: median {sorted(seconds)[10]:.3f} s, worst {max(seconds):.3f} s")
        assert max(seconds) < 1.0
        assert log_bytes(server) - before < 20_000


# Turns


@pytest.mark.timeout(600)
def test_14_a_polite_client_beside_20_greedy_ones_gets_one_answer_in_21(tmp_path, environment):
    app = shutil.copytree(Path(__file__).with_name("slow_app"), tmp_path / "app")
    file = tmp_path / "tokens.json"
    secrets = [tokens.add(file, f"client-{i}", "reader") for i in range(21)]
    server = our_server(make_studies(tmp_path / "studies"), environment, app)
    server.command += ["--tokens", str(file)]
    answers, over = Counter(), threading.Event()

    def client(number: int, *, polite: bool = False) -> None:
        bearer = {"Authorization": f"Bearer {secrets[number]}"}
        with httpx.Client(base_url=server.url, headers=bearer, timeout=300, trust_env=False) as http:
            while not over.is_set():
                answer = http.post("/infer/slow?image=hologic", data={"params": '{"seconds": 0.1}'})
                if answer.status_code == 200:
                    answers[number] += 1
                elif polite:
                    over.wait(int(answer.headers["Retry-After"]))

    with server, ThreadPoolExecutor(21) as pool:
        for number in range(20):
            pool.submit(client, number)
        time.sleep(2)  # the queue is full
        before = answers.total()
        pool.submit(client, 20, polite=True)
        while answers.total() < before + 210:
            time.sleep(0.1)
        share, all_of_them = answers[20], answers.total() - before
        over.set()
    print(f"polite {share} of {all_of_them}")
    assert share >= all_of_them / 21 - 1  # it came in the middle of a turn


# A disk that fills


def test_15_of_a_disk_that_fills_under_a_server_that_is_then_killed_no_acknowledged_label_is_lost(
    tmp_path, environment
):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(disk)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk can only be made by root on Linux")
    try:
        load = make_load(disk / "studies", 40)
        ballast = disk / "ballast"
        image_id, content = next(iter(load.labels.items()))
        with our_server(disk / "studies", environment) as server:
            ballast.write_bytes(bytes(max(0, shutil.disk_usage(disk).free - 700_000)))
            acknowledged, refused = {}, None
            for number in range(500):
                label = content.replace(b'"markups"', f'"number": {number}, "markups"'.encode(), 1)
                sent = {"image": image_id, "tag": "final"}
                answer = ask(server, "PUT", "/datastore/label", params=sent, files={"label": ("a.mrk.json", label)})
                if answer.status_code != 200:
                    refused = answer
                    break
                acknowledged[answer.json()["revision"]] = label
            assert acknowledged
            assert refused is not None
            assert refused.status_code == 507
            assert "disk is full" in refused.json()["detail"]
            assert "Traceback" not in refused.text
            not_ready = ask(server, "GET", "/health/ready")
            assert not_ready.status_code == 503
            assert not_ready.json()["checks"]["disk"] is False
            os.killpg(server.process.pid, signal.SIGKILL)
            server.process.wait()
        ballast.unlink()
        with our_server(disk / "studies", environment) as server:
            for number, label in acknowledged.items():
                sent = {"image": image_id, "number": number}
                assert ask(server, "GET", "/datastore/label/revision", params=sent).content == label
            print(f"{len(acknowledged)} acknowledged, 0 lost")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_15_a_damaged_database_is_a_sentence_at_the_start(tmp_path, environment):
    studies = make_studies(tmp_path / "studies")
    (studies / ".vertenet").mkdir()
    (studies / ".vertenet" / "store.sqlite").write_bytes(b"SQLite format 3\0" + os.urandom(20_000))
    done = subprocess.run(our_server(studies, environment).command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "store.sqlite" in "".join(done.stderr.split())
    assert "docs/server.md" in " ".join(done.stderr.split())
