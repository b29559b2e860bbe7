"""What one person with a valid token may do without stopping the others, over HTTP: values, names, paths, quotas."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from contextlib import closing

import httpx
import pytest

import vertenet.server
from vertenet.server import tokens

from .conftest import make_studies, our_server
from .test_gateway import ask, is_problem


@pytest.fixture(scope="module")
def shared(tmp_path_factory, environment):
    """Our server over the real app with a token for each role, used by all the tests of this module in turn."""
    folder = tmp_path_factory.mktemp("shared")
    studies, file = make_studies(folder / "studies"), folder / "tokens.json"
    secrets = {role: tokens.add(file, f"{role}.one", role) for role in tokens.ROLES}
    server = our_server(studies, environment)
    server.command += ["--tokens", str(file), "--max-upload", "2", "--trust-proxy", "127.0.0.1"]
    server.studies, server.tokens, server.secrets = studies, file, secrets
    with server:
        yield server


def listed(server) -> httpx.Response:
    return ask(server, "GET", "/datastore/?output=all", "reader")


# Values that JSON cannot say

HARMFUL = ('{"x": 1e400}', '{"x": -1e999}', '{"x": NaN}', '{"x": "\\ud800"}', '{"\\ud800": 1}', '{"x": ' + "[" * 200)
HARMFUL = (*HARMFUL[:-1], HARMFUL[-1] + "]" * 200 + "}")


@pytest.mark.parametrize("said", HARMFUL)
@pytest.mark.parametrize(
    ("method", "path", "field", "file"),
    [
        ("PUT", "/datastore/image/info?image=hologic", "info", None),
        ("PUT", "/datastore/label?image=hologic", "params", "label"),
        ("PUT", "/datastore/image?image=new", "params", "file"),
        ("PUT", "/datastore/labels", "params", "file"),
        ("PUT", "/datastore/label/info?label=hologic&tag=final", "info", None),
        ("PUT", "/datastore/updatelabelinfo?label=hologic&tag=final", "params", None),
        ("POST", "/infer/vertenet?image=hologic&output=json", "params", None),
    ],
)
def test_10_what_json_cannot_say_is_refused_in_every_form_and_the_list_stays(shared, said, method, path, field, file):
    files = {"files": {file: ("x.png", b"no image")}} if file else {}
    answer = ask(shared, method, path, "annotator", data={field: said}, **files)
    assert is_problem(answer, 400), answer.text
    assert "not plain JSON" in answer.json()["detail"]
    assert listed(shared).status_code == 200


@pytest.mark.parametrize("said", [text.replace('"x"', '"seed"') for text in HARMFUL])
@pytest.mark.parametrize("path", ["/activelearning/random", "/activelearning/skip", "/scoring/active"])
def test_10_the_same_in_bodies_of_json(shared, said, path):
    headers = {"content-type": "application/json"}
    answer = ask(shared, "POST", path, "annotator", content=said, headers=headers)
    assert is_problem(answer, 400), answer.text
    assert listed(shared).status_code == 200


def test_10_what_is_stored_already_stops_nobody(shared):
    deep = '{"x": ' + "[" * 500 + "]" * 500 + "}"
    stored = {"hologic": '{"score": Infinity, "kept": 1}', "old.scan": '{"note": "\\ud800"}', "1.2.840.113619.2": deep}
    with closing(sqlite3.connect(shared.studies / ".vertenet" / "store.sqlite")) as database, database:
        for image, info in stored.items():
            database.execute("UPDATE images SET info = ? WHERE image_id = ?", (info, image))
    answer = listed(shared)
    assert answer.status_code == 200, answer.text
    objects = answer.json()["objects"]
    assert objects["hologic"]["image"]["info"] == {"score": None, "kept": 1}
    assert set(stored) <= set(objects)
    for image in stored:
        assert ask(shared, "GET", f"/datastore/image/info?image={image}", "reader").status_code == 200
        noted = ask(shared, "PUT", f"/datastore/image/info?image={image}", "annotator", data={"info": '{"y": 1}'})
        assert noted.status_code == 200, noted.text


def test_10_notes_that_would_fill_every_list_are_refused(shared):
    for share in range(4):
        said = json.dumps({f"note {share}": "x" * 30_000})
        answer = ask(shared, "PUT", "/datastore/image/info?image=old.scan", "annotator", data={"info": said})
    assert is_problem(answer, 400)
    assert len(listed(shared).content) < 200_000


# Names of files


def test_12_a_file_with_an_odd_name_is_told_and_stops_nobody(shared):
    odd = [os.fsdecode(b"R\xf6ntgen.png"), "a\nb.png", "a\\b.png", "x" * 246 + ".png"]
    try:
        for name in odd:
            (shared.studies / name).write_bytes((shared.studies / "hologic.png").read_bytes())
        deadline = time.monotonic() + 20
        while len(listed(shared).json().get("not_served", ())) < len(odd) and time.monotonic() < deadline:
            time.sleep(0.5)
        answer = listed(shared)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["not_served"]) == len(odd)
        assert {"hologic", "old.scan"} <= set(answer.json()["objects"])
        assert ask(shared, "POST", "/activelearning/first", "annotator", json={}).status_code == 200
        assert ask(shared, "POST", "/infer/vertenet?image=hologic&output=json", "reader").status_code == 200
    finally:
        for name in odd:
            (shared.studies / name).unlink(missing_ok=True)


# Quotas


def test_14_noise_is_no_session_and_nobody_holds_more_than_a_few(shared):
    noise = {"files": ("noise.dcm", os.urandom(1 << 20))}
    assert is_problem(ask(shared, "PUT", "/session/", "reader", files=noise), 422)
    image = {"files": ("scan.png", (shared.studies / "hologic.png").read_bytes())}
    answers = [ask(shared, "PUT", "/session/", "reader", files=image) for _ in range(9)]
    assert [answer.status_code for answer in answers] == [200] * 8 + [429]
    assert is_problem(answers[-1], 429)
    assert ask(shared, "PUT", "/session/", "annotator", files=image).status_code == 200
    first = answers[0].json()["session_id"]
    assert ask(shared, "DELETE", f"/session/{first}", "reader").status_code == 200
    assert ask(shared, "PUT", "/session/", "reader", files=image).status_code == 200


# What is shown to whom


def test_16_no_path_of_the_server_is_shown_to_a_reader_or_annotator(shared):
    deadline = time.monotonic() + 120
    while ask(shared, "GET", "/scoring/", "admin").json().get("status") != "DONE" and time.monotonic() < deadline:
        time.sleep(0.5)
    ask(shared, "POST", "/scoring/active", "annotator", json={})
    paths = ["/info/", "/datastore/", "/datastore/?output=all", "/datastore/?output=train", "/scoring/?all=true"]
    paths += ["/datastore/image/info?image=hologic", "/train/", "/batch/infer", "/models/versions", "/metrics"]
    own = [str(shared.studies), os.path.dirname(vertenet.server.__file__), sys.prefix, os.path.expanduser("~") + "/"]
    for role in ("reader", "annotator"):
        for path in paths:
            text = ask(shared, "GET", path, role).text
            assert not [folder for folder in own if folder in text], (role, path, text)
    offered = ask(shared, "POST", "/activelearning/first", "annotator", json={}).json()
    assert offered["path"] == os.path.basename(offered["path"])
    assert str(shared.studies) in ask(shared, "GET", "/datastore/image/info?image=hologic", "admin").text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_16_a_page_of_another_site_has_no_dataset_packed(shared, site):
    label = ask(shared, "POST", "/infer/vertenet?image=hologic&output=image", "annotator").content
    files = {"label": ("hologic.mrk.json", label)}
    assert ask(shared, "PUT", "/datastore/label?image=hologic", "annotator", files=files).status_code == 200
    asked = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
    assert is_problem(ask(shared, "GET", "/datastore/dataset", "annotator", headers=asked), 403)
    own = {"Sec-Fetch-Site": "same-origin"}
    assert ask(shared, "GET", "/datastore/dataset", "annotator", headers=own).status_code == 200
