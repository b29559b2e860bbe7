"""A label server that misbehaves on purpose: it passes requests on to a real one until it is told to fail."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_HOP = frozenset({"connection", "transfer-encoding", "keep-alive", "host"})


@dataclass(frozen=True)
class Fault:
    """What is answered in the place of the real server.

    Attributes
    ----------
    status, body, headers
        The answer.
    cut : int, optional
        The body ends after so many bytes, though the header promises all of it.
    drop : bool
        The connection ends without an answer.
    after : bool
        The real server carries the request out first.
    half : bool
        The real server gets half of the request first.
    silent_s : float
        No answer for so long.
    meanwhile : callable, optional
        Called while the client waits, after the real server got what it gets.
    replace : (bytes, bytes), optional
        The real answer with one text exchanged for another.
    """

    status: int = 200
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    cut: int | None = None
    drop: bool = False
    after: bool = False
    half: bool = False
    silent_s: float = 0.0
    meanwhile: Callable[[], None] | None = None
    replace: tuple[bytes, bytes] | None = None


def problem(status: int, sentence: str, **headers: str) -> Fault:
    """A refusal as the server words it (RFC 9457)."""
    body = f'{{"type": "about:blank", "title": "x", "status": {status}, "detail": "{sentence}"}}'
    return Fault(status, body.encode(), {"Content-Type": "application/problem+json", **headers})


class FaultServer:
    """A server on a free loopback port before the one at ``url``.

    Attributes
    ----------
    fault : Fault or None
        None: everything is passed on.
    times : int or None
        How many requests the fault is for; None: all.
    next : list of Fault
        For the next requests, one each, before ``fault`` has its turn.
    only : str
        Requests to other paths are passed on.
    seen : list of (method, path, headers)
    """

    def __init__(self, url: str = "") -> None:
        self.target = urlsplit(url)
        self.fault: Fault | None = None
        self.times: int | None = None
        self.next: list[Fault] = []
        self.only = ""
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                with suppress(OSError):  # a client that has given up
                    owner._answer(self)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FaultServer:
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        self.seen.append((handler.command, handler.path, dict(handler.headers)))
        fault = self._take(handler.path)
        if fault is None:
            self._send(handler, *self._real(handler, body))
            return
        if fault.after:
            self._real(handler, body)
        held = self._half(handler, body) if fault.half else None
        if fault.meanwhile is not None:
            fault.meanwhile()
        if held is not None:
            held.close()
        time.sleep(fault.silent_s)
        if fault.drop:
            handler.close_connection = True
            return
        if fault.replace is not None or (fault.cut is not None and not fault.body):
            status, headers, content = self._real(handler, body)
            content = content.replace(*fault.replace) if fault.replace else content
        else:
            status, headers, content = fault.status, dict(fault.headers), fault.body
        self._send(handler, status, headers, content, fault.cut)

    def _take(self, path: str) -> Fault | None:
        if self.next and path.startswith(self.only):
            return self.next.pop(0)
        if self.fault is None or not path.startswith(self.only) or self.times == 0:
            return None
        if self.times is not None:
            self.times -= 1
        return self.fault

    def _real(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.target.hostname, self.target.port, timeout=60)
        headers = {name: value for name, value in handler.headers.items() if name.lower() not in _HOP}
        connection.request(handler.command, handler.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        passed = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP | {"content-length"}}
        return answer.status, passed, content

    def _half(self, handler: BaseHTTPRequestHandler, body: bytes) -> http.client.HTTPConnection:
        """A connection to the real server that has sent half of a request."""
        connection = http.client.HTTPConnection(self.target.hostname, self.target.port, timeout=60)
        connection.putrequest(handler.command, handler.path, skip_host=True, skip_accept_encoding=True)
        for name, value in handler.headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(body[: len(body) // 2])
        return connection

    def _send(
        self, handler: BaseHTTPRequestHandler, status: int, headers: dict, content: bytes, cut: int | None = None
    ) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[:cut])
        if cut is not None:
            handler.close_connection = True
