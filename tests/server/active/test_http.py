"""The next image over HTTP, under MONAI Label's own server and under ``vertenet serve``."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from monailabel.client import MONAILabelClient

from tests.e2e.conftest import APP, our_server, running, stock_server

from .conftest import SCANS

#: Readable ones; a file that is no image is in the folder as well.
IMAGES = {*SCANS, "noise", "later"}
PATIENCE_S = 240


@pytest.fixture(scope="module")
def servers(scored, tmp_path_factory):
    """Both servers over a folder in which one image has not been scored."""
    folder = tmp_path_factory.mktemp("servers")
    studies = {name: shutil.copytree(scored[0], folder / name) for name in ("ours", "stock")}
    for path in studies.values():
        shutil.copy(path / "hologic.png", path / "later.png")
    environment = {
        "MONAI_LABEL_SESSION_PATH": str(folder / "sessions"),
        "OMP_WAIT_POLICY": "PASSIVE",
        "OMP_NUM_THREADS": "1",
    }
    app = shutil.copytree(APP, folder / "app", ignore=shutil.ignore_patterns("__pycache__", "logs"))
    started = {
        "ours": our_server(studies["ours"], environment),
        "stock": stock_server(studies["stock"], environment, app),
    }
    with running(started):
        yield started


@pytest.fixture(params=["ours", "stock"])
def server(request, servers):
    return servers[request.param]


@pytest.fixture
def ours(servers):
    return servers["ours"]


def post(server, path: str, body=None, **query) -> httpx.Response:
    return httpx.post(f"{server.url}{path}", json=body or {}, params=query, timeout=120, trust_env=False)


def get(server, path: str) -> httpx.Response:
    return httpx.get(f"{server.url}{path}", timeout=120, trust_env=False)


def scored_by_itself(server) -> dict:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        answer = get(server, "/scoring/")
        if answer.status_code == 200 and answer.json()["status"] not in ("SUBMITTED", "RUNNING"):
            return answer.json()
        time.sleep(0.5)
    raise AssertionError(f"no scoring within {PATIENCE_S} s:\n{server.log}")


def test_what_there_is_is_listed(server):
    info = get(server, "/info/").json()
    assert list(info["strategies"]) == ["hybrid", "uncertainty", "diversity", "random", "first"]
    assert list(info["scoring"]) == ["active"]


def test_a_session_of_several_people(server, tmp_path):
    """Scoring starts with the server; people who ask at once get different images, each with its score; then none."""
    task = scored_by_itself(server)
    assert task["status"] == "DONE", task
    again = post(server, "/scoring/active", run_sync="true")
    assert again.status_code == 200
    assert (again.json()["total"], again.json()["scored"]) == (6, 0)

    served = get(server, "/info/").json()["models"]["vertenet"]["model_sha256"]
    people = ["anna", "ben", "carl", "dora"]
    strategies = ["hybrid", "uncertainty", "diversity", "random"]

    def ask(person, strategy):
        return post(server, f"/activelearning/{strategy}", {"client_id": person}).json()

    with ThreadPoolExecutor(4) as pool:
        given = list(pool.map(ask, people, strategies))
    ids = {answer["id"] for answer in given}
    assert len(ids) == 4
    for answer in given:
        assert Path(answer["path"]).is_file()
        assert (answer["model_sha256"], answer["stale"]) == (served, False)
        assert answer["typical"] is (answer["id"] != "noise")

    (left,) = IMAGES - ids
    client = MONAILabelClient(server.url, tmpdir=str(tmp_path), client_id="emil")
    rest = client.next_sample("hybrid", {"k": 5})
    assert rest["ids"] == [left, "broken"]
    assert rest["id"] == left
    assert post(server, "/activelearning/first", {"client_id": "late"}).json() == {}
    assert post(server, "/activelearning/first", {"client_id": "emil"}).json()["id"] == left


@pytest.mark.parametrize(("path", "body", "status", "words"), [
    ("/activelearning/epistemic", {}, 404, "hybrid"),
    ("/activelearning/hybrid", {"k": 0}, 400, "whole number"),
    ("/activelearning/hybrid", {"client_id": "../../etc"}, 400, "plain word"),
])  # fmt: skip
def test_a_request_that_is_not_accepted_is_a_4xx_with_a_sentence(server, path, body, status, words):
    answer = post(server, path, body)
    assert answer.status_code == status
    assert words in answer.json()["detail"]
    assert answer.json()["detail"].endswith(".")


# What only our server has


def test_leases_are_listed_and_a_skip_ends_one(ours):
    before = get(ours, "/activelearning/leases").json()
    if not before["leases"]:
        post(ours, "/activelearning/first", {"client_id": "anna"})
        before = get(ours, "/activelearning/leases").json()
    lease = before["leases"][0]
    skipped = {"image": lease["image_id"], "client_id": lease["annotator"], "reason": "the image is blurred"}
    answer = post(ours, "/activelearning/skip", skipped)
    assert answer.status_code == 200
    assert answer.json()["reason"] == "the image is blurred"
    after = get(ours, "/activelearning/leases").json()
    assert lease["image_id"] not in {one["image_id"] for one in after["leases"]}
    assert (lease["image_id"], lease["annotator"]) in {(one["image_id"], one["annotator"]) for one in after["skips"]}
    assert post(ours, "/activelearning/first", {"client_id": "greta"}).json()["id"] == lease["image_id"]


@pytest.mark.parametrize(("path", "body", "status", "words"), [
    ("/activelearning/skip", {"image": "../x", "reason": "blurred"}, 404, "no image"),
    ("/activelearning/skip", {"image": ["old.scan"], "reason": "blurred"}, 404, "no image"),
    ("/activelearning/skip", {"image": "old.scan"}, 400, "reason"),
    ("/scoring/dice", {}, 404, "active"),
])  # fmt: skip
def test_skips_and_scoring_are_checked(ours, path, body, status, words):
    answer = post(ours, path, body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]


def test_parameters_of_a_request_reach_neither_the_strategy_nor_the_runner(ours):
    answer = post(ours, "/activelearning/first", {"strategy": "nobody", "bundle_path": "/", "client_id": "greta"})
    assert answer.status_code == 200
    answer = post(ours, "/scoring/active", {"method": "nobody", "bundle_path": "/"}, run_sync="true")
    assert answer.json()["total"] == 6
