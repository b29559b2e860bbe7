"""What an inference request is answered with: a Markups file and JSON."""

from __future__ import annotations

import json
import os
import re
import tempfile
from typing import Any

from vertenet.annotation import markups
from vertenet.filenames import stem_of
from vertenet.radiograph import Radiograph, Spacing
from vertenet.reading import Reading
from vertenet.spine import CORNERS


def answer_json(reading: Reading, ignored: tuple[str, ...] = ()) -> dict[str, Any]:
    """The Reading in its published form, plus ``landmarks``, a flat list that needs no knowledge of that form.

    Plain numbers and nulls only: the JSON writer of MONAI Label would let NaN through, and other writers would not.

    Returns
    -------
    dict
        ``Reading.from_dict`` reads it back. ``landmarks`` is a list of the 24 corners: ``name, level, corner, x_px,
        y_px, x_mm, y_mm, status, confidence, radius_px``. The radius is that of the disc that holds the true corner in
        90 of 100 cases, null where it was not calibrated; millimetres are measured from the centre of the first pixel
        and null where the pixel spacing is unknown. ``ignored_parameters`` lists what the request said in vain.
    """
    answer = json.loads(reading.to_json())
    answer["landmarks"] = landmarks(reading)
    answer["ignored_parameters"] = list(ignored)
    return answer


def landmarks(reading: Reading) -> list[dict[str, Any]]:
    rows = []
    for name, corner in reading.spine.named_points():
        level, point = name.split("-")
        if point not in CORNERS:
            continue  # mid-endplate points are in the spine
        x_mm, y_mm = _millimetres(corner.x, corner.y, reading.image.spacing)
        rows.append(
            {
                "name": name,
                "level": level,
                "corner": point,
                "x_px": corner.x,
                "y_px": corner.y,
                "x_mm": x_mm,
                "y_mm": y_mm,
                "status": corner.status.value,
                "confidence": corner.confidence,
                "radius_px": corner.radius,
            }
        )
    return rows


def _millimetres(x: float | None, y: float | None, spacing: Spacing | None) -> tuple[float | None, float | None]:
    if x is None or y is None or spacing is None:
        return None, None
    return x * spacing.column, y * spacing.row


def write_markups(reading: Reading, radiograph: Radiograph, pixels_sha256: str | None = None) -> str:
    """Path of a new temporary ``.mrk.json`` file; whoever receives it deletes it.

    The image's name, or the end of a long one, is kept in front, because 3D Slicer names the node after the file.
    ``pixels_sha256`` is kept in it: a label that starts from it says which pixels it is of.
    """
    stem = re.sub(r"[^\w.-]+", "_", stem_of(radiograph.name))[-60:].lstrip(".-")
    handle, path = tempfile.mkstemp(prefix=f"{stem}_", suffix=".mrk.json")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        size = (radiograph.rows, radiograph.columns)
        text = markups.dumps(
            reading.spine,
            radiograph.geometry,
            image=radiograph.name,
            size=size,
            pixels_sha256=pixels_sha256,
            midpoints=False,
        )
        file.write(text)
    return path
