"""The record of a run: one line of JSON an image, on the disk before the next image counts as done.

A process that is killed leaves at most a torn last line, which is cut off when the run goes on; every whole line is an
image that is never read again. A later line of the same image replaces an earlier one (a failed image tried again).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .reader import Outcome


@dataclass(frozen=True)
class Entry:
    """Where the record of an image begins in the file, where its results went, and whether it failed."""

    offset: int
    place: str
    failed: bool


class Journal:
    """The file, open to be appended to; use it as a context. Only one process may have it open.

    Attributes
    ----------
    entries : dict of str to Entry
        The last record of every image, by path. The records themselves stay on the disk.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[str, Entry] = {}
        self._file = path.open("a+b")
        self._mend()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exception) -> None:
        self._file.close()

    def append(self, outcome: Outcome) -> None:
        """Add the record of an image; it is on the disk when this returns."""
        record = {
            "path": outcome.path,
            "place": outcome.place,
            "failed": outcome.failed,
            "files": sorted(outcome.files),
            "row": {name: value for name, value in outcome.row.items() if value is not None},
            "landmarks": outcome.landmarks,
        }
        line = json.dumps(record, default=float).encode("ascii") + b"\n"
        offset = self._file.seek(0, os.SEEK_END)
        self._file.write(line)
        self._file.flush()
        os.fsync(self._file.fileno())
        self.entries[outcome.path] = Entry(offset, outcome.place, outcome.failed)

    def records(self, paths: Iterable[str] | None = None) -> Iterator[dict]:
        """The last record of each image of ``paths`` (all without), read from the disk one after another."""
        with self.path.open("rb") as file:
            for path in self.entries if paths is None else paths:
                file.seek(self.entries[path].offset)
                yield json.loads(file.readline())

    def _mend(self) -> None:
        """Find every whole record; cut off what a killed process left of one behind the last of them."""
        self._file.seek(0)
        whole = 0
        for line in self._file:
            record = _parsed(line)
            if record is not None:
                self.entries[record["path"]] = Entry(whole, record["place"], record["failed"])
            elif not line.endswith(b"\n"):
                break
            whole += len(line)
        self._file.truncate(whole)


def _parsed(line: bytes) -> dict | None:
    """The record of a line; None where it is torn or otherwise none, and its image is read again."""
    try:
        record = json.loads(line)
        return record if line.endswith(b"\n") and {"path", "place", "failed", "row"} <= set(record) else None
    except (ValueError, TypeError, RecursionError):
        return None
