"""The table of landmark formats, and telling them apart by content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class Format:
    """One landmark format.

    Attributes
    ----------
    name : str
        What ``--from`` and ``--to`` call it.
    suffix : str
        Of files that are written.
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
    read: Callable[[Path, Known], dict[str, Annotation]]
    write: Callable[[Sequence[Annotation], Path], None] | None
    many: bool = False
    named: bool = True


#: Every format by name.
FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (
        Format("makesense", ".csv", makesense.read, makesense.write, many=True),
        Format("authors-mat", ".mat", authors_mat.read, authors_mat.write, named=False),
        Format("authors-csv", ".csv", authors_csv.read, authors_csv.write),
        Format("coco", ".json", coco.read, coco.write, many=True),
        Format("markups", markups.SUFFIX, markups.read, markups.write),
        # What a model predicted is shown as it is, crossed or not.
        Format("reading", ".reading.json", reading_json.read, None, named=False),
        # So is a result in a PACS; writing one takes a reading and its image (`vertenet.report.dicom`).
        Format("dicom-sr", dicom_sr.SUFFIX, dicom_sr.read, None, named=False),
        Format("dicom-gsps", dicom_pr.SUFFIX, dicom_pr.read, None, named=False),
        Format("labelme", ".json", labelme.read, None),
        Format("points-csv", ".csv", points_csv.read, None, many=True),
    )
}

_JSON = (
    (markups.looks_like, "markups"),
    (reading_json.looks_like, "reading"),
    (coco.looks_like, "coco"),
    (labelme.looks_like, "labelme"),
)


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
        return _detect_dicom(path)
    if authors_mat.looks_like(head):
        return FORMATS["authors-mat"]
    text = read_text(path)
    if text.lstrip().startswith("{"):
        data = parse_json(text, str(path))
        for looks_like, name in _JSON:
            if looks_like(data):
                return FORMATS[name]
    elif authors_csv.looks_like(text):
        return FORMATS["authors-csv"]
    elif makesense.looks_like(text):
        return FORMATS["makesense"]
    elif points_csv.looks_like(text):
        return FORMATS["points-csv"]
    raise AnnotationError(
        "the content is no landmark format that is known", subject=path, remedy=f"Known are {', '.join(FORMATS)}"
    )


def _detect_dicom(path: Path) -> Format:
    document = dicom_sr.open_document(path)
    if dicom_sr.is_report(document):
        return FORMATS["dicom-sr"]
    if dicom_pr.is_presentation(document):
        return FORMATS["dicom-gsps"]
    raise AnnotationError(
        "the DICOM file holds no landmarks, for it is neither a structured report nor a presentation state",
        subject=path,
    )


def format_for_writing(path: Path) -> Format:
    """The format that a file name asks for. Raises `OptionError` where it asks for none or for two."""
    name = path.name.lower()
    if name.endswith(markups.SUFFIX):
        return FORMATS["markups"]
    fitting = [entry for entry in FORMATS.values() if entry.write and not path.is_dir() and name.endswith(entry.suffix)]
    if len(fitting) != 1 or name.endswith(".reading.json"):
        raise OptionError(
            f"{path.name}: the name does not say which landmark format to write",
            remedy=f"Say --to {', '.join(entry.name for entry in FORMATS.values() if entry.write)}",
        )
    return fitting[0]
