"""The spine of a reading (``*.reading.json``): read here, written by whoever measures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import AnnotationError
from ..spine import Spine
from .record import Annotation, Known, parse_json, read_text, structured

_SCHEMA = "vertenet-reading/1."


def looks_like(data: Mapping) -> bool:
    return str(data.get("schema", "")).startswith(_SCHEMA)


def read(path: Path, known: Known) -> dict[str, Annotation]:
    """The annotation of the reading's image. Raises `AnnotationError`."""
    data = parse_json(read_text(path), str(path))
    if not looks_like(data):
        raise AnnotationError("the file is not a reading of version 1", subject=path)
    with structured("reading", str(path)):
        image = data["image"]
        name = str(image["name"])
        return {name: Annotation(Spine.from_dict(data["spine"]), name, int(image["rows"]), int(image["columns"]))}
