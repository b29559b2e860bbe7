"""``vertenet serve`` with tokens: who gets in, who may do what, how much is taken, what is written down."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from monailabel.client import MONAILabelClient
from monailabel.client.client import MONAILabelClientException

from vertenet.learning.active import uncertainty
from vertenet.server import tokens
from vertenet.server.active.scores import ScoreTable
from vertenet.server.gateway.roles import template

from .conftest import make_studies, our_server

ORIGIN = "https://viewer.clinic.example"
OPEN = {("get", "/health/live"), ("get", "/health/ready"), ("get", "/auth/"), ("post", "/auth/token")}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, environment):
    """Our server over the real app, with a token for each role and limits that tests can reach."""
    folder = tmp_path_factory.mktemp("guarded")
    studies, file = make_studies(folder / "studies"), folder / "tokens.json"
    secrets = {role: tokens.add(file, f"{role}.one", role) for role in tokens.ROLES}
    server = our_server(studies, environment)
    server.command += ["--tokens", str(file), "--allow-origin", ORIGIN, "--max-upload", "2"]
    server.command += ["--trust-proxy", "127.0.0.1"]
    server.studies, server.tokens, server.secrets = studies, file, secrets
    with server:
        yield server


def ask(server, method: str, path: str, role: str | None = None, *, token: str | None = None, **options):
    token = server.secrets[role] if role else token
    headers = {**options.pop("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
    return httpx.request(method, f"{server.url}{path}", headers=headers, timeout=60, trust_env=False, **options)


def is_problem(response: httpx.Response, status: int) -> bool:
    """Whether this is an error as all of ours are: RFC 9457, with a sentence."""
    body = response.json()
    sentence = body["detail"]
    return (
        (response.status_code, body["status"], response.headers["content-type"])
        == (status, status, "application/problem+json")
        and len(sentence.split()) >= 3
        and sentence.endswith(".")
    )


def operations(server) -> list[tuple[str, str]]:
    paths = ask(server, "GET", "/openapi.json", "reader").json()["paths"]
    return [(method, path) for path, methods in paths.items() for method in methods]


# The stock client


def test_the_stock_client_logs_in_and_works_from_next_sample_to_label_and_back(guarded, tmp_path):
    client = MONAILabelClient(guarded.url, tmpdir=str(tmp_path), client_id="somebody-else")
    assert client.auth_enabled()
    assert not client.auth_valid_token()
    with pytest.raises(MONAILabelClientException):
        client.info()
    client.update_auth(client.auth_token("annotator.one", guarded.secrets["annotator"]))
    assert client.auth_valid_token()
    assert "vertenet" in client.info()["models"]
    sample = client.next_sample("first", {})
    file, answer = client.infer("vertenet", sample["id"], {})
    assert answer["model"]["sha256"]
    client.save_label(sample["id"], file, tag="final")
    assert client.datastore()["objects"][sample["id"]]["labels"]["final"]
    assert Path(client.download_label(sample["id"], "final")).read_bytes() == Path(file).read_bytes()
    session = client.create_session(str(next(guarded.studies.glob("hologic.*"))))
    _, from_session = client.infer("vertenet", "", {}, session_id=session["session_id"])
    assert from_session["image"]["name"] == "hologic.png"
    assert client.get_session(session["session_id"])["name"] == session["session_id"]
    client.remove_session(session["session_id"])
    assert client.train_status(check_if_running=True) is False
    (revision,) = ask(guarded, "GET", f"/datastore/label/history?image={sample['id']}", "reader").json()["revisions"]
    assert revision["annotator"] == "annotator.one"


def test_the_most_uncertain_images_come_first_and_nobody_is_sent_away(guarded):
    deadline = time.monotonic() + 120
    while ask(guarded, "GET", "/scoring/", "admin").json().get("status") != "DONE":
        assert time.monotonic() < deadline
        time.sleep(0.3)
    answer = ask(guarded, "POST", "/activelearning/uncertainty", "admin", json={"k": 3}).json()
    scores = ScoreTable(guarded.studies / ".vertenet" / "store.sqlite").of_model(answer["model_sha256"])
    offered = [scores[image] for image in answer["ids"]]
    doubts = uncertainty(
        np.array([score.found.doubt for score in offered]), np.array([score.found.dispersion for score in offered])
    )
    assert len(offered) >= 2
    assert list(doubts) == sorted(doubts, reverse=True)
    again = [ask(guarded, "POST", "/activelearning/random", "admin", json={}) for _ in range(10)]
    assert all(sample.json()["id"] in answer["ids"] for sample in again)


def test_a_wrong_password_or_another_s_name_is_no_login(guarded, tmp_path):
    client = MONAILabelClient(guarded.url, tmpdir=str(tmp_path))
    for name, password in (("annotator.one", "wrong"), ("admin.one", guarded.secrets["reader"])):
        with pytest.raises(MONAILabelClientException) as refusal:
            client.auth_token(name, password)
        assert refusal.value.status_code == 401


def test_without_tokens_the_stock_client_is_told_so(ours, tmp_path):
    client = MONAILabelClient(ours.url, tmpdir=str(tmp_path))
    assert not client.auth_enabled()
    assert client.auth_valid_token()


# Tokens and roles


def test_nothing_but_probes_and_the_login_answers_without_a_token(guarded):
    for method, path in operations(guarded):
        response = ask(guarded, method, re.sub(r"\{\w+\}", "vertenet", path))
        if (method, path) in OPEN:
            assert response.status_code != 401 or path == "/auth/token", (method, path)
        else:
            assert response.status_code == 401, (method, path)
            assert method == "head" or is_problem(response, 401), (method, path)
            assert response.headers["www-authenticate"].startswith("Bearer")


def test_every_route_has_its_role_written_down(guarded):
    for method, path in operations(guarded):
        written = template(method.upper(), re.sub(r"\{\w+\}", "x", path))
        assert written.count("{}") == path.count("{"), (method, path, written)


@pytest.mark.parametrize(
    ("role", "method", "path"),
    [
        ("reader", "PUT", "/datastore/label?image=hologic"),
        ("reader", "PUT", "/datastore/image?image=new"),
        ("reader", "POST", "/activelearning/first"),
        ("reader", "GET", "/datastore/dataset"),
        ("annotator", "POST", "/train/vertenet"),
        ("annotator", "DELETE", "/train/"),
        ("annotator", "DELETE", "/datastore/image?id=hologic"),
        ("annotator", "DELETE", "/datastore/label?id=hologic&tag=final"),
        ("annotator", "POST", "/models/rollback?version=v0000"),
        ("annotator", "GET", "/model/vertenet"),
        ("annotator", "GET", "/logs/"),
        ("annotator", "POST", "/batch/infer/vertenet"),
        ("annotator", "GET", "/nowhere"),
    ],
)
def test_what_a_role_may_not_do_is_a_403_that_names_the_role(guarded, role, method, path):
    response = ask(guarded, method, path, role)
    assert is_problem(response, 403)
    assert f"has the role {role}" in response.json()["detail"]


def test_a_reader_may_infer_but_not_save_what_was_inferred(guarded):
    params = {"data": {"params": '{"save_label": true}'}}
    assert is_problem(ask(guarded, "POST", "/infer/vertenet?image=hologic", "reader", **params), 403)
    params = {"data": {"params": '{"save_label": "false"}'}}
    assert ask(guarded, "POST", "/infer/vertenet?image=hologic&output=json", "reader", **params).status_code == 200


def test_nobody_calls_a_label_what_only_the_server_or_a_reviewer_may(guarded):
    """Issue 13, item 3, over HTTP: a consensus is the server's, a review a reviewer's, a model's output is original."""
    inferred = ask(guarded, "POST", "/infer/vertenet?image=hologic&output=image", "annotator")
    label = {"label": ("hologic.mrk.json", inferred.content)}
    for role in ("annotator", "admin"):
        refused = ask(guarded, "PUT", "/datastore/label?image=hologic&tag=consensus", role, files=label)
        assert is_problem(refused, 400)
        assert "made by the server" in refused.json()["detail"]
    refused = ask(guarded, "PUT", "/datastore/label?image=hologic&tag=reviewed", "annotator", files=label)
    assert is_problem(refused, 403)
    assert "role reviewer" in refused.json()["detail"]
    for tag in ("final", "reviewed", "consensus"):
        params = {"data": {"params": f'{{"save_label": true, "label_tag": "{tag}"}}'}}
        assert is_problem(ask(guarded, "POST", "/infer/vertenet?image=hologic", "admin", **params), 400)
    kept = ask(guarded, "GET", "/datastore/label/history?image=hologic", "reader").json()["revisions"]
    assert not [revision for revision in kept if revision["tag"] in ("consensus", "reviewed")]


