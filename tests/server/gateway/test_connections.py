"""Idle and slow connections to a real uvicorn on 127.0.0.1, in the clear and under TLS."""

from __future__ import annotations

import logging
import socket
import threading
import time
from contextlib import ExitStack, contextmanager

import httpx
import pytest
import uvicorn

from tests.e2e.certificates import make_certificate
from vertenet.server.flood import FloodFilter
from vertenet.server.gateway.connections import Connections


async def app(scope, receive, send):
    """Takes the whole body, then answers with its length."""
    if scope["type"] != "http":
        return
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


class _Server(uvicorn.Server):
    """As `vertenet serve` runs it."""

    connections: Connections

    async def main_loop(self):
        import asyncio

        watching = asyncio.create_task(self.connections.watch())
        await super().main_loop()
        watching.cancel()


@contextmanager
def serving(connections: Connections, certificate=None):
    bound = socket.create_server(("127.0.0.1", 0))
    port = bound.getsockname()[1]
    tls = {"ssl_certfile": certificate.file, "ssl_keyfile": certificate.key} if certificate else {}
    config = uvicorn.Config(app, http=connections.protocol(), log_level="warning", lifespan="off", **tls)
    server = _Server(config)
    server.connections = connections
    thread = threading.Thread(target=server.run, kwargs={"sockets": [connections.listener(bound)]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join(30)


@pytest.fixture(params=["plain", "TLS"])
def certificate(request, tmp_path):
    return make_certificate(tmp_path) if request.param == "TLS" else None


def ask(port: int, certificate, **options) -> httpx.Response:
    scheme, verify = ("https", certificate.context()) if certificate else ("http", True)
    return httpx.request("POST", f"{scheme}://127.0.0.1:{port}/", verify=verify, trust_env=False, timeout=30, **options)


def begun(port: int, certificate=None) -> socket.socket:
    """A connection that says one byte: one that says nothing is kept by Linux, and costs the server nothing."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(b"\x16" if certificate else b"G")
    return connection


def drip(connection: socket.socket, seconds: float) -> None:
    """Letters of a request line that never ends."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        connection.sendall(b"G")
        time.sleep(0.2)


def is_closed(connection: socket.socket, within_s: float) -> bool:
    connection.settimeout(within_s)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def test_13_idle_connections_give_way_to_whoever_asks(certificate):
    connections = Connections(most=40)
    with serving(connections, certificate) as port, ExitStack() as idle:
        opened = [idle.enter_context(begun(port, certificate)) for _ in range(150)]
        assert ask(port, certificate).status_code == 200
        assert len(connections) <= 40 + 32
        assert is_closed(opened[0], 10)
        assert not is_closed(opened[-1], 0.2)


def test_13_a_head_that_never_ends_and_a_body_that_stops_are_ended(certificate):
    connections = Connections(head_s=1.5, piece_s=1.5)
    with serving(connections, certificate) as port, ExitStack() as held:

        def connect() -> socket.socket:
            plain = held.enter_context(socket.create_connection(("127.0.0.1", port)))
            if certificate is None:
                return plain
            return held.enter_context(certificate.context().wrap_socket(plain, server_hostname="127.0.0.1"))

        silent = held.enter_context(begun(port, certificate))  # under TLS: no handshake
        dripping, stopping = connect(), connect()
        stopping.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc")
        with pytest.raises(OSError):  # noqa: PT011 (the end of a stream has many names, under TLS above all)
            drip(dripping, 60)
        assert is_closed(silent, 30)
        assert is_closed(stopping, 30)
        assert len(connections) == 0


def test_a_long_upload_and_a_connection_that_is_used_again_are_left_alone(certificate):
    connections = Connections(head_s=1.0, piece_s=1.0)
    with serving(connections, certificate) as port:

        def pieces():
            for _ in range(8):
                yield b"x" * 1000
                time.sleep(0.4)

        assert ask(port, certificate, content=pieces()).text == "8000"
        scheme, verify = ("https", certificate.context()) if certificate else ("http", True)
        with httpx.Client(base_url=f"{scheme}://127.0.0.1:{port}", verify=verify, trust_env=False) as client:
            assert [client.post("/", content=b"x" * n).text for n in range(3)] == ["0", "1", "2"]


def test_where_everybody_is_being_served_nobody_is_pushed_out():
    connections = Connections(most=3)
    with serving(connections) as port, ExitStack() as held:
        busy = [held.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(3)]
        for connection in busy:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
        time.sleep(0.5)
        assert is_closed(held.enter_context(begun(port)), 10)
        for connection in busy:
            connection.sendall(b"abc")
            assert connection.recv(15).startswith(b"HTTP/1.1 200")


def test_13_a_log_line_that_comes_again_and_again_is_counted_instead():
    now = [0.0]
    written: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record):
            written.append(record.getMessage())

    log, handler = logging.getLogger("flooded"), Handler()
    log.propagate = False
    handler.addFilter(FloodFilter(most=3, window_s=60, clock=lambda: now[0]))
    log.addHandler(handler)

    def say(number: int) -> None:
        log.warning("connection %d is odd", number)

    for number in range(10):
        say(number)
    log.warning("another place")
    now[0] = 61.0
    say(10)
    assert written == [
        *(f"connection {n} is odd" for n in range(3)),
        "another place",
        "connection 10 is odd (and 7 more like this since the last one)",
    ]
