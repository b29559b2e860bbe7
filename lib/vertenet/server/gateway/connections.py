"""Open connections: how many there may be, how long one may say nothing, and which goes when another one comes.

uvicorn gives a client that never asks anything all the time in the world, and under TLS knows nothing of a connection
before its handshake is done. A thousand of them take every file descriptor of the process, and nobody is answered.
So they are counted where they are accepted.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from uvicorn.protocols.http.h11_impl import H11Protocol

#: Well below the 1024 file descriptors that a process mostly has: the database and images need some as well.
MOST = 512
#: From the connection, or the answer before, until the handshake and the head of a request are here, seconds.
HEAD_S = 15.0
#: Between two pieces of a request's body, and for all of it, seconds.
PIECE_S, BODY_S = 30.0, 900.0
#: So many may be on their way out before further ones are accepted: each has its file descriptor until the loop turns.
_CLOSING = 32
_LOOK_S = 1.0


class Phase(Enum):
    """What a connection is doing; only those that wait for a request are closed for another one's sake."""

    WAITING = "waits for a request"
    RECEIVING = "receives a request's body"
    ANSWERING = "is being answered"
    CLOSING = "was told to close"


@dataclass
class _Open:
    connection: _Connection
    number: int
    phase: Phase
    since: float
    heard: float


class Connections:
    """The open connections of one server; used from the event loop's thread alone.

    Parameters
    ----------
    most : int
        How many there may be. Where there are as many, a new one takes the place of the one that has been waiting for
        a request longest; where none waits, the new one is closed.
    head_s, piece_s, body_s : float
        See `HEAD_S`, `PIECE_S`, `BODY_S`.
    clock : callable
        Seconds, monotonic.
    """

    def __init__(
        self,
        most: int = MOST,
        head_s: float = HEAD_S,
        piece_s: float = PIECE_S,
        body_s: float = BODY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._head_s, self._piece_s, self._body_s, self._clock = most, head_s, piece_s, body_s, clock
        self._open: dict[int, _Open] = {}
        #: The numbers of those that wait for a request, whoever waits longest first.
        self._waiting: dict[int, None] = {}
        self._closing = 0

    def __len__(self) -> int:
        return len(self._open)

    def listener(self, bound: socket.socket) -> socket.socket:
        """``bound``, whose accepted connections are counted; ``bound`` itself is of no use afterwards."""
        return _Listener(self, bound)

    def protocol(self) -> type[H11Protocol]:
        """The protocol class by which uvicorn tells what its connections do."""
        return type("Protocol", (_Protocol,), {"open_connections": self})

    async def watch(self) -> None:
        """Close those that take too long, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_S)
            self.expire()

    def expire(self) -> None:
        """Close those that take too long."""
        now = self._clock()
        for one in list(self._open.values()):
            slow_head = one.phase is Phase.WAITING and now - one.since > self._head_s
            slow_body = one.phase is Phase.RECEIVING and (
                now - one.heard > self._piece_s or now - one.since > self._body_s
            )
            if slow_head or slow_body:
                self._close(one)

    def is_congested(self) -> bool:
        """Whether the loop has to turn before another connection can be accepted."""
        return self._closing >= _CLOSING

    def admit(self, connection: _Connection) -> bool:
        """Count a new connection; False where there is no place for it."""
        if len(self._open) - self._closing >= self._most:
            if not self._waiting:
                return False
            self._close(self._open[next(iter(self._waiting))])
        now, number = self._clock(), connection.fileno()
        self._open[number] = _Open(connection, number, Phase.WAITING, now, now)
        self._waiting[number] = None
        return True

    def tell(self, number: int, phase: Phase) -> None:
        """What the connection of this file descriptor does now; said anew with every piece that comes."""
        one = self._open.get(number)
        if one is not None and one.phase is not Phase.CLOSING:
            one.heard = self._clock()
            if one.phase is not phase:
                one.phase, one.since = phase, one.heard
                self._waiting.pop(number, None)
                if phase is Phase.WAITING:
                    self._waiting[number] = None

    def forget(self, number: int) -> None:
        one = self._open.pop(number, None)
        self._waiting.pop(number, None)
        if one is not None and one.phase is Phase.CLOSING:
            self._closing -= 1

    def _close(self, one: _Open) -> None:
        if one.phase is Phase.CLOSING:
            return
        one.phase = Phase.CLOSING
        self._waiting.pop(one.number, None)
        self._closing += 1
        # The loop sees the end of the stream, under TLS too, and puts everything away in its own order.
        with suppress(OSError):
            one.connection.shutdown(socket.SHUT_RDWR)


class _Connection(socket.socket):
    connections: Connections | None = None

    def close(self) -> None:
        if self.connections is not None:
            self.connections.forget(self.fileno())
            self.connections = None
        super().close()


class _Listener(socket.socket):
    """asyncio accepts by ``accept`` (but not on Windows, whose completion ports are limited by memory alone)."""

    def __init__(self, connections: Connections, bound: socket.socket) -> None:
        super().__init__(bound.family, bound.type, bound.proto, fileno=bound.detach())
        self._connections = connections
        if hasattr(socket, "TCP_DEFER_ACCEPT"):  # Linux: who says nothing does not even get here
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, int(HEAD_S))

    def accept(self) -> tuple[socket.socket, object]:
        if self._connections.is_congested():
            raise BlockingIOError  # asyncio comes again in the next turn of its loop
        number, address = self._accept()
        connection = _Connection(self.family, self.type, self.proto, fileno=number)
        if not self._connections.admit(connection):
            connection.close()
            raise BlockingIOError
        connection.connections = self._connections
        return connection, address


class _Protocol(H11Protocol):
    open_connections: Connections

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._number = transport.get_extra_info("socket").fileno()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._tell()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._tell()

    def _tell(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            # Pieces of a head are no progress: one that never ends would wait for ever.
            phase = Phase.WAITING
        else:
            phase = Phase.RECEIVING if self.cycle.more_body else Phase.ANSWERING
        self.open_connections.tell(self._number, phase)
