"""What a Markups file says beyond positions, in the two places where Slicer keeps text: descriptions.

A control point's description is a `Note`; the description of one static measurement is `Described`, as JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import GeometryError
from ..radiograph import ViewerGeometry
from ..spine import STANDARD_LEVELS, Corner, Level, Side, Spine, Status, Transition

_NUMBER = r"[-+0-9.eE]+"
_PATTERN = re.compile(
    rf"({'|'.join(status.value for status in Status)})(?:; confidence ({_NUMBER}))?(?:; radius ({_NUMBER}))?"
    rf"(?:; at ({_NUMBER}), ({_NUMBER}))?"
)


@dataclass(frozen=True)
class Note:
    """A corner as text: ``present; confidence 0.93; radius 2.5; at 138.25, 491.5``, in source pixels."""

    status: Status
    confidence: float | None = None
    radius: float | None = None
    at: tuple[float, float] | None = None

    @classmethod
    def of(cls, corner: Corner) -> Note:
        return cls(corner.status, corner.confidence, corner.radius, None if corner.x is None else (corner.x, corner.y))

    def __str__(self) -> str:
        text = self.status.value
        text += "" if self.confidence is None else f"; confidence {self.confidence!r}"
        text += "" if self.radius is None else f"; radius {self.radius!r}"
        return text + ("" if self.at is None else f"; at {self.at[0]!r}, {self.at[1]!r}")

    @property
    def corner(self) -> Corner:
        """The corner again, exactly. Raises `GeometryError` where the text contradicts itself."""
        x, y = self.at or (None, None)
        return Corner(x, y, self.status, self.confidence, self.radius)

    @classmethod
    def parse(cls, text: object) -> Note | None:
        """The note in a description, or None where it is somebody else's text."""
        match = _PATTERN.match(text) if isinstance(text, str) else None
        if match is None:
            return None
        status, confidence, radius, x, y = match.groups()
        try:
            at = None if x is None else (float(x), float(y))
            sure, size = (None if text is None else float(text) for text in (confidence, radius))
            note = cls(Status(status), sure, size, at)
            _ = note.corner
        except (ValueError, GeometryError):  # a person edited the text, and now it is theirs
            return None
        return note


@dataclass(frozen=True)
class Described:
    """What concerns the whole list. All fields of a file that is not ours have their defaults.

    ``levels`` maps each level of the spine to its confidence; ``size`` is (rows, columns). ``pixels_sha256`` is that of
    the pixels which the landmarks were made on (`vertenet.imaging.fingerprint`).
    """

    anterior: Side | None = None
    transition: Transition = Transition.UNKNOWN
    levels: Mapping[Level, float | None] = field(default_factory=lambda: dict.fromkeys(STANDARD_LEVELS))
    image: str | None = None
    size: tuple[int, int] | None = None
    geometry: ViewerGeometry | None = None
    pixels_sha256: str | None = None

    @classmethod
    def of(
        cls,
        spine: Spine,
        geometry: ViewerGeometry,
        image: str | None,
        size: tuple[int, int] | None,
        pixels_sha256: str | None,
    ) -> Described:
        levels = {vertebra.level: vertebra.confidence for vertebra in spine}
        return cls(spine.anterior, spine.transition, levels, image, size, geometry, pixels_sha256)

    def to_json(self) -> str:
        """JSON text, with the notice that everything medical here carries."""
        data = {
            "anterior": self.anterior,
            "transition": self.transition.value,
            "levels": {level.value: confidence for level, confidence in self.levels.items()},
            "image": self.image,
            "size": self.size,
            "geometry": {name: getattr(self.geometry, name).tolist() for name in _VECTORS},
            "pixels_sha256": self.pixels_sha256,
            "notice": "Research use only",
        }
        return json.dumps(data, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Described:
        """Raises KeyError, TypeError or ValueError for JSON of another shape."""
        data = json.loads(text)
        rows_columns, geometry, pixels = data["size"], data["geometry"], data.get("pixels_sha256")
        return cls(
            data["anterior"],
            Transition(data["transition"]),
            {Level(level): confidence for level, confidence in data["levels"].items()},
            data["image"],
            None if rows_columns is None else (int(rows_columns[0]), int(rows_columns[1])),
            ViewerGeometry(*(geometry[name] for name in _VECTORS)),
            None if pixels is None else str(pixels),
        )


_VECTORS = ("origin", "column_step", "row_step")
