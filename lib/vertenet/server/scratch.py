"""One folder for all temporary files of a server, which the next server clears away where this one was killed.

Uploads are patients' images: a killed process must not leave them behind for good.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from monailabel.config import settings
from monailabel.utils.sessions import Sessions

_PREFIX = "vertenet-scratch-"
_LOCK = "in-use.lock"
#: A folder without its lock file may be that of a server which is just starting.
_STARTING_S = 60.0


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make ``tempfile`` and child processes use a new folder, readable by its owner alone; it goes with the block.

    Folders of servers that live no more go at the start. A living one holds a lock.
    """
    parent = Path(tempfile.gettempdir())
    for left in parent.glob(f"{_PREFIX}*"):
        _remove_if_abandoned(left)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    lock = FileLock(folder / _LOCK)
    lock.acquire()
    before = tempfile.tempdir, os.environ.get("TMPDIR")
    tempfile.tempdir, os.environ["TMPDIR"] = str(folder), str(folder)
    try:
        yield folder
    finally:
        tempfile.tempdir = before[0]
        os.environ.pop("TMPDIR")
        if before[1] is not None:
            os.environ["TMPDIR"] = before[1]
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)


def remove_half_sessions() -> None:
    """Remove sessions whose upload a killed server never finished; MONAI Label's own clearing stops at the first."""
    folder = Path(Sessions(settings.MONAI_LABEL_SESSION_PATH).store_path)
    for session in folder.iterdir() if folder.is_dir() else ():
        # The session's id is a UUID of its time, written by MONAI Label; anything else is not ours to remove.
        with suppress(ValueError, OSError):
            uuid.UUID(session.name)
            young = time.time() - session.stat().st_mtime < _STARTING_S
            if session.is_dir() and not (session / "meta.info").is_file() and not young:
                shutil.rmtree(session, ignore_errors=True)


def _remove_if_abandoned(folder: Path) -> None:
    with suppress(OSError, Timeout):
        state = folder.lstat()
        if folder.is_symlink() or not folder.is_dir() or (hasattr(os, "getuid") and state.st_uid != os.getuid()):
            return
        if not (folder / _LOCK).exists() and time.time() - state.st_mtime < _STARTING_S:
            return
        with FileLock(folder / _LOCK, timeout=0):
            shutil.rmtree(folder, ignore_errors=True)