def test_a_token_counts_from_its_issue_until_it_is_revoked_without_a_restart(guarded):
    new = tokens.add(guarded.tokens, "new.one", "reader")
    assert ask(guarded, "GET", "/auth/token/valid", token=new).json() == {"username": "new.one", "roles": ["reader"]}
    tokens.revoke(guarded.tokens, "new.one")
    assert is_problem(ask(guarded, "GET", "/info/", token=new), 401)


def test_while_the_file_of_tokens_is_damaged_nobody_is_admitted(guarded):
    content = guarded.tokens.read_text()
    try:
        guarded.tokens.write_text("{")
        assert is_problem(ask(guarded, "GET", "/info/", "admin"), 503)
    finally:
        guarded.tokens.write_text(content)
    assert ask(guarded, "GET", "/info/", "admin").status_code == 200


def test_14_a_wrong_token_that_comes_again_and_again_waits_and_the_colleagues_do_not(guarded):
    router = {"X-Forwarded-For": "192.0.2.7"}
    answers = [ask(guarded, "GET", "/info/", token="revoked", headers=router) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert is_problem(answers[-1], 429)
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    guesses = [ask(guarded, "GET", "/info/", token=f"guess-{i}", headers=router) for i in range(12)]
    assert {answer.status_code for answer in guesses} == {401}
    # Nobody was accepted from this address before.
    for role in tokens.ROLES:
        assert ask(guarded, "GET", "/info/", role, headers=router).status_code == 200


# Where it listens, and to which pages it answers


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_without_tokens_only_this_computer_is_listened_to(tmp_path, host):
    command = [sys.executable, "-m", "vertenet.cli", "serve", "--studies", str(tmp_path), "--port", "0", "--host", host]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "without tokens everybody who reaches" in " ".join(done.stderr.split())


def test_only_the_origins_of_the_list_are_answered(guarded):
    preflight = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}
    response = ask(guarded, "OPTIONS", "/datastore/label", headers=preflight)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in response.headers
    allowed = ask(guarded, "GET", "/info/", "reader", headers={"Origin": ORIGIN})
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    for origin in ("https://elsewhere.example", "null", f"{ORIGIN}.evil.example"):
        assert is_problem(ask(guarded, "GET", "/info/", "reader", headers={"Origin": origin}), 403)
    assert ask(guarded, "GET", "/info/", "reader", headers={"Origin": guarded.url}).status_code == 200


