"""Unfinished work, one file for each image, kept until its label has arrived."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Optional

from .records import Records
from .work import Work


@dataclass(frozen=True)
class Draft:
    """Work that was kept. ``changed`` is local time in ISO 8601, ``submitted`` the id of a submission that holds it."""

    key: str
    image_name: str
    changed: str
    submitted: str = ""


class Drafts:
    """The folder of drafts."""

    def __init__(self, folder: Path) -> None:
        self._records = Records(folder)
        #: Files that could not be read and were set aside since the start.
        self.damaged: list[Path] = []
        #: Drafts that were listed, by key, with the state of their files then: to read one takes 50 ms.
        self._listed: dict[str, tuple[tuple[int, int], Draft]] = {}

    def save(self, work: Work) -> None:
        """Keep the work on an image, in the place of what was kept of it before."""
        self._records.write(work.key, work.to_dict())

    def get(self, key: str) -> Optional[Work]:
        """None where there is none, or where it was damaged and is set aside now."""
        try:
            content = self._records.read(key)
            return None if content is None else Work.from_dict(content)
        except ValueError:
            self.damaged.append(self._records.set_aside(key))
            return None

    def remove(self, key: str) -> None:
        """What cannot be removed now is not needed either; it is looked at again with the next list."""
        with suppress(OSError):
            self._records.remove(key)

    def all(self) -> list[Draft]:
        """Newest first."""
        listed = {}
        for key in self._records.names():
            try:
                file = self._records.path(key).stat()
            except FileNotFoundError:
                continue
            stamp = file.st_mtime_ns, file.st_size
            known = self._listed.get(key)
            if known is None or known[0] != stamp:
                work = self.get(key)
                if work is None:
                    continue
                moment = datetime.fromtimestamp(file.st_mtime).astimezone().isoformat(timespec="seconds")
                known = stamp, Draft(key, work.name, moment, work.submitted)
            listed[key] = known
        self._listed = listed
        return [draft for _stamp, draft in sorted(listed.values(), key=lambda pair: pair[0], reverse=True)]
