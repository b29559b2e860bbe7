"""What is drawn over the image, in source pixels; no MRML here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

import numpy as np

from vertenet.annotation import markups
from vertenet.errors import GeometryError
from vertenet.measure import CropResult, CropState, Guide
from vertenet.measure.aac import CELLS, Wall
from vertenet.measure.corridor import Corridor, aortic_corridor, guide_ends
from vertenet.measure.crop import lost_points
from vertenet.measure.guides import GUIDE_NAMES, SEGMENTS
from vertenet.radiograph import Radiograph
from vertenet.spine import CORNERS, Corner, CornerName, Level, Spine, Vertebra

from . import colours
from .colours import Colour
from .wording import transition_words

#: Around a vertebra.
_RING = (CornerName.SA, CornerName.SP, CornerName.IP, CornerName.IA, CornerName.SA)
#: Radius of the ring around a corner, in depths of its vertebra.
_CORNER_RING = 0.055
_CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 17)), np.sin(np.linspace(0, 2 * np.pi, 17))], axis=1)
#: Around a corner that the model guesses: told from the others by its form, not by colour alone.
_DIAMOND = 1.7 * np.array([(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0), (1.0, 0.0)])
#: Along each side of a vertebra that contradicts itself.
_DASHES = 7
#: Guides go on behind the posterior corners by this share of their length.
_BEHIND = 0.08
#: Every so many samples of the corridor, and this many points across it, are looked at to draw what is lost.
_EVERY, _ACROSS = 4, 33
#: Names of levels stand so many vertebral depths behind the posterior corners.
_NAME_GAP = 0.62
#: The same where the names of guides stand behind the vertebrae too, because words run that way.
_NAME_GAP_BEHIND_GUIDES = 0.95
#: Words on transitional anatomy stand so many depths below L5.
_TRANSITION_GAP = 0.3
#: From the name of a level to that of a second reading, vertebral depths.
_OTHER_NAME_GAP = 0.55
LEVEL_NAMES = frozenset(level.value for level in Level)


@dataclass(frozen=True, eq=False)
class Shape:
    """A line, or an area where ``filled``. ``xy``: (n, 2) source pixels."""

    xy: np.ndarray
    colour: Colour
    filled: bool = False


@dataclass(frozen=True)
class Name:
    """A word in the picture; its lower left corner is at (x, y), source pixels."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Drawing:
    """Everything that is drawn of one state of the landmarks.

    ``cells``: (5, 2) closed outline of the part of the corridor where a wall of a segment is looked for: the half away
    from the spine for the anterior wall, the half beside it for the posterior one.
    """

    guides: Sequence[Shape] = ()
    bands: Sequence[Shape] = ()
    corridor: Sequence[Shape] = ()
    lost_area: Sequence[Shape] = ()
    lost_edge: Sequence[Shape] = ()
    levels: Sequence[Shape] = ()
    cells: Mapping[tuple[Level, Wall], np.ndarray] = field(default_factory=dict)
    level_names: Sequence[Name] = field(default_factory=tuple)
    guide_names: Sequence[Name] = field(default_factory=tuple)


def draw(
    radiograph: Radiograph,
    spine: Spine,
    guides: Mapping[str, Guide],
    crop: CropResult,
    blanked: np.ndarray,
    *,
    doubted: Set[Level] = frozenset(),
    reading_direction: int = 1,
) -> Drawing:
    """The drawing of landmarks.

    Parameters
    ----------
    radiograph : Radiograph
    spine : Spine
    guides : mapping of str to Guide
        Those of ``spine`` that can be trusted.
    crop : CropResult
        Of ``spine`` in ``radiograph``.
    blanked : (rows, columns) bool
        Of ``radiograph``.
    doubted : set of Level
        Vertebrae that contradict themselves: drawn as such, with no guide.
    reading_direction : {1, -1}
        Whether words run towards higher x, as in a view that is not flipped, or lower.
    """
    sign = 1 if spine.anterior == "right" else -1
    ends = guide_ends(guides, spine.anterior, crop.factor)
    lost_area, lost_edge = _lost(radiograph, spine, crop, blanked)
    return Drawing(
        guides=[
            Shape(
                np.stack([guide.extended(-1 - _BEHIND), ends[name]]),
                colours.THIRD_GUIDE if guide.is_third else colours.DISC_GUIDE,
            )
            for name, guide in guides.items()
            if name in ends
        ],
        bands=_bands(guides, ends),
        cells=_cells(guides, ends),
        corridor=[Shape(crop.edge[part], colours.CORRIDOR) for part in crop.stretches()],
        lost_area=lost_area,
        lost_edge=lost_edge,
        levels=[shape for vertebra in spine for shape in _outline(vertebra, vertebra.level in doubted)],
        level_names=_level_names(spine, sign, reading_direction, doubted),
        guide_names=_guide_names(guides, ends, sign, reading_direction),
    )


