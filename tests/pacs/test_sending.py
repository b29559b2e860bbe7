"""Sending: to a real storage SCP and a real Orthanc; an archive that is down, refuses or asks for a password."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread
from pynetdicom import AE, evt
from pynetdicom.sop_class import ComprehensiveSRStorage, GrayscaleSoftcopyPresentationStateStorage

from tests.e2e.orthanc import Orthanc
from tests.report.dicom_cases import case
from tests.tools import needs
from vertenet.errors import ImageReadError, OptionError
from vertenet.pacs import SendState, parse_destination, send
from vertenet.report.dicom import write_dicom_results


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> list[Path]:
    """Two structured reports with their presentation states."""
    folder = tmp_path_factory.mktemp("results")
    cases = [case(folder, name, "CR", "none", "right", name) for name in ("whole", "unsure")]
    return [path for one in cases for path in write_dicom_results(one.image, one.reading, folder, one.name)]


@pytest.fixture
def archive() -> Iterator[dict]:
    """A storage SCP; ``status`` is what it answers, ``kept`` what it was sent."""
    found: dict = {"status": 0x0000, "kept": []}

    def keep(event):
        found["kept"].append(str(event.dataset.SOPInstanceUID))
        return found["status"]

    entity = AE("ARCHIVE")
    for kind in (ComprehensiveSRStorage, GrayscaleSoftcopyPresentationStateStorage):
        entity.add_supported_context(kind)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, keep)])
    found["to"] = f"ARCHIVE@127.0.0.1:{server.socket.getsockname()[1]}"
    yield found
    server.shutdown()


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_c_store_keeps_every_file(results, archive):
    sent = send(results, parse_destination(archive["to"]))
    assert [one.state for one in sent] == [SendState.STORED] * 4
    assert archive["kept"] == [dcmread(path).SOPInstanceUID for path in results]


def test_an_archive_that_keeps_nothing_is_said_to_refuse(results, archive):
    archive["status"] = 0xA700
    sent = send(results[:2], parse_destination(archive["to"]))
    assert {one.state for one in sent} == {SendState.REFUSED}
    assert "A700H" in sent[0].reason


def test_a_warning_is_kept_all_the_same(results, archive):
    archive["status"] = 0xB000
    assert {one.state for one in send(results[:2], parse_destination(archive["to"]))} == {SendState.STORED}


@pytest.mark.parametrize("form", ["http://127.0.0.1:{port}/dicom-web", "ARCHIVE@127.0.0.1:{port}"])
def test_an_archive_that_is_down_is_named_and_nothing_else_is_tried(results, form):
    to = form.format(port=unused_port())
    sent = send(results, parse_destination(to), timeout_s=5)
    assert {one.state for one in sent} == {SendState.UNREACHABLE}
    assert all(one.reason == f"nobody answers at {to}" for one in sent)
    assert all(path.is_file() for path in results)


def test_a_server_that_is_no_archive_is_said_to_refuse(results, page_server):
    sent = send(results[:2], parse_destination(f"{page_server}/dicom-web"), timeout_s=10)
    assert {one.state for one in sent} == {SendState.REFUSED}


@pytest.fixture
def page_server() -> Iterator[str]:
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<html>welcome</html>")

        def log_message(self, *_) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_what_is_no_dicom_file_stops_all_before_anything_is_sent(results, archive, tmp_path):
    other = tmp_path / "x.sr.dcm"
    other.write_bytes(b"no")
    with pytest.raises(ImageReadError, match=r"x\.sr\.dcm"):
        send([results[0], other], parse_destination(archive["to"]))
    assert archive["kept"] == []


@pytest.mark.parametrize("text", ["ftp://x", "pacs:104", "A@b", "TITLE_OF_SEVENTEEN@b:1", "A@b:70000", "https://"])
def test_a_destination_is_an_address_or_an_entity(text):
    with pytest.raises(OptionError):
        parse_destination(text)


def test_a_password_is_taken_from_the_environment_alone(monkeypatch):
    monkeypatch.setenv("VERTENET_PACS_USER", "anna")
    monkeypatch.setenv("VERTENET_PACS_PASSWORD", "secret")
    found = parse_destination("https://pacs/dicom-web/")
    assert (found.url, found.user, found.password) == ("https://pacs/dicom-web", "anna", "secret")
    assert "secret" not in f"{found!r}{found}"
    with pytest.raises(OptionError, match="must not hold a user"):
        parse_destination("https://anna:secret@pacs/dicom-web")


@needs("Orthanc")
def test_orthanc_keeps_and_finds_what_it_is_sent_twice_once(results, tmp_path, monkeypatch):
    with Orthanc(tmp_path / "pacs", users={"anna": "secret"}) as pacs:
        anonymous = send(results, parse_destination(pacs.dicomweb))
        assert {one.state for one in anonymous} == {SendState.UNAUTHORIZED}
        assert "VERTENET_PACS_USER" in anonymous[0].reason
        monkeypatch.setenv("VERTENET_PACS_USER", "anna")
        monkeypatch.setenv("VERTENET_PACS_PASSWORD", "secret")
        for _ in range(2):
            assert {one.state for one in send(results, parse_destination(pacs.dicomweb))} == {SendState.STORED}
        by_store = parse_destination(f"ORTHANC@127.0.0.1:{pacs.dicom_port}")
        assert {one.state for one in send(results, by_store)} == {SendState.STORED}
        pacs.stop()
        assert {one.state for one in send(results, parse_destination(pacs.dicomweb))} == {SendState.UNREACHABLE}
        pacs.users = None
        pacs.start()
        assert {one.state for one in send(results, parse_destination(pacs.dicomweb))} == {SendState.STORED}
        from dicomweb_client import DICOMwebClient
        from requests import Session

        session = Session()
        session.auth = ("anna", "secret")
        found = DICOMwebClient(pacs.dicomweb, session=session).search_for_instances()
        assert {one["00080018"]["Value"][0] for one in found} == {dcmread(path).SOPInstanceUID for path in results}
        assert len(found) == 4
