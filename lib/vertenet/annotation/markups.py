"""3D Slicer Markups (``.mrk.json``): a list of named control points in LPS millimetres.

Of a file that passes through Slicer only what its Markups nodes know survives, so everything is put there:

- a control point each for ``T12-SA`` ... ``L5-IP``, always these 24 in this order, then midpoints and further levels;
- ``positionStatus`` is ``defined`` for present corners and ``undefined`` for all others, so Slicer shows no position
  that must not be measured;
- the point's ``description`` gives status, confidence, error radius and source pixels (`markups_text.Note`). A point
  that was moved since is a person's: it keeps its new position and loses the model's confidence and radius;
- ``selected`` tells confident points (at least `CONFIDENT`) from the others by their colour;
- a static measurement called ``vertenet`` describes the rest (`markups_text.Described`).

A list that a person placed without names (Slicer calls its points ``F-1``, ``F-2`` ...) is read where it has 24 points:
they are named from their geometry.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import AnnotationError
from ..filenames import image_of
from ..files import write_text
from ..measure.consistency import infer_anterior
from ..radiograph import ViewerGeometry
from ..spine import MIDPOINTS, Corner, Side, Spine, Status, Vertebra
from .markups_text import Described, Note
from .names import STANDARD_POINTS, PointKey, parse_point, point_name
from .order import recover
from .record import Annotation, Known, parse_json, read_text, structured

#: The identifier that Slicer itself writes; it accepts any 1.x version of it.
SCHEMA = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"
    "markups-schema-v1.0.3.json#"
)
SUFFIX = ".mrk.json"
CONFIDENT = 0.5
MEASUREMENT = "vertenet"
#: A point further than this (px) from where it was written has been moved.
_MOVED_PX = 1e-3
_TO_LPS = {"LPS": np.array([1.0, 1.0, 1.0]), "RAS": np.array([-1.0, -1.0, 1.0])}

#: Small crosses and labels that stay readable on a 2D image, shown although they lie off the slice by a rounding error.
DISPLAY = {
    "visibility": True,
    "opacity": 1.0,
    "color": [1.0, 0.65, 0.1],
    "selectedColor": [0.3, 0.9, 0.4],
    "activeColor": [0.4, 1.0, 1.0],
    "propertiesLabelVisibility": False,
    "pointLabelsVisibility": True,
    "textScale": 2.0,
    "glyphType": "Cross2D",
    "glyphScale": 1.5,
    "glyphSize": 3.0,
    "useGlyphScale": True,
    "sliceProjection": True,
    "sliceProjectionUseFiducialColor": True,
    "sliceProjectionOpacity": 1.0,
}


def dumps(
    spine: Spine,
    geometry: ViewerGeometry | None = None,
    *,
    image: str | None = None,
    size: tuple[int, int] | None = None,
    pixels_sha256: str | None = None,
    midpoints: bool = True,
) -> str:
    """The Markups file of a spine.

    Parameters
    ----------
    spine : Spine
        Source pixels.
    geometry : ViewerGeometry, optional
        Where the viewer puts those pixels (`Radiograph.geometry`); 1 mm a pixel, as for a PNG, by default.
    image : str, optional
        Name of the image, kept in the file.
    size : (rows, columns), optional
        Size of the image, kept in the file.
    pixels_sha256 : str, optional
        Of the image's pixels (`vertenet.imaging.fingerprint`), kept in the file: another image under the same name is
        then told from the one that these landmarks are of.
    midpoints : bool
        Write the mid-endplate points too. Without them a prediction is 24 points, as viewers expect.

    Returns
    -------
    str
        JSON text; `loads` gives the same spine back, exactly (less the midpoints that were not written).
    """
    geometry = geometry or ViewerGeometry.identity()
    points = {parse_point(name): corner for name, corner in spine.named_points()}
    if not midpoints:
        points = {key: corner for key, corner in points.items() if key[1] not in MIDPOINTS}
    keys = [*STANDARD_POINTS, *(key for key in points if key not in STANDARD_POINTS)]
    description = Described.of(spine, geometry, image, size, pixels_sha256).to_json()
    markup = {
        "type": "Fiducial",
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "locked": False,
        "fixedNumberOfControlPoints": True,
        "labelFormat": "%N-%d",
        "lastUsedControlPointNumber": len(keys),
        "controlPoints": [
            _control_point(number, key, points.get(key), geometry) for number, key in enumerate(keys, start=1)
        ],
        "measurements": [{"name": MEASUREMENT, "enabled": False, "description": description}],
        "display": DISPLAY,
    }
    return json.dumps({"@schema": SCHEMA, "markups": [markup]}, indent=1, allow_nan=False)


def loads(text: str, geometry: ViewerGeometry | None = None, *, subject: str = "markups") -> Spine:
    """The spine of a Markups file, whether we or Slicer wrote it.

    Parameters
    ----------
    text : str
        JSON.
    geometry : ViewerGeometry, optional
        Where the viewer put the pixels of the image. By default what the file itself says, else 1 mm a pixel.
    subject : str
        What to call the file in messages.

    Raises
    ------
    AnnotationError
        Not a Markups file, several lists with our points, an unknown, repeated or non-finite point.
    """
    markup, described = _open(text, subject)
    return _spine(markup, described, geometry or described.geometry, subject)


def looks_like(data: Mapping) -> bool:
    return "markups" in data


def read(path: Path, known: Known) -> dict[str, Annotation]:
    """The annotation of the file's image. Raises `AnnotationError`."""
    markup, described = _open(read_text(path), str(path), names_needed=known.names_needed)
    image = described.image or image_of(path.name)
    actual = known.geometry(image)
    # The positions were written in the geometry that the file states, even where the image turns out to have another.
    geometry = described.geometry or actual
    if _names_corners(markup):
        spine = _spine(markup, described, geometry, str(path))
    else:
        spine = _unnamed(markup, geometry, known.side(image), str(path))
    size = described.size or known.size(image) or (None, None)
    geometry = actual or described.geometry
    return {image: Annotation(spine, image, *size, geometry=geometry, pixels_sha256=described.pixels_sha256)}


