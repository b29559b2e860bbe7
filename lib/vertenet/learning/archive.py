"""A cohort as one file: the zip that the server gives out is learned from as if it were the folder that it holds."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path

from ..errors import AnnotationError

#: A cohort has fewer files; a million empty ones fill a disk as well.
MOST_FILES = 200_000
#: Radiographs pack to a half or a third, landmark files to a tenth, black images to a fiftieth; bombs to a thousandth.
MOST_TIMES = 100
#: What any zip may unpack to, however small it is.
ALWAYS_BYTES = 64 << 20


def unpacked(path: Path) -> Path:
    """``path`` itself, or where a zip file was unpacked to: a temporary folder that goes when the program ends.

    Raises
    ------
    AnnotationError
        The zip file is damaged, or would unpack to more than a cohort of its size can have or the disk has room for.
    """
    if not zipfile.is_zipfile(path):
        return path
    folder = Path(tempfile.mkdtemp(prefix="vertenet-dataset-"))
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(path, archive.infolist(), folder)
            archive.extractall(folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise AnnotationError(f"the zip file cannot be unpacked ({error})", subject=path) from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _check_members(path: Path, members: list[zipfile.ZipInfo], folder: Path) -> None:
    """By what the table of contents says: of a member that holds more, no more than that is unpacked."""
    if len(members) > MOST_FILES:
        raise AnnotationError(
            f"the zip file holds {len(members)} files, more than {MOST_FILES}", subject=path, remedy="Split it"
        )
    size = sum(member.file_size for member in members)
    if size > max(MOST_TIMES * path.stat().st_size, ALWAYS_BYTES):
        raise AnnotationError(
            f"the zip file would unpack to {size >> 20} MiB, more than {MOST_TIMES} times its own size",
            subject=path,
            remedy="Check where it comes from; if it is your cohort, unpack it and give the folder",
        )
    if size > shutil.disk_usage(folder).free:
        raise AnnotationError(
            f"there is no room for the {size >> 20} MiB that the zip file unpacks to",
            subject=path,
            remedy="Make room in the folder of temporary files, or name another one in TMPDIR",
        )
