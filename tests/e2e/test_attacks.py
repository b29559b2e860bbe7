"""Attacks that cost memory, connections or the disk: the server lives, answers others, and is tidy afterwards."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from labelapp.background import BackgroundServer
from tests.imaging.test_bombs import deflated

from .conftest import make_studies, our_server

MIB = 1 << 20
LIMIT_MIB = 5 * 1024
#: What the server may have had in memory at any time, MiB.
MOST_MIB = 1536


def confined(studies: Path, environment: dict[str, str]) -> BackgroundServer:
    """Our server, whose address space ends at `LIMIT_MIB`."""
    server = our_server(studies, environment)
    server.command = ["bash", "-c", f'ulimit -v {LIMIT_MIB * 1024}; exec "$0" "$@"', *server.command]
    return server


def peak_mib(server: BackgroundServer) -> float:
    """The most memory that the process ever had (resident, as Linux counts it)."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


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
        for send in (infer_upload, keep_upload):
            for answer in pool.map(lambda bomb, send=send: send(server, bomb), bombs):
                assert answer.status_code == 422, answer.text
                assert "unpack to more than" in answer.json()["detail"]
        assert ask(server, "GET", "/health/ready").status_code == 200
        assert ask(server, "POST", "/infer/vertenet?image=hologic&output=json").status_code == 200
        print(f"peak {peak_mib(server):.0f} MiB")
        assert peak_mib(server) < MOST_MIB


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
        print(f"peak {peak_mib(server):.0f} MiB")
        assert peak_mib(server) < 1.5 * MOST_MIB  # it was 5 GiB


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
