"""The label files ``labels/<tag>/<id>.mrk.json``: what the database holds now, where MONAI Label's users look for it.

The database decides. A file that is missing or older is written anew; one that a person put there is taken as a label
(`LabelFiles.found`). All writing happens inside a transaction, so that of two processes the later one writes last.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from vertenet.errors import OptionError
from vertenet.files import sha256_of, write_bytes

from .database import Database
from .names import LABEL_EXTENSION, check_tag, why_not_served

FOLDER = "labels"
_CURRENT = (
    "SELECT r.content, r.sha256 FROM revisions r JOIN labels USING (image_id, number)"
    " WHERE r.image_id = ? AND r.tag = ? ORDER BY r.number DESC LIMIT 1"
)


class LabelFiles:
    """The folder of label files beneath a folder of images."""

    def __init__(self, images: Path, database: Database) -> None:
        self.folder = images / FOLDER
        self._database = database

    def path(self, image_id: str, tag: str) -> Path:
        return self.folder / tag / f"{image_id}{LABEL_EXTENSION}"

    def write(self, image_id: str, tag: str) -> None:
        """Make the file of an image and tag say what the database says; the newest of several annotators'."""
        with self._database.writing() as connection:
            self._write(connection, image_id, tag)

    def write_all(self) -> None:
        """Make every file say what the database says, and clear away what a killed process left unfinished."""
        with self._database.writing() as connection:
            if self.folder.is_dir():
                for unfinished in self.folder.glob("*/.*.part.json"):
                    unfinished.unlink(missing_ok=True)
            for image_id, tag in connection.execute("SELECT DISTINCT image_id, tag FROM labels").fetchall():
                # An older version of this program took labels of images whose names are refused by now.
                if why_not_served(image_id) is None:
                    self._write(connection, image_id, tag)

    def found(self) -> Iterator[tuple[str, str, Path]]:
        """Image id, tag and path of every label file in the folder."""
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.glob(f"*/*{LABEL_EXTENSION}")):
            if path.name.startswith(".") or not path.is_file():
                continue
            try:
                tag = check_tag(path.parent.name)
            except OptionError:
                continue
            image_id = path.name[: -len(LABEL_EXTENSION)]
            if why_not_served(image_id) is None:
                yield image_id, tag, path

    def put_aside(self, path: Path) -> Path:
        """Rename a file that is no label, so that nothing is lost and nothing takes it for one; its new path."""
        return path.rename(path.with_name(f"{path.name}.refused-{sha256_of(path)[:8]}"))

    def _write(self, connection: sqlite3.Connection, image_id: str, tag: str) -> None:
        row = connection.execute(_CURRENT, (image_id, tag)).fetchone()
        path = self.path(image_id, tag)
        if row is None:
            path.unlink(missing_ok=True)
        elif not path.is_file() or sha256_of(path) != row["sha256"]:
            write_bytes(path, row["content"])
