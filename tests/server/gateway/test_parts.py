"""The parts of the gateway that can be seen without a server."""

from __future__ import annotations

import json

import pytest

from vertenet.errors import OptionError
from vertenet.server.audit import AuditLog, begin, note
from vertenet.server.gateway.attempts import FailedAttempts
from vertenet.server.gateway.requests import TASK_KEYS, check_parameters, truth
from vertenet.server.gateway.roles import ROUTES, role_of, template
from vertenet.server.identity import ANONYMOUS, Caller, annotator_of, current_caller
from vertenet.server.options import ServerOptions, Tls
from vertenet.server.plain import json_object
from vertenet.server.tokens import add


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


# Who is asking


def test_a_role_includes_those_before_it():
    assert [Caller("a", "annotator").may(role) for role in ("reader", "annotator", "admin")] == [True, True, False]


def test_the_annotator_is_the_token_s_whatever_the_request_says():
    request = {"client_id": "mallory", "annotator": "mallory"}
    assert annotator_of(request) == "mallory"
    reset = current_caller.set(Caller("ada", "annotator"))
    try:
        assert annotator_of(request) == "ada"
    finally:
        current_caller.reset(reset)
    assert annotator_of({}) == annotator_of({"client_id": None}) == ANONYMOUS
    with pytest.raises(OptionError):
        annotator_of({"client_id": "../x"})


# Roles


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("GET", "/health/live", None),
        ("POST", "/auth/token", None),
        ("GET", "/auth/token", "admin"),
        ("POST", "/health/live", "admin"),
        ("GET", "/info/", "reader"),
        ("GET", "/info", "reader"),
        ("HEAD", "/datastore/image", "reader"),
        ("PUT", "/datastore/label", "annotator"),
        ("DELETE", "/datastore/label", "admin"),
        ("POST", "/infer/vertenet", "reader"),
        ("POST", "/infer/a/b", "admin"),
        ("POST", "/train/vertenet", "admin"),
        ("POST", "/activelearning/skip", "annotator"),
        ("POST", "/reload", "admin"),
        ("BREW", "/info/", "admin"),
        ("GET", "/INFO/", "admin"),
    ],
)
def test_each_request_needs_the_role_of_its_route_and_an_unknown_one_an_admin(method, path, role):
    assert role_of(method, path) == role


def test_no_route_has_two_roles():
    routes = [route for routes in ROUTES.values() for route in routes]
    assert len(routes) == len(set(routes))
    assert template("POST", "/train/x") == "POST /train/{}"


# Failures


def test_after_ten_times_a_wrong_token_waits_until_the_first_time_is_a_minute_old():
    clock = Clock()
    attempts = FailedAttempts(limit=10, window_s=60, clock=clock)
    for second in range(10):
        assert attempts.wait_s("a", "x") == 0
        clock.now = second
        attempts.failed("a", "x")
    assert attempts.wait_s("a", "x") == 51
    assert attempts.wait_s("b", "x") == 0
    clock.now = 60
    assert attempts.wait_s("a", "x") == 0


def test_14_wrong_tokens_lock_out_no_colleague_behind_the_same_address():
    attempts = FailedAttempts(limit=10, clock=Clock())
    for number in range(30):
        attempts.failed("router", f"guess {number}")
        attempts.failed("router", "revoked")
    assert attempts.wait_s("router", "revoked") > 0
    assert attempts.wait_s("router", "never seen before") == 0


def test_a_flood_of_addresses_and_tokens_does_not_fill_the_memory():
    attempts = FailedAttempts(clock=Clock())
    for i in range(attempts.REMEMBERED + 500):
        attempts.failed(str(i), str(i))
    assert len(attempts._failures) == attempts.REMEMBERED


# What a request may say


@pytest.mark.parametrize("text", ["{", "[1]", "3", "null", '{"a": NaN}', '{"a": -Infinity}', '"\\ud800"', "[" * 10**5])
def test_what_is_no_plain_json_object_is_refused(text):
    with pytest.raises(OptionError):
        json_object(text, "params")


def test_a_lone_surrogate_is_refused():
    with pytest.raises(OptionError, match="plain JSON"):
        json_object('{"a": "\\ud800"}', "params")


def test_parameters_that_a_task_does_not_know_are_refused():
    assert check_parameters({"epochs": 3, "gpus": "0,1"}, TASK_KEYS | {"epochs"}) == {"epochs": 3, "gpus": "0,1"}
    for parameters in ({"bundle_path": "/x"}, {"model": "x"}, {"gpus": "0;rm"}, {"gpus": 3}, {"image": "/etc/passwd"}):
        with pytest.raises(OptionError, match=next(iter(parameters))):
            check_parameters(parameters, TASK_KEYS)
    with pytest.raises(OptionError, match="label tag"):
        check_parameters({"label_tag": "../x"}, {"label_tag"})


def test_the_word_false_is_not_true():
    assert [truth(value) for value in (True, "true", "1", "false", "", None, 0, [1])] == [True] * 3 + [False] * 5


# The audit log


def test_an_audit_line_stays_one_line_whatever_a_request_says(tmp_path):
    log = AuditLog(tmp_path / "audit.log")
    details = begin()
    note(image='x\n{"who": "forged"}', tag="t" * 1000)
    log.write(who="ada", **details)
    log.write(who=None, status=401)
    first, second = map(json.loads, (tmp_path / "audit.log").read_text().splitlines())
    assert (first["who"], first["image"], len(first["tag"])) == ("ada", 'x\n{"who": "forged"}', 200)
    assert second["who"] is None
    assert (tmp_path / "audit.log").stat().st_mode & 0o777 == 0o600


# Options of the server


def test_options_that_cannot_be_meant_are_refused(tmp_path):
    empty = tmp_path / "tokens.json"
    empty.write_text('{"tokens": []}')
    for options in (
        {"tokens": empty},
        {"tokens": tmp_path / "none.json"},
        {"origins": ("*",)},
        {"origins": ("https://a.example/path",)},
        {"max_upload_mib": 0},
        {"max_upload_mib": float("nan")},
        {"queue": -1},
    ):
        with pytest.raises(OptionError):
            ServerOptions(**options)
    add(tmp_path / "good.json", "ada", "admin")
    assert ServerOptions(tokens=tmp_path / "good.json", origins=("https://a.example:8443",)).queue == 16


def test_a_certificate_needs_its_key(tmp_path):
    assert Tls.of(None, None) is None
    (tmp_path / "c.pem").write_text("no certificate")
    for pair in ((tmp_path / "c.pem", None), (None, tmp_path / "c.pem"), (tmp_path / "c.pem", tmp_path / "c.pem")):
        with pytest.raises(OptionError):
            Tls.of(*pair)
