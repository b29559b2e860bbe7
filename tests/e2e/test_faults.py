"""Each fault of MONAI Label 0.8.5 that was seen: it shows on its server, and does not on ours.

A test called ``stock`` asserts that the fault is there. Should one fail after an update of MONAI Label, the fault is
mended there, and what works round it here can go. Faults of the store are shown on ``slow_app``, which has MONAI
Label's own store. Elsewhere: lost updates in ``benchmarks/label_store.py`` and ``test_labels.py``; the blocked event
loop in ``test_server.py``; the order of our strategies in ``test_gateway.py``; publishing without a gate in
``tests/server/training``; pixels of 2D DICOM in ``tests/imaging``.
"""

from __future__ import annotations

import base64
import json
import shutil
import sys
import tarfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from PIL import Image

from vertenet.server import tokens
from vertenet.server.background import BackgroundServer

from .certificates import make_certificate
from .conftest import our_server, stock_server

SLOW = Path(__file__).with_name("slow_app")


def ask(server, method: str, path: str, **options) -> httpx.Response:
    options = {"timeout": 60, "trust_env": False, **options}
    return httpx.request(method, f"{server.url}{path}", **options)


def png(folder: Path, name: str = "image.png") -> Path:
    Image.new("L", (64, 64), 90).save(folder / name)
    return folder / name


def ended(server, method: str, **options) -> dict:
    """The last task of ``train``, ``scoring`` or ``batch/infer``, once it has ended."""
    deadline = time.monotonic() + 120
    while True:
        task = ask(server, "GET", f"/{method}", **options).json()
        if task["status"] not in ("SUBMITTED", "RUNNING"):
            return task
        assert time.monotonic() < deadline, task
        time.sleep(0.2)


@pytest.fixture
def ours(servers):
    return servers["ours"]


@pytest.fixture
def slow_ours(servers):
    return servers["slow_ours"]


@pytest.fixture
def stock(servers):
    """MONAI Label's server over its own store."""
    return servers["slow_stock"]


# Writing outside of the store


def upload_beyond(server, tmp_path) -> Path:
    target = server.studies.parent / f"escaped-{server.studies.name}.png"
    file = {"file": ("image.png", png(tmp_path).read_bytes())}
    ask(server, "PUT", "/datastore/image", params={"image": f"../{target.stem}"}, files=file)
    return target


def test_stock_an_image_is_written_outside_of_the_store(stock, tmp_path):
    assert upload_beyond(stock, tmp_path).is_file()


@pytest.mark.parametrize("name", ["ours", "slow_ours"])
def test_an_image_stays_in_the_store(servers, name, tmp_path):
    assert not upload_beyond(servers[name], tmp_path).exists()
    assert not list(servers[name].studies.parent.rglob(f"escaped-{name}*"))


def label_beyond(server) -> Path:
    beyond = server.studies.parent / f"beyond-{server.studies.name}"
    query = {"image": "hologic", "tag": f"../../{beyond.name}"}
    ask(server, "PUT", "/datastore/label", params=query, files={"label": ("x.json", b"{}")})
    return beyond


def test_stock_a_label_s_tag_names_any_folder(stock):
    assert label_beyond(stock).is_dir()


@pytest.mark.parametrize("name", ["ours", "slow_ours"])
def test_a_label_s_tag_is_a_plain_word(servers, name):
    assert not label_beyond(servers[name]).exists()


def unpack_beyond(server, folder: Path) -> Path:
    target = folder / "unpacked-beyond"
    with tarfile.open(folder / "archive.tar", "w") as archive:
        member = tarfile.TarInfo(str(target))
        archive.addfile(member)
    ask(server, "PUT", "/session/?uncompress=true", files={"files": ("a.tar", (folder / "archive.tar").read_bytes())})
    return target


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python 3.12 warns, 3.14 refuses: tarfile's own filter")
def test_stock_an_archive_is_unpacked_anywhere(stock, tmp_path):
    assert unpack_beyond(stock, tmp_path).exists()


