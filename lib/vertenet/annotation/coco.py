"""COCO keypoints: one category ``spine`` whose keypoints are named ``T12-SA`` ... ``L5-IP``, one annotation an image.

The visibility of a keypoint says what a COCO tool can know of its status:

==  =======================================================================
0   no position: missing (or outside, or unevaluable, without one)
1   a position that must not be measured: outside or unevaluable
2   present
==  =======================================================================

The exact status and the confidence of each point, the anterior side and transitional anatomy travel in an extra object
``vertenet`` of the annotation, which COCO tools ignore. Where a tool changed a visibility, the visibility wins: 0 is
missing, 1 unevaluable, 2 present, each without confidence.

Files of other makers are read when their keypoints carry these names, or are 24 labelled ones without names, which are
then named from their geometry; and when each vertebra is an annotation of its own with four keypoints, whose category
ends with its name (``T12``, ``vertebra L1``).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import AnnotationError, GeometryError
from ..files import write_text
from ..measure.consistency import infer_anterior
from ..spine import CORNERS, STANDARD_LEVELS, Corner, CornerName, Spine, Status, Transition, Vertebra
from .labelled import LabelledPoint, parse_level, spine_of
from .names import STANDARD_POINTS, PointKey, parse_point, point_name
from .order import recover
from .record import Annotation, Known, parse_json, read_text, structured, where

EXTRA = "vertenet"
_KIND = "COCO keypoint file"
_ABSENT, _HIDDEN, _VISIBLE = 0, 1, 2
#: The status of a visibility where nothing more exact is known.
_STATUS = {_ABSENT: Status.MISSING, _HIDDEN: Status.UNEVALUABLE, _VISIBLE: Status.PRESENT}


def looks_like(data: Mapping) -> bool:
    return "annotations" in data and "images" in data


def read(path: Path, known: Known) -> dict[str, Annotation]:
    """Annotations by image name. Raises `AnnotationError`."""
    data = parse_json(read_text(path), str(path))
    found: dict[str, Annotation] = {}
    with structured(_KIND, str(path)):
        images = {image["id"]: image for image in data["images"]}
        categories = {category["id"]: category for category in data.get("categories", [])}
        of: dict[str, list[Mapping]] = {}
        for entry in data["annotations"]:
            if entry.get("keypoints"):
                of.setdefault(str(images[entry["image_id"]]["file_name"]), []).append(entry)
        sizes = {
            str(image["file_name"]): tuple(int(image[side]) for side in ("height", "width") if side in image)
            for image in images.values()
        }
    for name, entries in of.items():
        subject = where(path, name)
        with known.one_image(), structured(_KIND, subject):
            spine = _joined(entries, categories, name, known, subject)
            found[name] = Annotation(spine, name, *(sizes[name] if len(sizes[name]) == 2 else ()))
    if not of:
        others = len(data["annotations"])
        raise AnnotationError(
            f"none of its {others} annotations has keypoints" if others else "the file holds no keypoints",
            subject=path,
            remedy="Export keypoints: 24 named T12-SA to L5-IP, or the four corners of each vertebra",
        )
    return found


def write(annotations: Sequence[Annotation], path: Path) -> None:
    """One file for all images. Raises `AnnotationError` where the size of an image is unknown."""
    keys = list(STANDARD_POINTS)
    for annotation in annotations:
        keys += [key for name, _ in annotation.spine.named_points() if (key := parse_point(name)) not in keys]
    images, entries = [], []
    for number, annotation in enumerate(annotations, start=1):
        if annotation.size is None:
            raise AnnotationError(
                "the format needs the size of the image", subject=where(path, annotation.image), remedy="Give --images"
            )
        images.append(
            {"id": number, "file_name": annotation.image, "width": annotation.columns, "height": annotation.rows}
        )
        entries.append(_entry(number, annotation.spine, keys))
    data = {
        "info": {"description": "VerteNet landmarks. Research use only."},
        "images": images,
        "annotations": entries,
        "categories": [
            {
                "id": 1,
                "name": "spine",
                "supercategory": "anatomy",
                "keypoints": [point_name(*key) for key in keys],
                "skeleton": _skeleton(),
            }
        ],
    }
    write_text(path, json.dumps(data, indent=1, allow_nan=False))


def _skeleton() -> list[list[int]]:
    """Outlines of the six vertebrae, 1-based as COCO has it."""
    outline = ((1, 2), (2, 4), (4, 3), (3, 1))
    return [[4 * i + a, 4 * i + b] for i in range(len(STANDARD_LEVELS)) for a, b in outline]


def _entry(number: int, spine: Spine, keys: Sequence[PointKey]) -> dict:
    points = {parse_point(name): corner for name, corner in spine.named_points()}
    triplets = [_triplet(points.get(key, Corner.missing())) for key in keys]
    located = np.array([triplet[:2] for triplet in triplets if triplet[2] != _ABSENT]).reshape(-1, 2)
    low, extent = (located.min(axis=0), np.ptp(located, axis=0)) if len(located) else (np.zeros(2), np.zeros(2))
    return {
        "id": number,
        "image_id": number,
        "category_id": 1,
        "keypoints": [value for triplet in triplets for value in triplet],
        "num_keypoints": len(located),
        "bbox": [*low.tolist(), *extent.tolist()],
        "area": float(extent.prod()),
        "iscrowd": 0,
        EXTRA: {
            "anterior": spine.anterior,
            "transition": spine.transition.value,
            "levels": {vertebra.level.value: vertebra.confidence for vertebra in spine},
            "points": {
                point_name(*key): {"status": corner.status.value, "confidence": corner.confidence}
                for key, corner in points.items()
            },
        },
    }


def _triplet(corner: Corner) -> tuple[float, float, int]:
    if corner.x is None:
        return 0.0, 0.0, _ABSENT
    return corner.x, corner.y, _VISIBLE if corner.is_present else _HIDDEN


def _joined(entries: Sequence[Mapping], categories: Mapping, name: str, known: Known, subject: str) -> Spine:
    """The spine of an image: one annotation, or one of each vertebra."""
    of = [categories.get(entry.get("category_id"), {}) for entry in entries]
    levels = [parse_level(category.get("name")) for category in of]
    if not any(levels):
        if len(entries) > 1:
            raise AnnotationError("the image has more than one spine", subject=subject)
        return _spine(entries[0], of[0].get("keypoints", []), known, name, subject)
    points: list[LabelledPoint] = []
    for entry, category, level in zip(entries, of, levels):
        if level is None:
            raise AnnotationError(f"the category {category.get('name')!r} names no vertebra", subject=subject)
        values = np.array(entry["keypoints"], dtype=np.float64).reshape(-1, 3)
        names = category.get("keypoints", [])
        told = len(names) == len(values) and set(names) == set(CORNERS)
        for number, (x, y, visibility) in enumerate(values.tolist()):
            if visibility > _ABSENT:
                points.append((point_name(level, CornerName(names[number])) if told else level.value, x, y))
    return spine_of(points, known.anterior, lambda: known.side(name), subject)


def _spine(entry: Mapping, names: Sequence[str], known: Known, image: str, subject: str) -> Spine:
    values = np.array(entry["keypoints"], dtype=np.float64).reshape(-1, 3)
    keys = [parse_point(name) for name in names]
    extra = entry.get(EXTRA) or {}
    if not any(keys):
        return _unnamed(values, known, image, subject)
    if len(keys) != len(values):
        raise AnnotationError(f"{len(keys)} keypoints are named, but {len(values)} are given", subject=subject)
    points: dict[PointKey, Corner] = {}
    notes = extra.get("points", {})
    for key, name, (x, y, visibility) in zip(keys, names, values):
        if key is None or key in points:
            fault = "names no corner of a vertebra" if key is None else "is there twice"
            raise AnnotationError(f"the keypoint {name!r} {fault}", subject=subject)
        # A point that our file lists for no vertebra is one that was never there (a midpoint nobody gave).
        if notes and visibility == _ABSENT and point_name(*key) not in notes:
            continue
        points[key] = _corner(x, y, visibility, notes.get(point_name(*key), {}), f"{subject}: {name}")
    confidence = extra.get("levels", dict.fromkeys(STANDARD_LEVELS))
    levels = {*confidence, *(key[0] for key in points if points[key].x is not None)}
    vertebrae = tuple(
        Vertebra(level, {key[1]: corner for key, corner in points.items() if key[0] == level}, confidence.get(level))
        for level in levels
    )
    spine = Spine(vertebrae, "right", Transition(extra.get("transition", Transition.UNKNOWN)))
    side = extra.get("anterior") or known.anterior or infer_anterior(spine) or "right"
    return Spine(vertebrae, side, spine.transition)


def _corner(x: float, y: float, visibility: float, note: Mapping, subject: str) -> Corner:
    if visibility not in _STATUS:
        raise AnnotationError(f"the visibility is {visibility:g}, but only 0, 1 and 2 exist", subject=subject)
    if visibility != _ABSENT and not (math.isfinite(x) and math.isfinite(y)):
        raise AnnotationError("the position is not finite", subject=subject)
    position = (None, None) if visibility == _ABSENT else (float(x), float(y))
    try:
        noted = Corner(*position, Status(note.get("status", _STATUS[visibility])), note.get("confidence"))
    except GeometryError:  # present without a position: a tool has set the visibility to 0 since
        noted = None
    if noted is None or noted.is_present != (visibility == _VISIBLE):
        return Corner(*position, _STATUS[visibility])
    return noted


def _unnamed(values: np.ndarray, known: Known, image: str, subject: str) -> Spine:
    labelled = values[values[:, 2] > 0]
    if len(labelled) != len(STANDARD_POINTS):
        raise AnnotationError(
            f"{len(labelled)} keypoints are labelled and none is named after a corner, so 24 are needed",
            subject=subject,
        )
    side = known.side(image)
    return Spine.from_array(recover(labelled[:, :2], side, subject), anterior=side)