def _bands(guides: Mapping[str, Guide], ends: Mapping[str, np.ndarray]) -> list[Shape]:
    """Thirds of the AAC segments L1 to L4 in front of the spine, each in a shade of its segment's colour."""
    bands = []
    for number, (upper, lower) in enumerate(zip(GUIDE_NAMES, GUIDE_NAMES[1:])):
        if upper in ends and lower in ends:
            corners = np.stack([guides[upper].anterior, ends[upper], ends[lower], guides[lower].anterior])
            if _is_convex(corners):
                # An outline: a fill would lie where faint calcification is looked for.
                bands.append(Shape(_closed(corners), colours.BANDS[number]))
    return bands


def _cells(guides: Mapping[str, Guide], ends: Mapping[str, np.ndarray]) -> dict[tuple[Level, Wall], np.ndarray]:
    found = {}
    for segment, wall in CELLS:
        first = 3 * SEGMENTS.index(segment)
        upper, lower = GUIDE_NAMES[first], GUIDE_NAMES[first + 3]
        if upper not in ends or lower not in ends:
            continue
        near = guides[upper].anterior, guides[lower].anterior
        far = ends[upper], ends[lower]
        middle = tuple((a + b) / 2 for a, b in zip(near, far))
        back, front = (near, middle) if wall is Wall.POSTERIOR else (middle, far)
        corners = np.stack([back[0], front[0], front[1], back[1]])
        if _is_convex(corners):
            found[segment, wall] = _closed(corners)
    return found


def _closed(corners: np.ndarray) -> np.ndarray:
    return np.concatenate([corners, corners[:1]])


def other_reading(spine: Spine) -> list[Shape]:
    """Outlines of a second reading of the same image: dotted, in one colour for every level."""
    complete = [vertebra.to_array(_RING) for vertebra in spine if vertebra.is_complete]
    return [Shape(dash, colours.OTHER) for ring in complete for dash in _dashes(ring)]


def other_names(spine: Spine, reading_direction: int) -> list[Name]:
    """Names of a second reading, further behind the vertebrae than the first one's, in brackets."""
    sign = 1 if spine.anterior == "right" else -1
    step = sign * _OTHER_NAME_GAP
    return [
        Name(name.x - step * _depth(spine[Level(name.text)]), name.y, f"({name.text})")
        for name in _level_names(spine, sign, reading_direction)
        if name.text in LEVEL_NAMES
    ]


def _is_convex(corners: np.ndarray) -> bool:
    """Guides that cross over the aorta have no band between them."""
    sides = np.roll(corners, -1, axis=0) - corners
    after = np.roll(sides, -1, axis=0)
    turns = sides[:, 0] * after[:, 1] - sides[:, 1] * after[:, 0]
    return bool((turns > 0).all() or (turns < 0).all())


def _lost(
    radiograph: Radiograph, spine: Spine, crop: CropResult, blanked: np.ndarray
) -> tuple[list[Shape], list[Shape]]:
    """The lost area of the corridor, and its edge along it."""
    if crop.state is not CropState.CROPPED:
        return [], []
    try:
        corridor = aortic_corridor(spine, crop.factor)
    except GeometryError:  # cropped says that there is a corridor; only rounding could deny it
        return [], []
    area = [Shape(quad, colours.LOST, filled=True) for quad in _lost_quads(radiograph, corridor, crop, blanked)]
    runs = np.split(np.arange(len(crop.edge)), np.flatnonzero(np.diff(crop.lost.astype(int))) + 1)
    edge = [Shape(crop.edge[run], colours.LOST) for run in runs if crop.lost[run[0]] and len(run) > 1]
    return area, edge