def test_no_archive_is_unpacked(ours, tmp_path):
    assert not unpack_beyond(ours, tmp_path).exists()


# Running a client's code, reading the server's files


def run_code_of_a_client(server, folder: Path) -> Path:
    proof = folder / "proof"
    (folder / "sitecustomize.py").write_text(f"open({str(proof)!r}, 'w').close()\n")
    answer = ask(server, "POST", "/train/slow", json={"bundle_path": str(folder)})
    if answer.status_code == 200:
        ended(server, "train/")
    return proof


def test_stock_the_code_of_a_client_runs(stock, tmp_path):
    assert run_code_of_a_client(stock, tmp_path).exists()


def test_the_code_of_a_client_does_not_run(slow_ours, tmp_path):
    assert not run_code_of_a_client(slow_ours, tmp_path).exists()
    refusal = ask(slow_ours, "POST", "/train/slow", json={"bundle_path": str(tmp_path)})
    assert refusal.status_code == 400
    assert "bundle_path" in refusal.json()["detail"]


def read_any_file(server, tmp_path) -> httpx.Response:
    secret = shutil.copy(next(server.studies.glob("hologic.*")), tmp_path / "secret.png")
    return ask(server, "POST", f"/infer/vertenet?image={secret}&output=json", data={"params": "{}"})


def test_stock_any_file_of_the_server_is_read(servers, tmp_path):
    answer = read_any_file(servers["stock"], tmp_path)
    assert answer.status_code == 200
    assert answer.json()["image"]["name"] == "secret.png"


def test_no_file_outside_of_the_store_is_read(ours, tmp_path):
    assert read_any_file(ours, tmp_path).status_code == 404


# Pages of others, and the open reload


def test_stock_any_origin_is_answered_with_its_credentials(stock):
    headers = ask(stock, "GET", "/info/", headers={"Origin": "https://evil.example", "Cookie": "a=b"}).headers
    assert headers["access-control-allow-origin"] == "https://evil.example"
    assert headers["access-control-allow-credentials"] == "true"


def test_no_other_origin_is_answered(ours):
    answer = ask(ours, "GET", "/info/", headers={"Origin": "https://evil.example", "Cookie": "a=b"})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_stock_anybody_reloads_the_app(stock):
    assert ask(stock, "POST", "/reload").status_code == 200


def test_nobody_reloads_the_app(ours):
    assert ask(ours, "POST", "/reload").status_code == 404


# Errors


WRONG = [
    (404, "/activelearning/tarot", {}),
    (404, "/infer/nobody?image=hologic", {}),
    (400, "/infer/slow", {}),
    (400, "/infer/slow?image=hologic", {"data": {"params": "{"}}),
    (404, "/infer/slow?session_id=nobody", {"data": {"params": "{}"}}),
]


@pytest.mark.parametrize(("status", "path", "options"), WRONG[:-1])
def test_stock_what_is_wrong_is_a_bare_500(stock, status, path, options):
    assert ask(stock, "POST", path, **options).status_code == 500


@pytest.mark.parametrize(("status", "path", "options"), WRONG)
def test_what_is_wrong_is_a_sentence(slow_ours, status, path, options):
    answer = ask(slow_ours, "POST", path, **options)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].endswith(".")


# The store


def submit(server, image: str, content: bytes, name: str) -> httpx.Response:
    return ask(server, "PUT", f"/datastore/label?image={image}&tag=final", files={"label": (name, content)})


def proposal(server) -> bytes:
    return ask(server, "POST", "/infer/vertenet?image=hologic&output=image", data={"params": "{}"}).content


def test_stock_a_label_s_name_gets_part_of_another_name(stock):
    assert submit(stock, "hologic", b"{}", "1.2.840.113.mrk.json").status_code == 200
    assert (stock.studies / "labels" / "final" / "hologic.2.840.113.mrk.json").is_file()


def test_a_label_is_named_after_its_image(ours):
    assert submit(ours, "hologic", proposal(ours), "1.2.840.113.mrk.json").status_code == 200
    files = [path.name for path in (ours.studies / "labels" / "final").iterdir() if path.name.startswith("hologic")]
    assert files == ["hologic.mrk.json"]


