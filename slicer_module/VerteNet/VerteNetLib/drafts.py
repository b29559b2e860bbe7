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
        found = []
        for key in self._records.names():
            work = self.get(key)
            if work is None:
                continue
            try:
                changed = self._records.path(key).stat().st_mtime
            except FileNotFoundError:
                continue
            moment = datetime.fromtimestamp(changed).astimezone().isoformat(timespec="seconds")
            found.append((changed, Draft(key, work.name, moment, work.submitted)))
        return [draft for _changed, draft in sorted(found, key=lambda pair: pair[0], reverse=True)]
