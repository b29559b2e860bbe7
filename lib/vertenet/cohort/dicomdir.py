"""The images that a DICOMDIR lists (PS3.3 annex F), as on a CD."""

from __future__ import annotations

import os
import warnings as python_warnings
from collections.abc import Iterator
from pathlib import Path

from ..errors import ImageReadError
from ..imaging.dicom_file import open_dicom
from ..imaging.sniff import Kind, sniff
from .items import FileItem, UnreadableItem

#: Media Storage Directory Storage.
DIRECTORY = "1.2.840.10008.1.3.10"


def is_dicomdir(path: str) -> bool:
    """Whether it is called DICOMDIR and is DICOM."""
    named = os.path.basename(path).upper() == "DICOMDIR" and os.path.isfile(path)
    return named and sniff(Path(path)) is Kind.DICOM


def items_of_dicomdir(path: Path) -> Iterator[FileItem | UnreadableItem]:
    """The files of its records of type IMAGE; one that leads out of the folder of the DICOMDIR fails.

    Raises
    ------
    ImageReadError
        It cannot be read.
    """
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")
        try:
            records = list(open_dicom(path).DirectoryRecordSequence)
            named = [_parts(record) for record in records if record.get("DirectoryRecordType") == "IMAGE"]
        # pydicom raises some twenty types on damaged bytes; all mean that this file cannot be read.
        except Exception as error:
            raise ImageReadError(
                f"the DICOMDIR cannot be read ({type(error).__name__})", subject=path, remedy="Give the folder instead"
            ) from error
    for parts in named:
        shown = "/".join([str(path.parent), *parts])
        if not parts or any(part in ("", ".", "..") or "/" in part or "\\" in part for part in parts):
            yield UnreadableItem(shown, "the DICOMDIR names a file outside its own folder")
        else:
            yield FileItem(_on_disk(path.parent, parts), "/".join(parts[:-1]))


def _parts(record) -> list[str]:
    value = record.get("ReferencedFileID") or []
    return [value] if isinstance(value, str) else [str(part) for part in value]


def _on_disk(folder: Path, parts: list[str]) -> str:
    """The file, in small letters where only that is there: so do some systems show the names of a CD."""
    exact, small = "/".join([str(folder), *parts]), "/".join([str(folder), *(part.lower() for part in parts)])
    return small if not os.path.exists(exact) and os.path.exists(small) else exact
