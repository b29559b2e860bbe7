"""The connection of a session: made, lost and found again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional, TypeVar

from .answers import Origin, ServerInfo
from .board import Board
from .connection import Connection
from .failures import FailureKind, ServerError
from .i18n import _
from .interfaces import Progress, Server, Unsubscribe
from .jobs import Jobs
from .patience import patiently

T = TypeVar("T")
#: How often a server that is gone is looked for.
RECONNECT_S = 5.0
_GONE = frozenset({FailureKind.REFUSED, FailureKind.TIMEOUT})


class Link:
    """One server at a time, and whether it can be reached.

    Parameters
    ----------
    jobs, board
    connect : callable
        Makes a server of a connection, without asking it anything.
    found : callable
        Called in the main thread when a server that was lost answers again.
    replaced : callable
        Called when another store answers at the address; the connection has ended then.
    reconnect_s : float
        How often it is looked for.
    """

    def __init__(
        self,
        jobs: Jobs,
        board: Board,
        connect: Callable[[Connection], Server],
        found: Callable[[], None],
        replaced: Callable[[], None],
        reconnect_s: float = RECONNECT_S,
    ) -> None:
        self.connection: Optional[Connection] = None
        self.info: Optional[ServerInfo] = None
        self.online = False
        self._jobs, self._board, self._connect = jobs, board, connect
        self._found, self._replaced = found, replaced
        self._reconnect_s = reconnect_s
        self._server: Optional[Server] = None
        self._look_again: Optional[Unsubscribe] = None

    @property
    def store(self) -> str:
        """Name under which work for this server is kept; empty without a connection."""
        if self.connection is None:
            return ""
        return (self.info and self.info.store) or self.connection.store

    def origin(self, image_id: str) -> Origin:
        """That of an image of this server which was not seen yet."""
        return Origin(self.store, image_id, server="" if self.connection is None else self.connection.store)

    def open(self, connection: Connection, done: Callable[[], None]) -> None:
        """Connect; an earlier connection ends first."""
        self.close()
        server = self._connect(connection)

        def connected(info: ServerInfo) -> None:
            self._server, self.connection = server, connection
            self._reached(info)
            done()

        label = _("Connecting to {url}").format(url=connection.url)
        self._jobs.start(label, lambda _progress: server.info(), connected, self._board.fail)

    def close(self) -> None:
        self._stop_looking()
        if self._server is not None:
            self._server.close()
        self._server = self.connection = self.info = None
        self.online = False

    def run(
        self,
        label: str,
        work: Callable[[Server, Progress], T],
        done: Callable[[T], None],
        failed: Optional[Callable[[Exception], None]] = None,
        *,
        quiet: bool = False,
    ) -> None:
        """Ask the server something in the background; a busy server is waited for.

        A failure is shown, unless the job is quiet; a server that is gone is looked for from then on.
        """
        server, connection = self._server, self.connection
        if server is None:
            return

        def deliver(result: Any) -> None:
            if self.connection is connection:  # else it is of a server that the user has left meanwhile
                done(result)

        def fail(error: Exception) -> None:
            if self.connection is not connection:
                return
            self.noticed(error)
            if failed is not None:
                failed(error)
            elif not quiet or self.connection is None:
                self._board.fail(error)

        def ask(progress: Progress) -> T:
            return patiently(progress, lambda: work(server, progress))

        self._jobs.start(label, ask, deliver, fail, quiet=quiet)

    def refresh(self, done: Optional[Callable[[], None]] = None) -> None:
        """Ask quietly how many images are left, and which model is served."""

        def came(info: ServerInfo) -> None:
            was_online = self.online
            self._reached(info)
            if done is not None:
                done()
            if not was_online:
                self._found()

        self.run(_("Asking the server"), lambda server, _progress: server.info(), came, quiet=True)

    def noticed(self, error: Exception) -> None:
        """Look for the server from now on, if this error says that it is gone; leave it, if it is another one."""
        kind = error.kind if isinstance(error, ServerError) else None
        if kind in _GONE:
            self._lost()
        elif kind is FailureKind.MISDIRECTED:
            self.close()
            self._replaced()

    def _reached(self, info: ServerInfo) -> None:
        self._stop_looking()
        self.info, self.online = info, True
        self._board.changed()

    def _lost(self) -> None:
        self.online = False
        self._stop_looking()
        self._look_again = self._jobs.after(self._reconnect_s, self.refresh)
        self._board.changed()

    def _stop_looking(self) -> None:
        if self._look_again is not None:
            self._look_again()
            self._look_again = None
