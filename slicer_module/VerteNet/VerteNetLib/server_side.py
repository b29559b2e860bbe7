"""The part of a session that deals with which server there is: one of a clinic's, or one of this computer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Union

from vertenet.errors import VerteNetError

from .connection import Connection
from .i18n import _
from .identity import annotator_name
from .local_server import PROGRAM_KEY, LocalServer, find_program
from .session_state import SessionState
from .states import Action
from .words import about_connection

#: Keys of the user's settings.
URL_KEY, TOKEN_KEY, CERTIFICATE_KEY = "server/url", "server/token", "server/certificate"


class ServerSide(SessionState):
    """Connects and disconnects; see `session.Session`."""

    def connect(self, url: str, token: str = "", verify: Union[bool, str] = True) -> None:
        """Connect, and keep address and token in the settings once that worked."""

        def remember() -> None:
            self.settings.set(URL_KEY, url)
            self.settings.set(TOKEN_KEY, token)
            self.settings.set(CERTIFICATE_KEY, verify if isinstance(verify, str) else "")

        self._connect(url, token, verify, "", remember)

    def disconnect(self) -> None:
        if self._may(Action.DISCONNECT):
            self._watch.forget()
            self._prefetch.forget()
            self._link.close()
            self._board.inform(_("Not connected."))

    def start_local_server(self, studies: Path) -> None:
        """Serve a folder of images from this computer, and connect to that."""
        if not self._may(Action.START_SERVER):
            return
        studies = Path(studies).resolve()
        local = LocalServer(find_program(self.settings.get(PROGRAM_KEY)) or "", studies)
        self._local = local

        def started(url: str) -> None:
            self._connect(url, "", True, f"folder:{studies}", lambda: None)

        self.jobs.start(_("Starting the server on this computer"), local.start, started, self._board.fail)

    def stop_local_server(self) -> None:
        if not self._may(Action.STOP_SERVER):
            return
        local, self._local = self._local, None
        self._watch.forget()
        self._link.close()

        def stopped(_nothing: None) -> None:
            self._board.inform(_("The server on this computer was stopped."))

        self.jobs.start(_("Stopping the server"), lambda _progress: local.stop(), stopped, self._board.fail)

    def refresh(self) -> None:
        """Ask the server quietly how things stand."""
        self._link.refresh()
        self._watch.look()
        self._watch.look_at_versions()

    def cancel(self) -> None:
        """Stop what runs in the foreground."""
        self.jobs.cancel()

    def _may(self, action: Action) -> bool:
        if self.allows(action):
            return True
        self._board.warn(_("That is not possible now: {action}.").format(action=action))
        return False

    def _connect(
        self, url: str, token: str, verify: Union[bool, str], store: str, connected: Callable[[], None]
    ) -> None:
        if not self._may(Action.CONNECT):
            return
        self._watch.forget()
        self._prefetch.forget()
        try:
            connection = Connection(url, token, verify, annotator_name(self.settings), store)
        except VerteNetError as error:
            self._board.fail(error)
            return

        def done() -> None:
            connected()
            self._board.show(about_connection(self._link.info))
            self._watch.look()
            self._watch.look_at_versions()
            self._post.send_quietly()

        self._link.open(connection, done)
