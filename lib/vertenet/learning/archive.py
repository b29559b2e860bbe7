"""A cohort as one file: the zip that the server gives out is learned from as if it were the folder that it holds."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path

from ..archives import unpacked_size
from ..errors import AnnotationError


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
    size = unpacked_size(path, members, AnnotationError)
    if size > shutil.disk_usage(folder).free:
        raise AnnotationError(
            f"there is no room for the {size >> 20} MiB that the zip file unpacks to",
            subject=path,
            remedy="Make room in the folder of temporary files, or name another one in TMPDIR",
        )
