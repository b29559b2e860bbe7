"""Where the server keeps what must outlive it, and how its processes share the database in there.

The server, its training process and its scoring process all write. MONAI Label has them rewrite one JSON file, and the
last writer wins; here they write rows of one SQLite database, and a transaction either is on the disk or never was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from vertenet.errors import OptionError, SchemaError

FOLDER = ".vertenet"
DATABASE = "store.sqlite"
BUSY_TIMEOUT_S = 30.0


def state_folder(studies: str | Path, conf: Mapping[str, str] | None = None) -> Path:
    """The folder of the server's state, made if missing: ``<studies>/.vertenet``, or what ``--conf state DIR`` names.

    It holds ``store.sqlite`` and ``models/``, and must lie on a local disk: the write-ahead log needs shared memory.

    Raises
    ------
    OptionError
        The folder cannot be made.
    """
    named = (conf or {}).get("state")
    folder = Path(named).expanduser().resolve() if named else Path(studies).expanduser().resolve() / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(
            f"the folder of the server's state cannot be made ({error.strerror})",
            subject=str(folder),
            remedy="Name one on a writable local disk with --conf state DIR",
        ) from error
    return folder


def connect(path: str | Path) -> sqlite3.Connection:
    """A connection to the database at ``path``, made if missing; it may be used by the thread that opened it.

    What a COMMIT acknowledges has been handed to the disk (``synchronous=FULL``), so that it outlives SIGKILL and, as
    far as the disk keeps its word, loss of power. Readers never wait for the one writer (write-ahead log); a second
    writer waits up to `BUSY_TIMEOUT_S`. Foreign keys hold. Transactions are explicit: see `transaction`.

    Raises
    ------
    SchemaError
        The file is no database, is damaged, or cannot be opened.
    """
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(str(path), timeout=BUSY_TIMEOUT_S, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection
    except sqlite3.DatabaseError as error:
        if connection is not None:
            connection.close()
        raise SchemaError(
            f"the label database cannot be opened ({error})",
            subject=str(path),
            remedy="Restore it from a backup; the label files beside the images are not enough to rebuild the history",
        ) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All statements of the block or none; the write lock is taken at the start, so that what is read stays true.

    Raises
    ------
    sqlite3.OperationalError
        Another process kept the write lock for longer than `BUSY_TIMEOUT_S`.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
