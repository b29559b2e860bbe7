"""Which images there are: the files of a folder, each under an id that it keeps."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monailabel.interfaces.exception import ImageNotFoundException

from vertenet.errors import ImageReadError, OptionError
from vertenet.files import beside

from .. import plain
from ..decoding import decode
from ..state import StoreError
from .database import Database, file_identity
from .facts import ImageFacts
from .names import IMAGE_EXTENSIONS, check_new_id, has_dicom_preamble, shown, split_name, why_not_served

logger = logging.getLogger(__name__)

#: A change of the folder is noticed by its time stamp; where that is too coarse, after this many seconds.
RESCAN_S = 2.0
#: Which facts are kept of an image; those of another number are gathered anew.
FACTS = 2


@dataclass(frozen=True)
class ImageEntry:
    """An image that is there: its id, its file's name, and what is noted of it (``ts``, ``name``, strategies ...)."""

    image_id: str
    file: str
    info: Mapping[str, Any]


class ImageIndex:
    """The images of a folder.

    An id is the file's name without its ending; where two files share that, the second is listed under its full name.
    Once given, an id stays with its file. A file that is gone is not listed, and comes back under its id.
    """

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self._database = database
        self._is = file_identity(folder)
        self._scanned = (-1, -1.0)
        self._not_served: dict[str, str] = {}
        self._sniffed: dict[str, tuple[tuple[int, int], bool]] = {}
        self._pixels: dict[str, tuple[tuple[int, int], str]] = {}
        self._scanning = threading.Lock()

    def scan(self, *, if_changed: bool = False) -> None:
        """Bring the table up to the folder."""
        self.check_folder()
        with self._scanning:
            stamp = self.folder.stat().st_mtime_ns
            if if_changed and stamp == self._scanned[0] and time.monotonic() - self._scanned[1] < RESCAN_S:
                return
            self._record(self._files())
            self._scanned = (stamp, time.monotonic())

    def check_folder(self) -> None:
        """Raises `StoreError` where the folder is no longer the one that this index was made for."""
        if file_identity(self.folder) != self._is:
            raise StoreError(
                "the folder of images is no longer where it was",
                subject=str(self.folder),
                remedy="Move it back, or start the server anew where it is now",
            )

    def not_served(self) -> list[dict[str, str]]:
        """Image files whose names cannot be ids: ``file``, its name as far as it can be written, and the ``reason``."""
        return [{"file": shown(file), "reason": reason} for file, reason in self._not_served.items()]

    def entries(self) -> list[ImageEntry]:
        """Those that are there, in the order in which they were first seen."""
        rows = self._database.reading().execute(
            "SELECT image_id, file, info FROM images WHERE present ORDER BY images.rowid"
        )
        return [_entry(row) for row in rows]

    def get(self, image_id: str) -> ImageEntry | None:
        row = (
            self._database.reading()
            .execute("SELECT image_id, file, info FROM images WHERE present AND image_id = ?", (image_id,))
            .fetchone()
        )
        return None if row is None else _entry(row)

    def require(self, image_id: str) -> ImageEntry:
        """The entry of an id. Raises `ImageNotFoundException`."""
        entry = self.get(image_id)
        if entry is None:
            raise ImageNotFoundException(f"There is no image {image_id!r} here")
        return entry

    def path(self, entry: ImageEntry) -> Path:
        return self.folder / entry.file

    def facts(self, image_id: str) -> ImageFacts:
        """Size, geometry and spacing; read from the file once, and again when the file changes.

        Raises
        ------
        ImageNotFoundException
            There is no such image.
        ImageReadError
            Its file cannot be read.
        """
        entry = self.require(image_id)
        state = self.path(entry).stat()
        signature = f"{state.st_mtime_ns}-{state.st_size}-{FACTS}"
        row = (
            self._database.reading()
            .execute("SELECT facts FROM images WHERE image_id = ? AND facts_of = ?", (image_id, signature))
            .fetchone()
        )
        if row is not None:
            return ImageFacts.from_json(row["facts"])
        facts = ImageFacts.of(self.path(entry))
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE images SET facts = ?, facts_of = ? WHERE image_id = ?", (facts.to_json(), signature, image_id)
            )
        return facts

    def pixels_of(self, entry: ImageEntry) -> str | None:
        """Which pixels the image's file holds now (`ImageFacts.pixels_sha256`); None where it cannot be read."""
        try:
            state = self.path(entry).stat()
            signature = (state.st_mtime_ns, state.st_size)
            known = self._pixels.get(entry.image_id)
            if known is None or known[0] != signature:
                known = self._pixels[entry.image_id] = (signature, self.facts(entry.image_id).pixels_sha256)
        except (ImageReadError, ImageNotFoundException, OSError):
            return None
        return known[1]

    def add(self, image_id: str | None, source: Path, file_name: str, info: Mapping[str, Any]) -> str:
        """Take in an image file.

        Parameters
        ----------
        image_id : str, optional
            Its id; by default its name without the ending.
        source : Path
            Where the file lies now; it is copied.
        file_name : str
            What its owner calls it.
        info : mapping
            What to note of it.

        Returns
        -------
        str
            The id.

        Raises
        ------
        OptionError
            The id is no file's name, or another image has it.
        ImageReadError
            The file is no readable image.
        """
        stem, ending = split_name(file_name)
        image_id = check_new_id(image_id or stem)
        try:
            decode(source)
        except ImageReadError as error:
            raise ImageReadError(error.problem, subject=file_name, remedy=error.remedy) from error
        if ending.lower() not in IMAGE_EXTENSIONS:
            ending = ".dcm" if has_dicom_preamble(source) else ""
        if not ending:
            raise OptionError(
                f"the file name has none of the endings {', '.join(IMAGE_EXTENSIONS)}",
                subject=file_name,
                remedy="Give it the ending of its format",
            )
        target = self.folder / f"{image_id}{ending}"
        with self._database.writing() as connection:
            self._refuse_other(connection, image_id, target, source)
            if not target.exists():
                with beside(target) as temporary:
                    shutil.copyfile(source, temporary)
            noted = plain.notes({**_first_info(target.name), **info}, f"the image {image_id}")
            connection.execute(
                "INSERT INTO images (image_id, file, info) VALUES (?, ?, ?)"
                " ON CONFLICT (image_id) DO UPDATE SET present = 1, file = excluded.file, info = excluded.info",
                (image_id, target.name, noted),
            )
        return image_id

    def remove(self, connection: sqlite3.Connection, entry: ImageEntry) -> None:
        """Delete the image's file; its id and history stay in the database."""
        self.path(entry).unlink(missing_ok=True)
        connection.execute("UPDATE images SET present = 0 WHERE image_id = ?", (entry.image_id,))

    def update_info(self, image_id: str, info: Mapping[str, Any]) -> None:
        """Merge ``info`` into what is noted of an image. Raises `ImageNotFoundException`."""
        with self._database.writing() as connection:
            merged = plain.notes({**self.require(image_id).info, **info}, f"the image {image_id}")
            connection.execute("UPDATE images SET info = ? WHERE image_id = ?", (merged, image_id))

    def adopt(self, connection: sqlite3.Connection, image_id: str, file: str, info: Mapping[str, Any]) -> None:
        """Keep the id that an earlier index gave to a file of the folder."""
        if split_name(file)[1] == "" or why_not_served(image_id) or why_not_served(split_name(file)[0]):
            return
        if (self.folder / file).is_file():
            connection.execute(
                "INSERT OR IGNORE INTO images (image_id, file, info) VALUES (?, ?, ?)",
                (image_id, file, json.dumps(plain.mended({**_first_info(file), **info}), default=str)),
            )

    def _files(self) -> list[str]:
        with os.scandir(self.folder) as entries:
            found = sorted(e.name for e in entries if not e.name.startswith(".") and e.is_file() and self._is_image(e))
        reasons = {file: reason for file in found if (reason := why_not_served(split_name(file)[0])) is not None}
        for file in reasons.keys() - self._not_served.keys():
            logger.warning("The image %s is not served: %s. Rename it.", shown(file), reasons[file])
        self._not_served = reasons
        return [file for file in found if file not in reasons]

    def _is_image(self, entry: os.DirEntry) -> bool:
        _, ending = split_name(entry.name)
        if ending:
            return ending.lower() in IMAGE_EXTENSIONS
        state = entry.stat()
        signature = (state.st_mtime_ns, state.st_size)
        known = self._sniffed.get(entry.name)
        if known is None or known[0] != signature:
            known = self._sniffed[entry.name] = (signature, has_dicom_preamble(Path(entry.path)))
        return known[1]

    def _record(self, files: list[str]) -> None:
        query = "SELECT image_id, file, present FROM images"
        rows = self._database.reading().execute(query).fetchall()
        if {row["file"] for row in rows if row["present"]} == set(files):
            return
        with self._database.writing() as connection:
            rows = connection.execute(query).fetchall()
            there, known, taken = set(files), {row["file"] for row in rows}, {row["image_id"] for row in rows}
            for row in rows:
                if bool(row["present"]) != (row["file"] in there):
                    connection.execute(
                        "UPDATE images SET present = ? WHERE file = ?", (row["file"] in there, row["file"])
                    )
            for file in files:
                if file in known:
                    continue
                image_id = _free_id(file, taken)
                taken.add(image_id)
                connection.execute(
                    "INSERT INTO images (image_id, file, info) VALUES (?, ?, ?)",
                    (image_id, file, json.dumps(_first_info(file))),
                )

    def _refuse_other(self, connection: sqlite3.Connection, image_id: str, target: Path, source: Path) -> None:
        rows = connection.execute(
            "SELECT image_id, file, present FROM images WHERE image_id = ? OR file = ?", (image_id, target.name)
        ).fetchall()
        others = [row for row in rows if row["image_id"] != image_id or (row["present"] and row["file"] != target.name)]
        if others or (target.exists() and target.read_bytes() != source.read_bytes()):
            raise OptionError(
                f"another image is called {image_id!r} already",
                remedy="Choose another id, or remove that image first",
            )


def _free_id(file: str, taken: set[str]) -> str:
    stem = split_name(file)[0]
    if stem not in taken:
        return stem
    logger.warning("an image shares its stem with another one: it is listed under its full name")
    number, image_id = 2, file
    while image_id in taken:
        image_id, number = f"{file}~{number}", number + 1
    return image_id


def _first_info(file: str) -> dict[str, Any]:
    return {"ts": int(time.time()), "name": file}


def _entry(row: sqlite3.Row) -> ImageEntry:
    return ImageEntry(row["image_id"], row["file"], plain.kept(row["info"]))