def test_stock_an_image_with_dots_in_its_name_loses_most_of_it(stock, tmp_path):
    answer = ask(stock, "PUT", "/datastore/image", files={"file": ("7.7.png", png(tmp_path).read_bytes())})
    assert answer.json() == {"image": "7"}


def test_an_image_keeps_the_dots_in_its_name(guarded_tls, tmp_path):
    server, _, https = guarded_tls
    answer = ask(server, "PUT", "/datastore/image", files={"file": ("7.7.png", png(tmp_path).read_bytes())}, **https)
    assert answer.json() == {"image": "7.7"}


def test_stock_dicom_is_not_listed(stock):
    listed = ask(stock, "GET", "/datastore/?output=all").json()["objects"]
    assert "hologic" in listed
    assert "1.2.840.113619.2" not in listed


def test_dicom_is_listed_and_the_index_is_not(ours):
    listed = ask(ours, "GET", "/datastore/?output=all").json()["objects"]
    assert {"hologic", "1.2.840.113619.2", "old.scan"} <= set(listed)
    assert not [image for image in listed if "datastore" in image]


def test_stock_a_second_label_leaves_nothing_of_the_first(stock):
    submit(stock, "hologic", b'{"first": 1}', "a.json")
    submit(stock, "hologic", b'{"second": 2}', "a.json")
    assert not [path for path in stock.studies.rglob("*") if path.is_file() and b"first" in path.read_bytes()]


def test_a_second_label_leaves_the_first_in_the_history(ours):
    first = proposal(ours)
    moved = json.loads(first)
    moved["markups"][0]["controlPoints"][0]["position"][0] += 1
    for content in (first, json.dumps(moved).encode()):
        assert submit(ours, "hologic", content, "a.mrk.json").status_code == 200
    revisions = ask(ours, "GET", "/datastore/label/history?image=hologic").json()["revisions"]
    before_last = ask(ours, "GET", f"/datastore/label/revision?image=hologic&number={revisions[-2]['number']}")
    assert before_last.content == first


# Strategies and tasks


def test_stock_the_random_strategy_fails_when_all_images_were_just_offered(stock):
    answers = [ask(stock, "POST", "/activelearning/random", json={}).status_code for _ in range(40)]
    assert 500 in answers


def test_stock_the_best_scored_image_is_not_the_one_that_is_offered(stock, tmp_path):
    for image, score in (("low", 0.1), ("high", 0.9)):
        file = {"file": ("x.png", png(tmp_path).read_bytes())}
        ask(stock, "PUT", f"/datastore/image?image={image}", files=file)
        ask(
            stock,
            "PUT",
            f"/datastore/image/info?image={image}",
            data={"info": json.dumps({"epistemic_entropy": score})},
        )
    offered = [ask(stock, "POST", "/activelearning/epistemic", json={}).json()["id"] for _ in range(2)]
    # The strategy is built with k=1: of the one best image it should choose that image again.
    assert offered[0] == "high"
    assert offered[1] != "high"


def test_stock_batch_inference_without_a_gpu_divides_by_zero(stock):
    ask(stock, "POST", "/batch/infer/slow", json={"multi_gpu": True, "gpus": "-1"})
    task = ended(stock, "batch/infer")
    assert task["status"] == "ERROR"
    assert any("ZeroDivisionError" in line for line in task["details"])


def test_batch_inference_without_a_gpu_reads_the_images(slow_ours):
    assert ask(slow_ours, "POST", "/batch/infer/slow", json={"multi_gpu": True}).status_code == 200
    assert ended(slow_ours, "batch/infer")["status"] == "DONE"


# Tokens and TLS