def _lost_quads(radiograph: Radiograph, corridor: Corridor, crop: CropResult, blanked: np.ndarray) -> list[np.ndarray]:
    points = corridor.across(np.linspace(0, 1, _ACROSS))[::_EVERY]
    segment = corridor.segment[::_EVERY]
    found = lost_points(radiograph, points, blanked)
    lost = np.logical_or.reduce([found[cause] for cause in crop.causes])
    # Where runs of lost points begin and end on each sample, from the wall to the edge.
    row, column = np.nonzero(np.diff(np.pad(lost.astype(np.int8), ((0, 0), (1, 1))), axis=1))
    row, start, stop = row[::2], column[::2], np.minimum(column[1::2], _ACROSS - 1)
    joined = np.append(np.diff(segment) <= 1, False)[row]
    row, start, stop = row[joined], start[joined], stop[joined]
    quads = (points[row, start], points[row, stop], points[row + 1, stop], points[row + 1, start])
    return list(np.stack(quads, axis=1))


def outline(vertebra: Vertebra) -> np.ndarray:
    """(4, 2) corners around a complete vertebra, source pixels."""
    return vertebra.to_array(_RING[:-1])


def _outline(vertebra: Vertebra, doubted: bool) -> list[Shape]:
    """Of one that contradicts itself it is dashed, which no sound one is."""
    colour = colours.LEVELS[vertebra.level]
    shapes = []
    if vertebra.is_complete:
        ring = vertebra.to_array(_RING)
        shapes = [Shape(dash, colours.FAULTY) for dash in _dashes(ring)] if doubted else [Shape(ring, colour)]
    radius = _CORNER_RING * _depth(vertebra)
    located = [vertebra[name] for name in CORNERS if vertebra[name].is_present]
    return shapes + [
        Shape(corner.xy + radius * (_CIRCLE if is_sure(corner) else _DIAMOND), colour) for corner in located
    ]


def is_sure(corner: Corner) -> bool:
    """Whether a point is a person's, or one that the model is confident of."""
    return corner.confidence is None or corner.confidence >= markups.CONFIDENT


def _dashes(ring: np.ndarray) -> list[np.ndarray]:
    starts = np.arange(_DASHES) / _DASHES
    shares = np.stack([starts, starts + 0.55 / _DASHES], axis=1)[None, :, :, None]
    begin, end = ring[:-1, None, None], ring[1:, None, None]
    return list((begin + shares * (end - begin)).reshape(-1, 2, 2))


def _depth(vertebra: Vertebra) -> float:
    """Distance of anterior and posterior corners, pixels; a typical one where none are both present."""
    plates = [
        np.linalg.norm(vertebra[front].xy - vertebra[back].xy)
        for front, back in ((CornerName.SA, CornerName.SP), (CornerName.IA, CornerName.IP))
        if vertebra[front].is_present and vertebra[back].is_present
    ]
    return float(np.mean(plates)) if plates else 60.0


def _level_names(spine: Spine, sign: int, direction: int, doubted: Set[Level] = frozenset()) -> list[Name]:
    """Behind each vertebra."""
    names = []
    for vertebra in spine:
        located = np.array([vertebra[name].xy for name in CORNERS if vertebra[name].is_present])
        if not len(located):
            continue
        depth = _depth(vertebra)
        back = located[:, 0].min() if sign > 0 else located[:, 0].max()
        gap = _NAME_GAP if sign == direction else _NAME_GAP_BEHIND_GUIDES
        text = f"{vertebra.level} ?" if vertebra.level in doubted else vertebra.level.value
        names.append(Name(back - sign * gap * depth, float(located[:, 1].mean()), text))
        if vertebra.level is Level.L5 and transition_words(spine.transition):
            below = float(located[:, 1].max()) + _TRANSITION_GAP * depth
            start = located[:, 0].min() if direction > 0 else located[:, 0].max()
            names.append(Name(float(start), below, transition_words(spine.transition)))
    return names


def _guide_names(guides: Mapping[str, Guide], ends: Mapping[str, np.ndarray], sign: int, direction: int) -> list[Name]:
    """At the end of each guide that words can run away from."""
    anchors = {
        name: ends[name] if sign == direction else guide.extended(-1 - 2 * _BEHIND)
        for name, guide in guides.items()
        if name in ends
    }
    return [Name(float(x), float(y), name) for name, (x, y) in anchors.items()]
