"""Images in a zip file, unpacked one at a time: its names lead nowhere, no member unpacks to more than an image."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..archives import unpacked_size
from ..errors import ImageReadError
from ..imaging.limits import MAX_BYTES
from .names import safe_name, safe_place


@dataclass(frozen=True)
class ZipMember:
    """A file in a zip file; ``path`` is that of the zip file, a slash, and the name in it."""

    path: str
    folder: str
    archive: str
    member: str

    @property
    def name(self) -> str:
        return safe_name(self.member.replace("\\", "/").rpartition("/")[2])

    @contextmanager
    def file(self, scratch: Path | None) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="member-", dir=scratch) as folder:
            path = Path(folder) / self.name
            try:
                self._unpack(path)
            except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, KeyError) as error:
                raise ImageReadError(
                    f"the member of the zip file cannot be unpacked ({type(error).__name__})",
                    subject=self.path,
                    remedy="It is damaged or encrypted: pack it again",
                ) from error
            yield path

    def _unpack(self, path: Path) -> None:
        archive = _opened(self.archive)
        info = archive.getinfo(self.member)
        if info.file_size > 2 * MAX_BYTES:
            raise ImageReadError(
                f"it would unpack to {info.file_size >> 20} MiB, more than any image has", subject=self.path
            )
        with archive.open(info) as packed, path.open("wb") as file:  # gives no more than ``file_size`` bytes
            shutil.copyfileobj(packed, file)


def is_zip(path: str) -> bool:
    """Whether it is a zip file by its name and content; not a picture that happens to end in one."""
    return path.lower().endswith(".zip") and os.path.isfile(path) and zipfile.is_zipfile(path)


def items_of_zip(path: Path, is_image: Callable[[str], bool], passed_over: Counter[str]) -> Iterator[ZipMember]:
    """The images in a zip file.

    Raises
    ------
    ImageReadError
        Its table of contents is damaged, or says that it is a bomb.
    """
    try:
        members = _opened(str(path)).infolist()
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise ImageReadError(f"the zip file cannot be read ({error})", subject=path, remedy="Copy it again") from error
    unpacked_size(path, members, ImageReadError)
    for member in members:
        where, _, name = member.filename.replace("\\", "/").rpartition("/")
        if member.is_dir() or where.startswith("__MACOSX"):
            continue
        if is_image(name):
            yield ZipMember(f"{path}/{member.filename}", safe_place(where), str(path), member.filename)
        elif not name.startswith("."):
            passed_over[os.path.splitext(name)[1].lower() or name] += 1


@lru_cache(maxsize=4)  # its table of contents is read once a process, not once an image
def _opened(path: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)