@pytest.fixture(scope="module")
def realm(tmp_path_factory):
    """A realm of single sign-on as far as MONAI Label asks it: its public key. Gives its address and a valid token."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    body = json.dumps({"public_key": base64.b64encode(public).decode()}).encode()

    class Realm(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Realm) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        claims = {
            "preferred_username": "ada",
            "realm_access": {"roles": ["monailabel-user"]},
            "exp": time.time() + 3600,
        }
        yield f"http://127.0.0.1:{server.server_port}", jwt.encode(claims, key, algorithm="RS256")
        server.shutdown()


@pytest.fixture(scope="module")
def more_servers(tmp_path_factory, environment, realm):
    """Over ``slow_app``: MONAI Label's server with its own authentication, and with TLS; ours with tokens and TLS."""
    folder = tmp_path_factory.mktemp("more")
    app = shutil.copytree(SLOW, folder / "app", ignore=shutil.ignore_patterns("__pycache__", "logs"))
    certificate, file = make_certificate(folder), str(folder / "tokens.json")
    files = (str(certificate.file), str(certificate.key))
    studies = {name: folder / name for name in ("jwt", "stock", "ours")}
    for path in studies.values():
        path.mkdir()
        png(path, "a.png")
    secret = tokens.add(file, "ada", "admin")
    context = certificate.context()
    sso = {"MONAI_LABEL_AUTH_ENABLE": "true", "MONAI_LABEL_AUTH_REALM_URI": realm[0]}
    stock_tls = stock_server(studies["stock"], environment, app)
    stock_tls = BackgroundServer(
        [*stock_tls.command, "--conf", "scoring", "true", "--ssl_certfile", files[0], "--ssl_keyfile", files[1]],
        url=stock_tls.url.replace("http:", "https:"),
        environment=environment,
        verify=context,
    )
    ours_tls = our_server(studies["ours"], environment, app)
    ours_tls = BackgroundServer(
        [*ours_tls.command, "--conf", "scoring=true", "--tokens", file, "--tls-cert", files[0], "--tls-key", files[1]],
        environment=environment,
        verify=context,
    )
    started = {"jwt": stock_server(studies["jwt"], {**environment, **sso}, app), "stock": stock_tls, "ours": ours_tls}
    with ThreadPoolExecutor(len(started)) as pool:
        starts = [pool.submit(server.__enter__) for server in started.values()]
    try:
        for start in starts:
            start.result()
        yield started, secret, context
    finally:
        for server, start in zip(started.values(), starts):
            if start.exception() is None:
                server.stop()


@pytest.fixture
def guarded_tls(more_servers):
    """Our server, its admin's token, and the options with which httpx gets in."""
    started, secret, context = more_servers
    return started["ours"], secret, {"verify": context, "headers": {"Authorization": f"Bearer {secret}"}}


def test_stock_a_valid_token_is_refused(more_servers, realm):
    answer = ask(more_servers[0]["jwt"], "GET", "/info/", headers={"Authorization": f"Bearer {realm[1]}"})
    assert answer.status_code in (401, 500)


def test_a_valid_token_is_admitted(guarded_tls):
    server, _, https = guarded_tls
    assert ask(server, "GET", "/info/", **https).status_code == 200


def test_with_a_certificate_nothing_is_said_in_the_clear(guarded_tls):
    server, secret, _ = guarded_tls
    headers = {"Authorization": f"Bearer {secret}"}
    with pytest.raises(httpx.TransportError):
        httpx.get(server.url.replace("https:", "http:") + "/info/", headers=headers, trust_env=False)
    with pytest.raises(httpx.ConnectError):  # a certificate that this client does not trust
        ask(server, "GET", "/info/", headers=headers)


def train(server, **options) -> dict:
    assert ask(server, "POST", "/train/slow", json={}, **options).status_code == 200
    return ended(server, "train/", **options)


def test_stock_under_tls_training_fails_when_it_asks_for_new_scores(more_servers):
    started, _, context = more_servers
    task = train(started["stock"], verify=context)
    assert task["status"] == "ERROR"
    assert any("127.0.0.1" in line or "Connection" in line for line in task["details"])


def test_under_tls_and_with_tokens_training_ends_well(guarded_tls):
    server, _, https = guarded_tls
    assert train(server, **https)["status"] == "DONE"
