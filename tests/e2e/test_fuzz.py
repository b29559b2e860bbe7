"""Requests made up from our OpenAPI: none breaks the server, none without a token succeeds, none writes elsewhere."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings

from vertenet.server import tokens

from .conftest import make_studies, our_server

OPEN = {("GET", "/health/live"), ("GET", "/health/ready"), ("GET", "/auth/")}
#: Where made-up words find nothing, half of the requests name what there is.
KNOWN = {"image": "hologic", "label": "hologic", "id": "old.scan", "tag": "final", "model": "vertenet"}
#: With a known model these do minutes of work, which is not what is tested here.
HEAVY = {"/train/{model}", "/train/", "/batch/infer/{model}", "/scoring/{method}"}


@pytest.fixture(scope="module")
def target(tmp_path_factory, environment):
    folder = tmp_path_factory.mktemp("fuzz")
    file = folder / "tokens.json"
    secret = tokens.add(file, "ada", "admin")
    studies, scratch = make_studies(folder / "studies"), folder / "tmp"
    scratch.mkdir()
    server = our_server(studies, {**environment, "TMPDIR": str(scratch)})
    server.command += ["--tokens", str(file), "--max-upload", "1"]
    server.folder, server.secret = folder, secret
    with server:
        yield server


def attack(server, *, seconds: float, examples: int) -> int:
    """Rounds over all operations, ``examples`` requests each and again without a token, for at least one round.

    Returns how many requests were made.
    """
    bearer = {"Authorization": f"Bearer {server.secret}"}
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json", headers=bearer)
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) > 30
    made, rounds, end = 0, 0, time.monotonic() + seconds
    while rounds == 0 or time.monotonic() < end:
        for operation in operations:

            @settings(
                max_examples=examples,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @seed(rounds)
            @given(case=operation.as_strategy())
            def requests(case):
                nonlocal made
                made += 1
                if made % 2 and case.path not in HEAVY:
                    for part in (case.query, case.path_parameters):
                        part.update({name: KNOWN[name] for name in part if name in KNOWN})
                case.headers.pop("Authorization", None)
                answer = case.call(headers=bearer, timeout=60)
                told = f"{case.method} {case.path} {case.query} {case.body!r:.300} -> {answer.status_code}"
                assert answer.status_code < 500, told
                if answer.status_code >= 400 and case.method != "HEAD":
                    assert answer.headers["content-type"][0] == "application/problem+json", told
                case.headers.pop("Authorization", None)
                if (case.method, case.path) not in OPEN:
                    assert case.call(timeout=60).status_code >= 400, told

            requests()
        rounds += 1
    return made


def strays(server) -> list[Path]:
    """Files that lie neither in the store nor among what was there before."""
    known = {"tokens.json", ".tokens.json.lock", "studies", "tmp"}
    beside = [path for path in server.folder.iterdir() if path.name not in known]
    in_store = [
        p for p in (server.folder / "studies").iterdir() if p.is_dir() and p.name not in (".vertenet", "labels")
    ]
    links = [path for path in server.folder.rglob("*") if path.is_symlink()]
    left = list((server.folder / "tmp").rglob("vertenet-upload-*"))
    return [*beside, *in_store, *links, *left]


def test_a_round_of_made_up_requests_neither_breaks_nor_enters_the_server(target):
    assert attack(target, seconds=0, examples=4) > 100
    assert strays(target) == []


@pytest.mark.long
@pytest.mark.timeout(900)
def test_ten_minutes_of_made_up_requests_neither_break_nor_enter_the_server(target):
    made = attack(target, seconds=600, examples=25)
    print(f"{made} requests, each with and without a token")
    assert strays(target) == []
