"""Labels on their way to a server: on the disk before they are sent, and until the server has them.

A label goes to the store of its image and to no other, whatever answers at the address. It leaves the folder only after
a 200. The server knows a submission by its id and keeps it once, however often it is sent, so a label may be sent again
whenever it is not certain that it arrived, also by two instances of the module at the same time. What a server refuses
for good is kept beside, with the server's sentence.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

from .answers import Receipt, Submission
from .failures import FailureKind, ServerError
from .i18n import _
from .interfaces import Progress, Server
from .patience import patiently
from .records import Records

#: The server looked at this very label and will not take it, today or tomorrow.
_FOR_GOOD = frozenset({FailureKind.REJECTED, FailureKind.CONFLICT, FailureKind.TOO_LARGE})
#: About this label alone, or so it may be: the next one may fare better.
_ABOUT_ONE = frozenset({FailureKind.NOT_FOUND, FailureKind.SERVER_FAULT, FailureKind.MALFORMED})


@dataclass(frozen=True)
class Entry:
    """A label that waits. ``store`` says whose it is (`Origin.store`); ``problem`` why it was refused."""

    name: str
    store: str
    submission: Submission
    problem: str = ""


@dataclass(frozen=True)
class Sent:
    """What became of labels: those that the server has now, those it refused, and why others still wait."""

    accepted: tuple[tuple[Submission, Receipt], ...] = ()
    refused: tuple[Entry, ...] = ()
    failure: Optional[ServerError] = None


class Outbox:
    """The folder of labels on their way.

    Parameters
    ----------
    folder : Path
        Made when needed; instances of the module may share it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._waiting = Records(folder)
        self._refused = Records(folder / "refused")
        #: Files that could not be read and were set aside since the start.
        self.damaged: list[Path] = []
        #: The state of the folder, and the servers that its labels wait for.
        self._counted: tuple[Any, list[str]] = (None, [])

    def add(self, submission: Submission, store: str) -> Entry:
        """Put a label in; once this returns it survives a crash."""
        # The number in front keeps them in order: a later label of the same image must arrive later, also where the
        # computer's clock was put back meanwhile.
        latest = max((_number(name) for name in self._waiting.names()), default=0)
        name = f"{max(time.time_ns(), latest + 1):020d}-{submission.submission_id}"
        entry = Entry(name, store, submission)
        self._waiting.write(name, _to_dict(entry))
        return entry

    def waiting(self, store: Optional[str] = None) -> list[Entry]:
        """Oldest first; those of one server, or all."""
        return [entry for entry in self._entries(self._waiting) if store is None or entry.store == store]

    def count(self, store: Optional[str] = None) -> int:
        """Number of labels that wait for one server, or for any; cheap to ask again and again."""
        stamp = self._waiting.stamp()
        if stamp != self._counted[0]:
            self._counted = (stamp, [entry.store for entry in self.waiting()])
        stores = self._counted[1]
        return len(stores) if store is None else stores.count(store)

    def refused(self) -> list[Entry]:
        """What servers did not take, oldest first."""
        return self._entries(self._refused)

    def holds(self, submission_id: str) -> bool:
        """Whether a label is here: waiting, refused, or damaged. Of one that was added, else: it has arrived."""
        return any(self.folder.rglob(f"*{submission_id}*.json"))

    def path_of_refused(self, entry: Entry) -> Path:
        return self._refused.path(entry.name)

    def send(self, server: Server, store: str, progress: Progress) -> Sent:
        """Send everything that waits for this server, oldest first.

        Raises `jobs.CancelledError` where the user asked to stop; what was not sent by then waits on.
        """
        accepted: list[tuple[Submission, Receipt]] = []
        refused: list[Entry] = []
        failure: Optional[ServerError] = None
        waiting = self.waiting(store)
        if waiting:
            progress.report(_("Sending labels"), 0.0)
            try:
                patiently(progress, server.info)  # is it still the one that they wait for?
            except ServerError as error:
                return Sent(failure=error)
        for number, entry in enumerate(waiting):
            progress.report(_("Sending labels"), number / len(waiting))
            try:
                receipt = patiently(progress, lambda label=entry.submission: server.submit(label))
            except ServerError as error:
                if error.kind in _FOR_GOOD:
                    refused.append(self._refuse(entry, error.sentence))
                    continue
                failure = error
                if error.kind in _ABOUT_ONE:
                    continue
                break
            accepted.append((entry.submission, receipt))
            self._waiting.remove(entry.name)
        return Sent(tuple(accepted), tuple(refused), failure)

    def _refuse(self, entry: Entry, problem: str) -> Entry:
        refused = Entry(entry.name, entry.store, entry.submission, problem)
        # First there, then away: a crash in between leaves it twice, never nowhere.
        self._refused.write(entry.name, _to_dict(refused))
        self._waiting.remove(entry.name)
        return refused

    def _entries(self, records: Records) -> list[Entry]:
        found = []
        for name, content in records.read_all(self.damaged):
            try:
                found.append(_from_dict(name, content))
            except (KeyError, TypeError, ValueError):
                self.damaged.append(records.set_aside(name))
        return found


def _number(name: str) -> int:
    number = name.partition("-")[0]
    return int(number) if number.isdecimal() else 0


def describe_damaged(paths: Sequence[Path]) -> str:
    """A sentence on files that were set aside."""
    names = ", ".join(str(path) for path in paths)
    return _("A file with unsent work is damaged and was set aside; nothing was deleted: {names}").format(names=names)


def _to_dict(entry: Entry) -> dict[str, Any]:
    return {"store": entry.store, "problem": entry.problem, "submission": asdict(entry.submission)}


def _from_dict(name: str, content: Mapping[str, Any]) -> Entry:
    submission = Submission(**content["submission"])
    texts = (submission.submission_id, submission.image_id, submission.tag, submission.markups, content["store"])
    if not all(isinstance(text, str) and text for text in texts):
        raise ValueError("something in it is empty")
    return Entry(name, content["store"], submission, str(content["problem"]))