def write(annotations: Sequence[Annotation], path: Path) -> None:
    """One file for one image."""
    (annotation,) = annotations
    text = dumps(
        annotation.spine,
        annotation.geometry,
        image=annotation.image,
        size=annotation.size,
        pixels_sha256=annotation.pixels_sha256,
    )
    write_text(path, text)


def _control_point(number: int, key: PointKey, corner: Corner | None, geometry: ViewerGeometry) -> dict:
    point = {
        "id": str(number),
        "label": point_name(*key),
        "description": "" if corner is None else str(Note.of(corner)),
        "associatedNodeID": "",
    }
    located = corner is not None and corner.is_present
    if located:
        point["position"] = geometry.to_lps(corner.xy)[0].tolist()
    return {
        **point,
        "orientation": [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0],
        "selected": located and (corner.confidence is None or corner.confidence >= CONFIDENT),
        "locked": False,
        "visibility": True,
        "positionStatus": "defined" if located else "undefined",
    }


def _open(text: str, subject: str, *, names_needed: bool = True) -> tuple[Mapping, Described]:
    """The one list of control points that names corners, and what is described of it.

    Where no list names any and names are not needed, the only list of points.
    """
    with structured("Markups file", subject):
        lists = [markup for markup in parse_json(text, subject)["markups"] if markup.get("type") == "Fiducial"]
        ours = [markup for markup in lists if _names_corners(markup)]
        if not ours and not names_needed and len(lists) == 1:
            ours = lists
        if len(ours) != 1:
            raise AnnotationError(
                f"{len(ours) or 'no'} point lists with names such as T12-SA are in the file, but one is needed",
                subject=subject,
            )
        for measurement in ours[0].get("measurements", []):
            if measurement.get("name") == MEASUREMENT:
                return ours[0], Described.from_json(measurement["description"])
        return ours[0], Described()


