"""Clients submit labels while a scoring task writes and the server is killed: what becomes of what was answered?"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from vertenet import phantom
from vertenet.annotation import markups
from vertenet.server.background import BackgroundServer

_SIZE = (256, 128)


@dataclass
class Load:
    """Labels to submit, one for each image, and what was answered 200 so far (image id to SHA-256 of the label)."""

    labels: Mapping[str, bytes]
    acknowledged: dict[str, str] = field(default_factory=dict)
    #: Set when nobody will answer any more.
    over: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Loss:
    """Acknowledged labels that are not where they should be, by image id."""

    not_in_index: list[str]
    not_on_disk: list[str]
    not_in_history: list[str]
    half_written: list[str]

    @property
    def total(self) -> int:
        return len({*self.not_in_index, *self.not_on_disk, *self.not_in_history, *self.half_written})


def make_load(studies: Path, count: int) -> Load:
    """``count`` small images in a new folder, and a label for each that no other has."""
    studies.mkdir(parents=True)
    truth = phantom.generate(3, scanner="hologic-4500a", difficulty="easy")
    rows, columns = truth.radiograph.pixels.shape
    scale = np.array([_SIZE[1] / columns, _SIZE[0] / rows])
    spine = truth.truth.spine.map_points(lambda xy: xy * scale)
    picture = Image.fromarray(truth.radiograph.pixels.astype(np.uint8)).resize((_SIZE[1], _SIZE[0]))
    labels = {}
    for number in range(count):
        image_id = f"1.2.840.{number}"
        picture.save(studies / f"{image_id}.png")
        shifted = spine.map_points(lambda xy, dx=number / (10 * count): xy + np.array([dx, 0.0]))
        labels[image_id] = markups.dumps(shifted, image=f"{image_id}.png", size=_SIZE).encode()
    return Load(labels)


def submit_all(load: Load, url: Callable[[], str], clients: int) -> list[threading.Thread]:
    """Start clients that submit every label, each until it is answered 200; a dead server is waited for."""
    waiting = list(load.labels)
    random.Random(5).shuffle(waiting)
    lock = threading.Lock()

    def work() -> None:
        with httpx.Client(timeout=60, trust_env=False) as http:
            while True:
                with lock:
                    if not waiting or load.over.is_set():
                        return
                    image_id = waiting.pop()
                _submit(http, load, url, image_id, lock)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    return threads


def _submit(http: httpx.Client, load: Load, url: Callable[[], str], image_id: str, lock: threading.Lock) -> None:
    content = load.labels[image_id]
    while not load.over.is_set():
        try:
            files = {"label": (f"{image_id}.mrk.json", content)}
            answer = http.put(f"{url()}/datastore/label", params={"image": image_id, "tag": "final"}, files=files)
        except httpx.TransportError:
            time.sleep(0.1)
            continue
        if answer.status_code != 200:
            raise RuntimeError(f"{image_id}: {answer.status_code} {answer.text}")
        with lock:
            load.acknowledged[image_id] = hashlib.sha256(content).hexdigest()
        return


def await_scoring(url: str) -> None:
    """Return when the scoring task, which MONAI Label starts with the server, has written its first notes."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        objects = httpx.get(f"{url}/datastore/", params={"output": "all"}, timeout=60, trust_env=False).json()[
            "objects"
        ]
        if any("score" in entry["image"]["info"] for entry in objects.values()):
            return
        time.sleep(0.2)
    raise RuntimeError("the scoring task does not write")


def kill(server: BackgroundServer) -> None:
    """SIGKILL to the server, if it runs, and to all processes that it started."""
    with suppress(ProcessLookupError):
        os.killpg(server.process.pid, signal.SIGKILL)
    server.process.wait()


def find_loss(load: Load, url: str, studies: Path, *, history: bool) -> Loss:
    """Look for every acknowledged label in the index, on the disk and, where there is one, in the history."""
    lost: dict[str, list[str]] = {name: [] for name in ("index", "disk", "history", "half")}
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
        listed = http.get("/datastore/", params={"output": "all"}).json()["objects"]
        for image_id, sha256 in load.acknowledged.items():
            if "final" not in listed.get(image_id, {}).get("labels", {}):
                lost["index"].append(image_id)
            path = studies / "labels" / "final" / f"{image_id}.mrk.json"
            content = path.read_bytes() if path.is_file() else b""
            if hashlib.sha256(content).hexdigest() != sha256:
                lost["disk"].append(image_id)
            if path.is_file() and not _is_json(content):
                lost["half"].append(image_id)
            if history:
                answer = http.get("/datastore/label/history", params={"image": image_id}).raise_for_status().json()
                if sha256 not in [revision["sha256"] for revision in answer["revisions"]]:
                    lost["history"].append(image_id)
    return Loss(lost["index"], lost["disk"], lost["history"], lost["half"])


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except ValueError:
        return False
    return True


def run_load(
    load: Load, make_server: Callable[[], BackgroundServer], studies: Path, *, clients: int, kills: int, history: bool
) -> Loss:
    """Submit everything; kill the server with SIGKILL after random shares of the labels; restart; look for losses.

    Raises `ServerError` where the server does not start again after a kill.
    """
    chance = random.Random(11)
    count = len(load.labels)
    moments = sorted(chance.randrange(count // 10, count * 9 // 10) for _ in range(kills))
    server = make_server().__enter__()
    current = [server]
    try:
        await_scoring(server.url)
        threads = submit_all(load, lambda: current[0].url, clients)
        for moment in moments:
            _wait_for(load, moment, threads)
            kill(current[0])
            current[0].stop()
            current[0] = make_server().__enter__()
        for thread in threads:
            thread.join(600)
        assert len(load.acknowledged) == count, "not every label was answered"
        return find_loss(load, current[0].url, studies, history=history)
    finally:
        load.over.set()
        kill(current[0])  # the scoring task as well, which a stop would let run on
        current[0].stop()


def _wait_for(load: Load, acknowledged: int, threads: list[threading.Thread]) -> None:
    while len(load.acknowledged) < acknowledged and any(thread.is_alive() for thread in threads):
        time.sleep(0.005)
