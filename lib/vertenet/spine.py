"""Level, Corner, Vertebra, Spine: the one object that every room passes on.

Coordinates are source pixels: x to the right, y down, pixel centres at integers. Corner names are anatomical, so they
do not change when an image is mirrored:

======  ====================
``SA``  superior-anterior
``SP``  superior-posterior
``IA``  inferior-anterior
``IP``  inferior-posterior
======  ====================

Two further points per vertebra, the middles of its endplates (``SM``, ``IM``), are optional: six-point morphometry
(Genant 1993) needs them and four corners cannot give them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .errors import GeometryError

Side = Literal["left", "right"]


class Level(str, Enum):
    """Vertebral level. Members are ordered from head to foot; ``L6`` exists for a lumbarised S1."""

    T1 = "T1"
    T2 = "T2"
    T3 = "T3"
    T4 = "T4"
    T5 = "T5"
    T6 = "T6"
    T7 = "T7"
    T8 = "T8"
    T9 = "T9"
    T10 = "T10"
    T11 = "T11"
    T12 = "T12"
    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    L4 = "L4"
    L5 = "L5"
    L6 = "L6"
    S1 = "S1"

    __str__ = str.__str__

    @property
    def rank(self) -> int:
        """Position from head to foot, 0 for T1."""
        return _RANK[self]


_RANK = {level: rank for rank, level in enumerate(Level)}

#: The six levels of the paper, T12 to L5.
STANDARD_LEVELS: tuple[Level, ...] = (Level.T12, Level.L1, Level.L2, Level.L3, Level.L4, Level.L5)


#: Thoracic levels above T11: networks see their bodies, and nothing but the count from below tells one from another.
UPPER_THORACIC: tuple[Level, ...] = tuple(level for level in Level if level.rank < Level.T11.rank)
#: The levels of the usual count, from T11 to S1; L6 exists for transitional anatomy alone.
LADDER: tuple[Level, ...] = tuple(level for level in Level if level not in (*UPPER_THORACIC, Level.L6))


class CornerName(str, Enum):
    """A named point of a vertebral body: four corners and two mid-endplate points."""

    SA = "SA"
    SP = "SP"
    IA = "IA"
    IP = "IP"
    SM = "SM"
    IM = "IM"

    __str__ = str.__str__


#: The four corners, in the order used by arrays throughout the library.
CORNERS: tuple[CornerName, ...] = (CornerName.SA, CornerName.SP, CornerName.IA, CornerName.IP)
#: The two mid-endplate points of six-point morphometry.
MIDPOINTS: tuple[CornerName, ...] = (CornerName.SM, CornerName.IM)


class Status(str, Enum):
    """What is known of a landmark.

    ``present``: located. ``missing``: the vertebra or corner was looked for and not found. ``outside``: it lies beyond
    the image; a position, if given, is an extrapolation or a phantom's truth. ``unevaluable``: it is in the image but
    cannot be placed (hidden, blanked, deformed beyond recognition).
    """

    PRESENT = "present"
    MISSING = "missing"
    OUTSIDE = "outside"
    UNEVALUABLE = "unevaluable"

    __str__ = str.__str__


class Transition(str, Enum):
    """Lumbosacral transitional anatomy (LSTV)."""

    NONE = "none"
    SACRALISED_L5 = "sacralised-L5"
    LUMBARISED_S1 = "lumbarised-S1"
    UNKNOWN = "unknown"

    __str__ = str.__str__


@dataclass(frozen=True)
class Corner:
    """One landmark.

    Attributes
    ----------
    x, y : float or None
        Source pixels; both None where there is no position. A ``present`` corner always has a finite position.
    status : Status
    confidence : float or None
        0 to 1; None where nobody estimated it (a human annotation).
    radius : float or None
        Source pixels: the disc around (x, y) that holds the true point in 90 of 100 cases, by split-conformal
        calibration; None where nobody calibrated it.
    """

    x: float | None = None
    y: float | None = None
    status: Status = Status.PRESENT
    confidence: float | None = None
    radius: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", Status(self.status))
        if (self.x is None) != (self.y is None):
            raise GeometryError("a corner has one coordinate without the other")
        if self.x is not None and self.y is not None:
            object.__setattr__(self, "x", float(self.x))
            object.__setattr__(self, "y", float(self.y))
            if not (math.isfinite(self.x) and math.isfinite(self.y)):
                raise GeometryError(f"a corner has the non-finite position ({self.x}, {self.y})")
        elif self.status is Status.PRESENT:
            raise GeometryError("a corner is called present but has no position")
        if self.confidence is not None:
            object.__setattr__(self, "confidence", float(self.confidence))
            if not 0.0 <= self.confidence <= 1.0:
                raise GeometryError(f"a corner has confidence {self.confidence}, outside 0 to 1")
        if self.radius is not None:
            object.__setattr__(self, "radius", float(self.radius))
            if not 0.0 <= self.radius < math.inf:
                raise GeometryError(f"a corner has the error radius {self.radius}")

    @classmethod
    def missing(cls) -> Corner:
        """A corner that was looked for and not found."""
        return cls(status=Status.MISSING)

    @property
    def xy(self) -> NDArray[np.float64]:
        """(2,) float64 source pixels; NaN where there is no position."""
        return np.array([math.nan, math.nan] if self.x is None else [self.x, self.y])

    @property
    def is_present(self) -> bool:
        return self.status is Status.PRESENT

    def to_dict(self) -> dict[str, Any]:
        data = {"x": self.x, "y": self.y, "status": self.status.value, "confidence": self.confidence}
        return data if self.radius is None else {**data, "radius": self.radius}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Corner:
        return cls(data["x"], data["y"], Status(data["status"]), data.get("confidence"), data.get("radius"))


@dataclass(frozen=True)
class Vertebra:
    """A vertebral body: its level and its named points.

    ``points`` maps `CornerName` to `Corner`; the four corners are always there (missing ones with status
    ``missing``), the mid-endplate points only where somebody gave them. ``confidence`` (0 to 1 or None) is that of the
    level, not of the corners.
    """

    level: Level
    points: Mapping[CornerName, Corner] = field(default_factory=dict)
    confidence: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "level", Level(self.level))
        points = {CornerName(name): corner for name, corner in self.points.items()}
        full = {name: points.get(name, Corner.missing()) for name in CORNERS}
        full.update({name: points[name] for name in MIDPOINTS if name in points})
        object.__setattr__(self, "points", MappingProxyType(full))
        if self.confidence is not None:
            object.__setattr__(self, "confidence", float(self.confidence))
            if not 0.0 <= self.confidence <= 1.0:
                raise GeometryError(f"{self.level} has level confidence {self.confidence}, outside 0 to 1")

    # MappingProxyType cannot be pickled (multi-process loaders, Ray), a plain dict can.
    def __reduce__(self) -> tuple[Any, ...]:
        return (Vertebra, (self.level, dict(self.points), self.confidence))

    def __hash__(self) -> int:
        return hash((self.level, tuple(self.points.items()), self.confidence))

    def __getitem__(self, name: CornerName | str) -> Corner:
        return self.points[CornerName(name)]

    @property
    def is_complete(self) -> bool:
        """All four corners are present."""
        return all(self.points[name].is_present for name in CORNERS)

    @property
    def is_missing(self) -> bool:
        """None of the four corners has a position that may be used."""
        return not any(self.points[name].is_present for name in CORNERS)

    def to_array(self, corners: Sequence[CornerName | str] = CORNERS, *, present: bool = False) -> NDArray[np.float64]:
        """(len(corners), 2) float64 source pixels; NaN where there is no position.

        ``present``: NaN also for points with another status, whose position is no measurement.
        """
        blank = Corner.missing()
        found = [self.points.get(CornerName(name), blank) for name in corners]
        return np.stack([blank.xy if present and not corner.is_present else corner.xy for corner in found])

    @property
    def centre(self) -> NDArray[np.float64]:
        """(2,) mean of the four corners; NaN when one has no position."""
        return np.asarray(self.to_array().mean(axis=0))

    def to_dict(self) -> dict[str, Any]:
        return {
            "level": self.level.value,
            "confidence": self.confidence,
            "points": {name.value: corner.to_dict() for name, corner in self.points.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Vertebra:
        points = {CornerName(name): Corner.from_dict(value) for name, value in data["points"].items()}
        return cls(Level(data["level"]), points, data.get("confidence"))


@dataclass(frozen=True)
class Spine:
    """Vertebrae from head to foot, in source pixels, and the side that is anterior.

    Attributes
    ----------
    vertebrae : tuple of Vertebra
        Sorted by level; no level twice. Any subset of `Level`; T12 to L5 is the usual one.
    anterior : {"left", "right"}
        The side of the *image* that the front of the body faces.
    transition : Transition
        Lumbosacral transitional anatomy, if somebody said so.
    """

    vertebrae: tuple[Vertebra, ...]
    anterior: Side = "right"
    transition: Transition = Transition.UNKNOWN

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.vertebrae, key=lambda v: v.level.rank))
        levels = [v.level for v in ordered]
        repeated = sorted({str(level) for level in levels if levels.count(level) > 1})
        if repeated:
            raise GeometryError(f"a spine names {', '.join(repeated)} more than once")
        if self.anterior not in ("left", "right"):
            raise GeometryError(f"anterior is {self.anterior!r}, but only 'left' and 'right' exist")
        object.__setattr__(self, "vertebrae", ordered)
        object.__setattr__(self, "transition", Transition(self.transition))

    @classmethod
    def from_array(
        cls,
        xy: NDArray[np.float64],
        levels: Sequence[Level | str] = STANDARD_LEVELS,
        corners: Sequence[CornerName | str] = CORNERS,
        *,
        anterior: Side = "right",
        confidence: NDArray[np.float64] | None = None,
        transition: Transition = Transition.UNKNOWN,
    ) -> Spine:
        """Build a spine from an array.

        Parameters
        ----------
        xy : (n, k, 2) array
            Source pixels, ``n`` levels by ``k`` points in the order of ``corners``. A point with a NaN is ``missing``.
        levels, corners : sequences of n and k names
        anterior : the side of the image that is anterior
        confidence : (n, k) array, optional
            0 to 1 for each point.

        Raises
        ------
        GeometryError
            Shape and names disagree, or a value is infinite.
        """
        xy = np.asarray(xy, dtype=np.float64)
        levels = [Level(level) for level in levels]
        corners = [CornerName(corner) for corner in corners]
        if xy.shape != (len(levels), len(corners), 2):
            raise GeometryError(
                f"landmarks have shape {xy.shape}, but {len(levels)} levels of {len(corners)} points need "
                f"({len(levels)}, {len(corners)}, 2)"
            )
        vertebrae = []
        for i, level in enumerate(levels):
            points = {}
            for j, corner in enumerate(map(CornerName, corners)):
                score = None if confidence is None else float(confidence[i][j])
                x, y = xy[i, j]
                absent = np.isnan(x) or np.isnan(y)
                points[corner] = Corner.missing() if absent else Corner(x, y, confidence=score)
            vertebrae.append(Vertebra(Level(level), points))
        return cls(tuple(vertebrae), anterior, transition)

    def to_array(
        self,
        levels: Sequence[Level | str] | None = None,
        corners: Sequence[CornerName | str] = CORNERS,
        *,
        present: bool = False,
    ) -> NDArray[np.float64]:
        """(n, k, 2) float64 source pixels; NaN where a point has no position.

        ``levels`` defaults to the spine's own, from head to foot; ``present`` as in `Vertebra.to_array`.
        """
        names = self.levels if levels is None else tuple(Level(level) for level in levels)
        if not names:
            return np.empty((0, len(corners), 2))
        blank = np.full((len(corners), 2), np.nan)
        return np.stack([self[n].to_array(corners, present=present) if n in self else blank for n in names])

    @property
    def levels(self) -> tuple[Level, ...]:
        return tuple(v.level for v in self.vertebrae)

    def __iter__(self) -> Iterator[Vertebra]:
        return iter(self.vertebrae)

    def __len__(self) -> int:
        return len(self.vertebrae)

    def __contains__(self, level: object) -> bool:
        return any(v.level == level for v in self.vertebrae)

    def __getitem__(self, level: Level | str) -> Vertebra:
        for vertebra in self.vertebrae:
            if vertebra.level == level:
                return vertebra
        raise KeyError(f"the spine has no {level}")

    def named_points(self) -> Iterator[tuple[str, Corner]]:
        """Every point with its name (``"T12-SA"``), from head to foot, in the order of `CORNERS`, then midpoints."""
        for vertebra in self.vertebrae:
            for name, corner in vertebra.points.items():
                yield f"{vertebra.level}-{name}", corner

    def present_points(self) -> dict[str, tuple[float, float]]:
        """Positions of the points that are present, by name, in the order of `named_points`."""
        return {
            name: (corner.x, corner.y)
            for name, corner in self.named_points()
            if corner.is_present and corner.x is not None and corner.y is not None
        }

    def select(self, levels: Iterable[Level | str]) -> Spine:
        """The same spine restricted to ``levels``; a level it lacks is added with every corner missing."""
        wanted = [Level(level) for level in levels]
        return replace(self, vertebrae=tuple(self[n] if n in self else Vertebra(n) for n in wanted))

    def map_points(self, function: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Spine:
        """The same spine with ``function`` ((k, 2) array to (k, 2) array) applied to every position."""
        vertebrae = []
        for vertebra in self.vertebrae:
            points = {}
            for name, corner in vertebra.points.items():
                if corner.x is None:
                    points[name] = corner
                    continue
                x, y = np.asarray(function(corner.xy[None]))[0]
                points[name] = replace(corner, x=float(x), y=float(y))
            vertebrae.append(replace(vertebra, points=points))
        return replace(self, vertebrae=tuple(vertebrae))

    def bounded(self, rows: int, columns: int) -> Spine:
        """The same spine with every present corner beyond the pixels of an image called ``outside``, position kept."""

        def checked(corner: Corner) -> Corner:
            if not corner.is_present or corner.x is None or corner.y is None:
                return corner
            inside = -0.5 <= corner.x <= columns - 0.5 and -0.5 <= corner.y <= rows - 0.5
            return corner if inside else replace(corner, status=Status.OUTSIDE)

        vertebrae = []
        for vertebra in self.vertebrae:
            points = {name: checked(corner) for name, corner in vertebra.points.items()}
            vertebrae.append(replace(vertebra, points=points))
        return replace(self, vertebrae=tuple(vertebrae))

    def mirrored(self, columns: int) -> Spine:
        """The spine of the image mirrored left to right; ``columns`` is that image's width in pixels."""
        flipped = self.map_points(lambda p: np.column_stack([columns - 1 - p[:, 0], p[:, 1]]))
        return replace(flipped, anterior="left" if self.anterior == "right" else "right")

    def shifted(self, steps: int) -> Spine:
        """Rename every vertebra ``steps`` levels towards the feet (negative: the head) along T11, T12, L1 ... L5, S1.

        A vertebra that would leave the named range is dropped; levels that nothing moves into are missing.
        """
        moved = []
        for vertebra in self.vertebrae:
            if vertebra.level not in LADDER:
                continue
            place = LADDER.index(vertebra.level) + steps
            if 0 <= place < len(LADDER):
                moved.append(replace(vertebra, level=LADDER[place]))
        have = {v.level for v in moved}
        kept = [v for v in moved if v.level in self.levels]
        kept += [Vertebra(level) for level in self.levels if level not in have]
        return replace(self, vertebrae=tuple(kept))

    def to_dict(self) -> dict[str, Any]:
        return {
            "anterior": self.anterior,
            "transition": self.transition.value,
            "vertebrae": [v.to_dict() for v in self.vertebrae],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Spine:
        vertebrae = tuple(Vertebra.from_dict(v) for v in data["vertebrae"])
        return cls(vertebrae, data["anterior"], Transition(data.get("transition", "unknown")))
