"""Retraining on the server as a session follows it: how far a round is, what the gate said, which versions exist."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Optional

from .answers import ModelVersion, TrainingProgress
from .board import Board
from .failures import FailureKind, ServerError
from .i18n import _
from .interfaces import Server, Unsubscribe
from .jobs import Jobs
from .link import Link

POLL_S = 3.0
#: How long a round may take from its start to its first word: a process begins, and imports torch.
BEGIN_S = 90.0


class TrainingWatch:
    """Looks every few seconds while a round runs, and once when asked."""

    def __init__(self, jobs: Jobs, board: Board, link: Link, poll_s: float = POLL_S) -> None:
        self.progress: Optional[TrainingProgress] = None
        self.versions: tuple[ModelVersion, ...] = ()
        self._jobs, self._board, self._link, self._poll_s = jobs, board, link, poll_s
        self._next: Optional[Unsubscribe] = None
        #: Start of the round before the one that was asked for, and until when that one may be silent.
        self._before, self._give_up = 0.0, 0.0

    @property
    def is_running(self) -> bool:
        return self.progress is not None and self.progress.is_running

    def look(self) -> None:
        """Ask quietly; goes on by itself while a round runs."""
        self.rest()
        self._link.run(_("Looking at the training"), _look, self._seen, self._missed, quiet=True)

    def begun(self) -> None:
        """A round was started a moment ago, whatever the server said of the one before."""
        self._before = 0.0 if self.progress is None else self.progress.started
        self._give_up = time.monotonic() + BEGIN_S
        self.progress = TrainingProgress("running")
        self._board.inform(_("The training has begun; you can go on meanwhile."))
        self._next = self._jobs.after(self._poll_s, self.look)

    def stopped(self) -> None:
        """A round was ended, perhaps before its first word."""
        self._give_up = 0.0
        self.look()

    def look_at_versions(self) -> None:
        self._link.run(_("Looking at the versions"), _versions, self._listed, quiet=True)

    def rest(self) -> None:
        """Look no more until asked."""
        if self._next is not None:
            self._next()
            self._next = None

    def forget(self) -> None:
        """The server is another one, or none."""
        self.rest()
        self.progress, self.versions = None, ()

    def _seen(self, progress: TrainingProgress) -> None:
        if progress.started == self._before and not progress.is_running and time.monotonic() < self._give_up:
            self._next = self._jobs.after(self._poll_s, self.look)  # the server still tells of the round before
            return
        was_running, self.progress, self._give_up = self.is_running, progress, 0.0
        if progress.is_running:
            self._next = self._jobs.after(self._poll_s, self.look)
        elif was_running:
            self._ended(progress)
        self._board.changed()

    def _missed(self, _error: Exception) -> None:
        """A lost connection ends no training: look again, whoever finds the server first."""
        if self.is_running:
            self._next = self._jobs.after(self._poll_s, self.look)

    def _ended(self, progress: TrainingProgress) -> None:
        text = progress.message or _("The training has ended.")
        if progress.state == "done" and progress.published:
            self._board.inform(_("A new version of the model is served. {verdict}").format(verdict=text))
        else:
            self._board.warn(_("The served model stays as it is. {verdict}").format(verdict=text))
        self.look_at_versions()
        self._link.refresh()

    def _listed(self, versions: Sequence[ModelVersion]) -> None:
        self.versions = tuple(versions)
        self._board.changed()


def _look(server: Server, _progress: object) -> TrainingProgress:
    return server.training()


def _versions(server: Server, _progress: object) -> Sequence[ModelVersion]:
    try:
        return server.versions()
    except ServerError as error:
        if error.kind is FailureKind.OLD_VERSION:
            return ()
        raise
