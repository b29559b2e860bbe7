"""The table of landmark formats, and telling them apart by content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import AnnotationError, OptionError
from . import (
    authors_csv,
    authors_mat,
    coco,
    dicom_pr,
    dicom_sr,
    labelme,
    makesense,
    markups,
    points_csv,
    reading_json,
)
from .record import Annotation, Known, parse_json, read_text


class Content(Enum):
    """What a format's ``looks_like`` is shown: the first bytes, the data set, the parsed JSON object, or the text."""

    BYTES = "bytes"
    DICOM = "dicom"
    JSON = "json"
    TEXT = "text"


@dataclass(frozen=True)
class Format:
    """One landmark format.

    Attributes
    ----------
    name : str
        What ``--from`` and ``--to`` call it.
    suffix : str
        Of files that are written.
    content : Content
    looks_like : callable
        Whether a file's ``content`` is of this format.
    read : callable
        (path, `Known`) to annotations by image name.
    write : callable or None
        (annotations, path); None for a format that is only read.
    many : bool
        One file holds many images.
    named : bool
        Points carry names, which are then checked against their geometry.
    """

    name: str
    suffix: str
    content: Content
    looks_like: Callable[[Any], bool]
    read: Callable[[Path, Known], dict[str, Annotation]]
    write: Callable[[Sequence[Annotation], Path], None] | None
    many: bool = False
    named: bool = True

    @classmethod
    def of(cls, name: str, suffix: str, content: Content, module: ModuleType, **more: bool) -> Format:
        """The format of a module with ``looks_like``, ``read`` and, where it can be written, ``write``."""
        return cls(name, suffix, content, module.looks_like, module.read, getattr(module, "write", None), **more)


#: Every format by name. Where two look like a file's content, the first of them has it.
FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (
        Format.of("makesense", ".csv", Content.TEXT, makesense, many=True),
        Format.of("authors-mat", ".mat", Content.BYTES, authors_mat, named=False),
        Format.of("authors-csv", ".csv", Content.TEXT, authors_csv),
        Format.of("coco", ".json", Content.JSON, coco, many=True),
        Format.of("markups", markups.SUFFIX, Content.JSON, markups),
        # What a model predicted is shown as it is, crossed or not.
        Format.of("reading", ".reading.json", Content.JSON, reading_json, named=False),
        # So is a result in a PACS; writing one takes a reading and its image (`vertenet.report.dicom`).
        Format("dicom-sr", dicom_sr.SUFFIX, Content.DICOM, dicom_sr.is_report, dicom_sr.read, None, named=False),
        Format(
            "dicom-gsps", dicom_pr.SUFFIX, Content.DICOM, dicom_pr.is_presentation, dicom_pr.read, None, named=False
        ),
        Format.of("labelme", ".json", Content.JSON, labelme),
        Format.of("points-csv", ".csv", Content.TEXT, points_csv, many=True),
    )
}


def named_format(name: str) -> Format:
    """The format of a name; raises `OptionError` for another one."""
    if name not in FORMATS:
        raise OptionError(f"there is no landmark format {name!r}", remedy=f"Use one of {', '.join(FORMATS)}")
    return FORMATS[name]


def detect(path: Path) -> Format:
    """The format of a file, by its content. Raises `AnnotationError` where it is none of ours."""
    try:
        with path.open("rb") as file:
            head = file.read(132)
    except OSError as error:
        raise AnnotationError(f"the file cannot be read ({error.strerror})", subject=path) from error
    if head[128:] == b"DICM":
        found = _first(Content.DICOM, dicom_sr.open_document(path))
        if found is None:
            raise AnnotationError(
                "the DICOM file holds no landmarks, for it is neither a structured report nor a presentation state",
                subject=path,
            )
        return found
    found = _first(Content.BYTES, head)
    if found is None:
        text = read_text(path)
        is_json = text.lstrip().startswith("{")
        found = _first(Content.JSON, parse_json(text, str(path))) if is_json else _first(Content.TEXT, text)
    if found is not None:
        return found
    raise AnnotationError(
        "the content is no landmark format that is known", subject=path, remedy=f"Known are {', '.join(FORMATS)}"
    )


def _first(kind: Content, content: Any) -> Format | None:
    return next((entry for entry in FORMATS.values() if entry.content is kind and entry.looks_like(content)), None)


def format_for_writing(path: Path) -> Format:
    """The format that the longest ending of a file name asks for. Raises `OptionError` where that is none or two."""
    ending = [entry for entry in FORMATS.values() if path.name.lower().endswith(entry.suffix) and not path.is_dir()]
    longest = max((len(entry.suffix) for entry in ending), default=0)
    fitting = [entry for entry in ending if entry.write and len(entry.suffix) == longest]
    if len(fitting) != 1:
        raise OptionError(
            f"{path.name}: the name does not say which landmark format to write",
            remedy=f"Say --to {', '.join(entry.name for entry in FORMATS.values() if entry.write)}",
        )
    return fitting[0]
