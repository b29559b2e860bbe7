"""Writing files so that nobody ever sees half of one: write beside, then rename. And telling files apart."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: How `beside` calls what it writes: stem, process and suffix.
_UNFINISHED = re.compile(r"\..+\.(\d{1,10})\.part(\..*)?", re.DOTALL)
_YOUNG_S = 60.0


@contextmanager
def beside(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path in the same folder; it takes the name ``path`` when the block ends without an error.

    The temporary name keeps the suffix of ``path``, for writers that choose their format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def clear_unfinished(folder: Path) -> None:
    """Remove what `beside` left in ``folder`` when its process was killed; never what a living process writes."""
    for path in folder.iterdir():
        found = _UNFINISHED.fullmatch(path.name)
        if found and not _is_running(int(found[1])) and time.time() - path.lstat().st_mtime > _YOUNG_S:
            path.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    if os.name == "nt":  # there, asking in this way would end it
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write UTF-8 text, all or nothing."""
    with beside(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sha256_of(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes, 64 hexadecimal digits. Raises OSError."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write bytes, all or nothing."""
    with beside(path) as temporary:
        temporary.write_bytes(content)
