"""The label file that is submitted: where every point is now, and where the model had put it."""

from __future__ import annotations

import json
from typing import Optional

from vertenet.annotation import markups
from vertenet.annotation.markups_text import Note
from vertenet.radiograph import ViewerGeometry
from vertenet.spine import Spine


def label_text(
    spine: Spine, geometry: ViewerGeometry, image_id: str, size: tuple[int, int], proposed: Optional[Spine]
) -> str:
    """A Markups file of ``spine``.

    A point's description tells where the model had put it, as it would if Slicer had moved the model's own point. By
    that the server knows which proposal the label started from, and what was changed (docs/annotate.md).

    Parameters
    ----------
    spine : Spine
        As the reader leaves it, source pixels.
    geometry : ViewerGeometry
        Of the image on the screen; the file states it.
    image_id : str
    size : (rows, columns)
    proposed : Spine or None
        What the model answered; None where nobody asked it.
    """
    text = markups.dumps(spine, geometry, image=image_id, size=size)
    if proposed is None:
        return text
    origin = {name: corner for name, corner in proposed.named_points() if corner.is_present}
    data = json.loads(text)
    for point in data["markups"][0]["controlPoints"]:
        if point["positionStatus"] == "defined":
            was = origin.get(point["label"])
            point["description"] = "" if was is None else str(Note.of(was))
    return json.dumps(data, indent=1, allow_nan=False)