def _names_corners(markup: Mapping) -> bool:
    return any(parse_point(point.get("label")) for point in markup.get("controlPoints", []))


def _spine(markup: Mapping, described: Described, geometry: ViewerGeometry | None, subject: str) -> Spine:
    points: dict[PointKey, Corner | None] = {}
    with structured("Markups file", subject):
        to_lps = _lps_factor(markup, subject)
        for point in markup["controlPoints"]:
            name = str(point.get("label", ""))
            key = parse_point(name)
            if key is None or key in points:
                fault = "names no corner of a vertebra" if key is None else "is there twice"
                raise AnnotationError(f"the point {name!r} {fault}", subject=subject, remedy="Rename or remove it")
            points[key] = _corner(point, to_lps, geometry or ViewerGeometry.identity(), f"{subject}: {name}")
        levels = {*described.levels, *(level for (level, _), corner in points.items() if corner is not None)}
        vertebrae = []
        for level in levels:
            mine = {name: corner for (of, name), corner in points.items() if of == level}
            # A corner of which nothing is said is missing; a midpoint of which nothing is said was never there.
            kept = {name: c or Corner.missing() for name, c in mine.items() if c or name not in MIDPOINTS}
            vertebrae.append(Vertebra(level, kept, described.levels.get(level)))
        spine = Spine(tuple(vertebrae), described.anterior or "right", described.transition)
        if described.anterior is None and infer_anterior(spine) == "left":
            spine = Spine(spine.vertebrae, "left", spine.transition)
        return spine


def _unnamed(markup: Mapping, geometry: ViewerGeometry | None, side: Side, subject: str) -> Spine:
    with structured("Markups file", subject):
        to_lps = _lps_factor(markup, subject)
        placed = [point for point in markup["controlPoints"] if point.get("positionStatus", "defined") == "defined"]
        if len(placed) != len(STANDARD_POINTS):
            label = str(placed[0].get("label")) if placed else ""
            raise AnnotationError(
                f"{len(placed)} points are placed and none is named after a corner"
                + (f" (the first is {label!r})" if label else "")
                + ", so 24 are needed",
                subject=subject,
                remedy="Name them T12-SA to L5-IP, or place the four corners of each vertebra from T12 to L5",
            )
        xy = [
            (corner.x, corner.y)
            for point in placed
            if (corner := _corner(point, to_lps, geometry or ViewerGeometry.identity(), subject)) is not None
        ]
        return Spine.from_array(recover(np.array(xy), side, subject), anterior=side)


def _lps_factor(markup: Mapping, subject: str) -> np.ndarray:
    """(3,) factors from the file's coordinates to LPS, which is also meant where none is named."""
    system, units = markup.get("coordinateSystem", "LPS"), markup.get("coordinateUnits", "mm")
    if system not in _TO_LPS:
        raise AnnotationError(f"the coordinate system is {system!r}, but LPS or RAS is needed", subject=subject)
    if (units[0] if isinstance(units, list) else units) != "mm":
        raise AnnotationError(f"the coordinate units are {units!r}, but mm are needed", subject=subject)
    return _TO_LPS[system]


def _corner(point: Mapping, to_lps: np.ndarray, geometry: ViewerGeometry, subject: str) -> Corner | None:
    """The corner of a control point; None where nobody ever said anything of it."""
    note = Note.parse(point.get("description"))
    was_present = note is not None and note.status is Status.PRESENT
    # Slicer writes an empty text as the position of a point that has none.
    if point.get("positionStatus", "defined") != "defined" or not point.get("position"):
        if was_present:  # someone has taken it away since
            return Corner.missing()
        return None if note is None else note.corner
    position = np.array(point["position"], dtype=np.float64)
    if position.shape != (3,) or not np.isfinite(position).all():
        raise AnnotationError("the position is not three finite numbers", subject=subject)
    x, y = geometry.to_pixels(to_lps * position)[0]
    if was_present and math.dist((x, y), note.at) <= _MOVED_PX:
        return note.corner
    return Corner(x, y)