def test_a_page_cannot_reach_loopback_under_a_name_of_its_own(ours):
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "192.0.2.1"):
        response = ask(ours, "GET", "/info/", headers={"Host": host})
        assert is_problem(response, 421)
    for host in ("localhost", "127.0.0.1:1", "[::1]:8000"):
        assert ask(ours, "GET", "/info/", headers={"Host": host}).status_code == 200


# Limits


def test_an_upload_that_is_too_large_is_a_413_whether_its_length_is_announced_or_not(guarded):
    body = b"\0" * (3 << 20)
    announced = ask(guarded, "POST", "/infer/vertenet", "reader", files={"file": ("a.png", body)})
    assert is_problem(announced, 413)
    form = {"content-type": "multipart/form-data; boundary=x"}
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    chunks = iter([head, *[body[: 1 << 16]] * 48])
    assert is_problem(ask(guarded, "POST", "/infer/vertenet", "reader", headers=form, content=chunks), 413)


def test_parameters_may_have_one_mebibyte(guarded):
    params = json.dumps({"client_id": "x" * (1 << 20)})
    response = ask(
        guarded, "POST", "/train/vertenet", "admin", content=params, headers={"content-type": "application/json"}
    )
    assert is_problem(response, 413)


def test_a_full_queue_is_a_429_and_nobody_who_found_a_place_is_forgotten(servers):
    server = servers["slow_ours"]

    def infer(_):
        return ask(server, "POST", "/infer/slow?image=hologic", data={"params": '{"seconds": 1}'})

    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(infer, range(24)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 1 <= len(refused) <= 6
    for answer in answers:
        if answer in refused:
            assert is_problem(answer, 429)
            assert int(answer.headers["retry-after"]) >= 1
        else:
            assert answer.json() == {"waited_s": 1.0}


# What is said and written down


def test_health_and_readiness_are_open_and_say_what_was_checked(guarded):
    assert ask(guarded, "GET", "/health/live").json() == {"status": "live"}
    ready = ask(guarded, "GET", "/health/ready")
    assert ready.status_code == 200
    assert ready.json() == {"status": "ready", "checks": {"store": True, "disk": True, "model": True, "audit": True}}


def test_prometheus_reads_what_was_asked_and_what_was_refused(guarded):
    assert ask(guarded, "POST", "/infer/vertenet?image=hologic", "reader").status_code == 200
    ask(guarded, "GET", "/info/")
    text = ask(guarded, "GET", "/metrics", "reader").text
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(values['vertenet_requests_total{route="POST /infer/{}",status="200"}']) >= 1
    assert float(values["vertenet_refused_total"]) >= 1
    assert float(values["vertenet_inference_seconds_count"]) >= 1
    assert "hologic" not in text


def test_the_audit_log_says_who_did_what_to_which_image_with_which_model(guarded, tmp_path):
    file = guarded.studies / ".vertenet" / "audit.log"
    answer = ask(guarded, "POST", "/infer/vertenet?image=old.scan&output=image", "reader")
    for _ in range(2):
        label = {"label": ("old.scan.mrk.json", answer.content)}
        stored = ask(guarded, "PUT", "/datastore/label?image=old.scan&tag=final", "annotator", files=label)
        assert stored.status_code == 200, stored.text
    ask(guarded, "DELETE", "/datastore/image?id=old.scan", "reader")
    deadline = time.monotonic() + 5
    while True:  # a line is written after its answer
        lines = [json.loads(line) for line in file.read_text().splitlines()][-4:]
        if lines[-1]["route"] == "DELETE /datastore/image":
            break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    infer, first, second, refused = lines
    assert (infer["who"], infer["image"], infer["status"]) == ("reader.one", "old.scan", 200)
    assert len(infer["model_sha256"]) == 64
    assert (first["who"], first["tag"]) == ("annotator.one", "final")
    assert first["model_sha256"] == infer["model_sha256"]
    assert second["revision_before"] == first["revision_after"] == second["revision_after"] - 1
    assert (refused["who"], refused["role"], refused["status"]) == ("reader.one", "reader", 403)
    assert not any(secret in file.read_text() for secret in guarded.secrets.values())


def test_no_answer_is_kept_by_browsers_or_names_the_server_s_software(guarded):
    headers = ask(guarded, "GET", "/info/", "reader").headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert len(headers["x-request-id"]) == 32
    assert "server" not in headers


@pytest.mark.parametrize(
    ("status", "method", "path", "options"),
    [
        (404, "GET", "/nowhere", {}),
        (405, "PATCH", "/info/", {}),
        (405, "PUT", "/model/vertenet", {}),
        (404, "GET", "/ohif/index.html", {}),
        (404, "GET", "/session/%2e%2e", {}),
        (400, "PUT", "/session/?uncompress=true", {"files": {"files": ("a.zip", b"")}}),
        (400, "PUT", "/session/", {"files": [("files", ("a", b"")), ("files", ("b", b""))]}),
        (404, "POST", "/infer/vertenet?session_id=../../etc", {}),
        (400, "PUT", "/datastore/image/info?image=hologic", {"data": {"info": "[1]"}}),
        (400, "PUT", "/datastore/image/info?image=hologic", {"data": {"info": '{"a": NaN}'}}),
        (422, "GET", "/datastore/image", {}),
        (400, "GET", "/datastore/image?image=/etc/passwd", {}),
        (400, "GET", "/datastore/label?label=hologic&tag=../x", {}),
        (422, "GET", "/logs/?lines=1000000000000000000000", {}),
        (404, "POST", "/train/nobody", {"json": {}}),
        (400, "POST", "/train/vertenet", {"json": {"bundle_path": "/tmp"}}),
        (400, "POST", "/train/vertenet?run_sync=true", {"json": {}}),
        (422, "POST", "/train/vertenet", {"content": "[1", "headers": {"content-type": "application/json"}}),
        (404, "POST", "/scoring/nobody", {"json": {}}),
        (400, "POST", "/batch/infer/vertenet", {"json": {"max_workers": -1}}),
        (404, "POST", "/activelearning/tarot", {"json": {}}),
        (404, "GET", "/train/?check_if_running=true", {}),
    ],
)
def test_every_refusal_is_a_problem_with_a_sentence(guarded, status, method, path, options):
    response = ask(guarded, method, path, "admin", **options)
    assert is_problem(response, status), response.text
