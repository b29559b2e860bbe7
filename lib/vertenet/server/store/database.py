"""The tables of images, labels and their history, and one connection to them for each thread."""

from __future__ import annotations

import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from pathlib import Path

from vertenet.errors import SchemaError

from ..state import RESTORE, StoreError, connect, told, transaction

#: 2 added submissions and readings, 3 made_on; older databases get their tables when they are opened.
SCHEMA_VERSION = 3

_TABLES = """
CREATE TABLE IF NOT EXISTS store (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS images (
    image_id TEXT PRIMARY KEY,
    file TEXT NOT NULL UNIQUE,
    present INTEGER NOT NULL DEFAULT 1,
    info TEXT NOT NULL DEFAULT '{}',
    facts TEXT,
    facts_of TEXT
);

CREATE TABLE IF NOT EXISTS revisions (
    image_id TEXT NOT NULL REFERENCES images,
    number INTEGER NOT NULL,
    tag TEXT NOT NULL,
    annotator TEXT NOT NULL,
    created TEXT NOT NULL,
    action TEXT NOT NULL,
    model_sha256 TEXT,
    model_version TEXT,
    based_on TEXT,
    changed TEXT NOT NULL,
    sha256 TEXT,
    content BLOB,
    points TEXT NOT NULL,
    info TEXT NOT NULL DEFAULT '{}',
    PRIMARY KEY (image_id, number)
);

CREATE TABLE IF NOT EXISTS labels (
    image_id TEXT NOT NULL,
    tag TEXT NOT NULL,
    annotator TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (image_id, tag, annotator),
    FOREIGN KEY (image_id, number) REFERENCES revisions
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS proposals (
    image_id TEXT NOT NULL REFERENCES images,
    points TEXT NOT NULL,
    model_sha256 TEXT NOT NULL,
    model_version TEXT,
    created TEXT NOT NULL,
    UNIQUE (image_id, points, model_sha256)
);

CREATE TABLE IF NOT EXISTS submissions (
    image_id TEXT NOT NULL,
    annotator TEXT NOT NULL,
    submission TEXT NOT NULL,
    number INTEGER NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (image_id, annotator, submission),
    FOREIGN KEY (image_id, number) REFERENCES revisions
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS made_on (
    image_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    pixels_sha256 TEXT NOT NULL,
    PRIMARY KEY (image_id, number),
    FOREIGN KEY (image_id, number) REFERENCES revisions
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS readings (
    image_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    reading TEXT NOT NULL,
    PRIMARY KEY (image_id, number),
    FOREIGN KEY (image_id, number) REFERENCES revisions
);
"""


class Database:
    """The store's database.

    Revisions are only ever added: no statement of this package updates or deletes one, but for the free-form ``info``
    beside it. ``labels`` says which revision each annotator's label of an image and tag is now, ``submissions`` which
    one a client's submission became, ``made_on`` which pixels one was made on, and ``readings`` what was measured and
    scored with one. ``identity`` in ``store``
    is a random UUID, made once: by that clients tell this store from another that is served at the same address.

    Raises
    ------
    SchemaError
        The file is no database, is damaged, or was written by a newer version of this program.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._threads = threading.local()
        self._file: tuple[int, int] | None = None
        with told(path):
            self._create(path)
        self._file = file_identity(path)

    def _create(self, path: Path) -> None:
        with closing(connect(path, create=True)) as connection:
            self._refuse_damaged(connection)
        with self.writing() as connection:
            for statement in filter(str.strip, _TABLES.split(";")):
                connection.execute(statement)
            row = connection.execute("SELECT value FROM store WHERE key = 'schema_version'").fetchone()
            if row is not None and int(row["value"]) > SCHEMA_VERSION:
                raise SchemaError(
                    f"the label database has version {row['value']}, but this program knows {SCHEMA_VERSION}",
                    subject=str(path),
                    remedy="Use the newer program that wrote it",
                )
            connection.execute("INSERT OR REPLACE INTO store VALUES ('schema_version', ?)", (str(SCHEMA_VERSION),))
            connection.execute("INSERT OR IGNORE INTO store VALUES ('identity', ?)", (str(uuid.uuid4()),))

    def reading(self) -> sqlite3.Connection:
        """This thread's connection.

        Raises
        ------
        StoreError
            The file is no longer the one that was opened: its folder was moved, or it was replaced. What is written to
            it would be found by nobody.
        """
        if self._file is not None and file_identity(self.path) != self._file:
            raise StoreError(
                "the label database is no longer where it was opened",
                subject=str(self.path),
                remedy="Move its folder back, or start the server anew where it is now",
            )
        connection = getattr(self._threads, "connection", None)
        if connection is None:
            connection = self._threads.connection = connect(self.path)
        return connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction; no other thread or process writes meanwhile, so it also guards the label files."""
        with transaction(self.reading()) as connection:
            yield connection

    def check(self, *, thorough: bool = False) -> None:
        """Raises `StoreError` unless the database can be read and written; ``thorough``: every page of it."""
        with told(self.path):
            if thorough:
                self._refuse_damaged(self.reading())
            self.set_value("checked", datetime.now(timezone.utc).isoformat(timespec="seconds"))

    def _refuse_damaged(self, connection: sqlite3.Connection) -> None:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            problem = " ".join(str(found).split())[:200]
            raise StoreError(f"the label database is damaged ({problem})", subject=str(self.path), remedy=RESTORE)

    def value(self, key: str, default: str = "") -> str:
        row = self.reading().execute("SELECT value FROM store WHERE key = ?", (key,)).fetchone()
        return default if row is None else row["value"]

    def set_value(self, key: str, value: str) -> None:
        with self.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO store VALUES (?, ?)", (key, value))

    def close(self) -> None:
        """Close this thread's connection; the next use opens another."""
        connection = self._threads.__dict__.pop("connection", None)
        if connection is not None:
            connection.close()


def file_identity(path: Path) -> tuple[int, int] | None:
    """Device and number of a file; None where there is none."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino
