"""Where the server keeps what must outlive it, and how its processes share the database in there.

The server, its training process and its scoring process all write. MONAI Label has them rewrite one JSON file, and the
last writer wins; here they write rows of one SQLite database, and a transaction either is on the disk or never was.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from vertenet.errors import OptionError, SchemaError

FOLDER = ".vertenet"
DATABASE = "store.sqlite"
#: Where MONAI Label writes a log below a folder that it is given.
LOG_FILE = Path("logs", "app.log")
BUSY_TIMEOUT_S = 30.0
RESTORE = "Restore it from a backup, or see 'When something breaks' in docs/server.md"

_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG})
_OF_THE_DISK = _FULL | {errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.ESTALE}


def state_folder(studies: str | Path, conf: Mapping[str, str] | None = None) -> Path:
    """The folder of the server's state, made if missing: ``<studies>/.vertenet``, or what ``--conf state DIR`` names.

    It holds ``store.sqlite``, ``models/`` and the logs, and must lie on a local disk: the database's write-ahead log
    needs shared memory.

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


def connect(path: str | Path, *, create: bool = False) -> sqlite3.Connection:
    """A connection to the database at ``path``; it may be used by the thread that opened it.

    A database that is gone while the server runs is not made anew: labels would go into the new one, unseen.

    What a COMMIT acknowledges has been handed to the disk (``synchronous=FULL``), so that it outlives SIGKILL and, as
    far as the disk keeps its word, loss of power. Readers never wait for the one writer (write-ahead log); a second
    writer waits up to `BUSY_TIMEOUT_S`. Foreign keys hold. Transactions are explicit: see `transaction`.

    Raises
    ------
    StoreError
        The file is no database, is damaged, or cannot be opened.
    """
    connection: sqlite3.Connection | None = None
    try:
        address = f"{Path(path).absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
        connection = sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection
    except sqlite3.DatabaseError as error:
        if connection is not None:
            connection.close()
        if trouble(error) is None:
            raise
        raise StoreError(f"the label database cannot be opened ({error})", subject=str(path), remedy=RESTORE) from error


class StoreError(SchemaError):
    """The folder of images or the database cannot be used: it is damaged, full, or no longer where it was."""


def trouble(error: sqlite3.Error | OSError, subject: str | None = None) -> StoreError | None:
    """What a failure of the database or the disk means for a person; None where it is a fault of the program."""
    said = str(error).lower()
    if isinstance(error, OSError):
        if error.errno not in _OF_THE_DISK:
            return None
        full, damaged = error.errno in _FULL, False
    elif isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError)):
        return None
    else:
        full, damaged = "full" in said, "malformed" in said or "not a database" in said or "no such table" in said
    if full:
        return StoreError(
            "the disk is full, so nothing was kept", subject=subject, remedy="Make room, then do it again"
        )
    if damaged:
        return StoreError(f"the label database is damaged ({error})", subject=subject, remedy=RESTORE)
    return StoreError(
        f"the label database or its folder cannot be used ({getattr(error, 'strerror', None) or error})",
        subject=subject,
        remedy="Check the disk, and that the folder is still there and may be written to",
    )


@contextmanager
def told(subject: str | Path) -> Iterator[None]:
    """Failures of the database or the disk within the block as `StoreError`."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        meant = trouble(error, str(subject))
        if meant is None:
            raise
        raise meant from error


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
