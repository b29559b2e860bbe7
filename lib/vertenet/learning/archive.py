"""A cohort as one file: the zip that the server gives out is learned from as if it were the folder that it holds."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path

from ..errors import AnnotationError


def unpacked(path: Path) -> Path:
    """``path`` itself, or where a zip file was unpacked to: a temporary folder that goes when the program ends.

    Raises
    ------
    AnnotationError
        The zip file is damaged.
    """
    if not zipfile.is_zipfile(path):
        return path
    folder = Path(tempfile.mkdtemp(prefix="vertenet-dataset-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise AnnotationError(f"the zip file cannot be unpacked ({error})", subject=path) from error
    return folder
