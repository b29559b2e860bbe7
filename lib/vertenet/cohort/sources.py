"""What a cohort is made of: folders, files, lists, DICOMDIR, zip files and DICOMweb queries become `Item` s.

Nothing is opened to be listed, and no name is compared with every other: a hundred thousand names take seconds.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import OptionError
from .dicomdir import is_dicomdir, items_of_dicomdir
from .dicomweb import is_url, items_of_query
from .items import FileItem, Item, UnreadableItem
from .zipped import is_zip, items_of_zip

#: Files in folders of images that are certainly none.
NOT_IMAGES = (
    *(".json", ".csv", ".txt", ".md", ".mat", ".html", ".py", ".safetensors", ".xml", ".log", ".pdf", ".db", ".ini"),
    *(".zip", ".lst", ".parquet", ".xlsx", ".docx"),
)
#: Endings of what this program itself makes of an image.
OURS = (".overlay.png", ".thumbnail.jpg", ".sr.dcm", ".gsps.dcm")
LISTS = (".txt", ".lst")


@dataclass
class Found:
    """The images of a cohort, in the order in which they are listed, and what was passed over.

    ``passed_over`` counts files that are no images, by their ending.
    """

    items: list[Item] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)


def find_items(inputs: Iterable[str | Path], *, besides: Path | None = None) -> Found:
    """Everything that the inputs hold, each image once.

    Parameters
    ----------
    inputs : iterable of str or path
        Folders (with all folders in them), image files, text files of paths (``.txt``, ``.lst``), a DICOMDIR, zip
        files, addresses of DICOMweb queries (``https://pacs/dicom-web/studies?PatientID=1``).
    besides : path, optional
        A folder of results, which is no input where it lies in one.

    Raises
    ------
    OptionError
        Nothing was found.
    VerteNetError
        An input as a whole cannot be used: a zip bomb, a PACS that does not answer.
    """
    found, known = Found(), set()
    shunned = None if besides is None else _absolute(besides)
    for item in _listed([str(given) for given in inputs], shunned, found.passed_over):
        if item.path not in known:
            known.add(item.path)
            found.items.append(item)
    if not found.items:
        raise OptionError("there is no image to read", remedy="Name image files or a folder that holds some")
    return found


def _listed(inputs: Sequence[str], besides: str | None, passed_over: Counter[str]) -> Iterator[Item]:
    for given in inputs:
        if is_url(given):
            yield from items_of_query(given)
            continue
        path = _absolute(given)
        if os.path.isdir(path):
            yield from _in_folder(path, besides, passed_over)
        elif given.lower().endswith(LISTS) and os.path.isfile(path):
            yield from _listed(list(_lines(Path(path))), besides, passed_over)
        elif is_zip(path):
            yield from items_of_zip(Path(path), _is_image, passed_over)
        elif is_dicomdir(path):
            yield from items_of_dicomdir(Path(path))
        else:
            yield FileItem(path)  # one that is not there fails with its reason


def _in_folder(root: str, besides: str | None, passed_over: Counter[str]) -> Iterator[Item]:
    closed: list[OSError] = []
    for parent, folders, files in os.walk(root, onerror=closed.append):
        parent = parent.replace(os.sep, "/")
        while closed:
            yield _closed(closed.pop(), root)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and f"{parent}/{name}" != besides)
        where = os.path.relpath(parent, root).replace(os.sep, "/")
        where = "" if where == "." else where
        for name in sorted(files):
            if _is_image(name):
                yield FileItem(f"{parent}/{name}" if parent != "/" else f"/{name}", where)
            elif not name.startswith("."):
                passed_over[os.path.splitext(name)[1].lower() or name] += 1
    while closed:
        yield _closed(closed.pop(), root)


def _absolute(path: str | Path) -> str:
    return os.path.abspath(path).replace(os.sep, "/")


def _closed(error: OSError, root: str) -> UnreadableItem:
    return UnreadableItem(error.filename or root, f"the folder cannot be listed ({error.strerror})")


def _is_image(name: str) -> bool:
    """Whether a file of this name may be one; its content decides when it is read."""
    lower = name.lower()
    return not (lower.startswith(".") or lower == "dicomdir" or lower.endswith(NOT_IMAGES) or lower.endswith(OURS))


def _lines(path: Path) -> Iterator[str]:
    """What the lines of a list name; a relative path is looked for beside the list, then from the present folder."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        for line in file:
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            beside = path.parent / line
            inner = line if is_url(line) or (not beside.exists() and os.path.exists(line)) else str(beside)
            if inner.lower().endswith(LISTS):
                raise OptionError("a list in a list is not followed", subject=path, remedy=f"Give {line} itself")
            yield inner
