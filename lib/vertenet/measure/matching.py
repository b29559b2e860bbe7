"""Same vertebra? One rule for two spines of one image, wherever names or readers are compared.

A vertebra is the one of that name in another spine where it lies within half a body's height of it: the centres are
compared, or, where one has only some of the corners, the middles of the corners that both have. Lengths are those of
the patient where the size of a pixel is known, else source pixels: half a body is no number of pixels of a resized
image, in which it depends on the shape of the film.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ..radiograph import Spacing
from ..spine import CORNERS, LADDER, STANDARD_LEVELS, CornerName, Level, Spine, Vertebra

#: ``missed``: nothing is predicted under this name, nor is anything else predicted where the vertebra is.
Named = Literal["right", "wrong", "missed"]
#: Within this share of its body's height of a vertebra's centre lies that vertebra and no other.
SAME_VERTEBRA = 0.5
#: Height of a body over the distance to the centre of the next one: what remains is the disc.
BODY_OF_PITCH = 0.75
#: Vertebrae that two spines must share under other names, where there are as many: one alone fits nearly anywhere.
FEWEST_SHARED = 3
_SA, _SP, _IA, _IP = (CORNERS.index(CornerName(name)) for name in ("SA", "SP", "IA", "IP"))


@dataclass(frozen=True, eq=False)
class Naming:
    """The names of one image against its truth.

    Attributes
    ----------
    named : mapping of Level to {"right", "wrong", "missed"}
        Of every standard level whose place is known.
    heights : (6,) float64
        Height of the bodies of T12 to L5, in units of ``size``; NaN where nothing tells it.
    swapped : frozenset of Level
        Vertebrae where another name was predicted.
    required : frozenset of Level
        Those that must be found: all corners are in the image, or the centre is known.
    invented : frozenset of Level
        Predicted vertebrae that the truth says do not exist.
    """

    named: Mapping[Level, Named]
    heights: np.ndarray
    swapped: frozenset[Level] = frozenset()
    required: frozenset[Level] = field(default_factory=frozenset)
    invented: frozenset[Level] = frozenset()

    @property
    def all_right(self) -> bool:
        """Every vertebra that must be found is, under its own name, and no name is that of a neighbour or of nothing.

        One that is partly hidden or outside may be left out or misplaced.
        """
        right = all(self.named[level] == "right" for level in self.required)
        return right and not self.swapped and not self.invented


def judge_names(
    predicted: Spine,
    truth: Spine,
    centres: Mapping[Level, Iterable[float]] | None = None,
    size: np.ndarray | None = None,
) -> Naming:
    """Judge the six standard levels.

    Parameters
    ----------
    predicted, truth : Spine
        Source pixels. Of the truth the corners that are present count; of the prediction all that have a position.
    centres : mapping of Level to (x, y), optional
        True centres of vertebrae whose corners are not known.
    size : (2,) array, optional
        What a pixel measures along x and y, see `pixel_size`; 1 where absent.
    """
    size = np.ones(2) if size is None else size
    corners = dict(zip(STANDARD_LEVELS, truth.to_array(STANDARD_LEVELS, present=True) * size))
    known = {level: np.asarray(xy, dtype=np.float64) * size for level, xy in (centres or {}).items()}
    heights = body_heights(corners, known)
    ours = {vertebra.level: vertebra.to_array() * size for vertebra in predicted if _has_place(vertebra)}
    named: dict[Level, Named] = {}
    swapped, required = set(), set()
    for level, height in zip(STANDARD_LEVELS, heights):
        theirs, centre = corners[level], known.get(level)
        if centre is None and not np.isfinite(theirs).any():
            continue
        if centre is not None or np.isfinite(theirs).all():
            required.add(level)
        limit = SAME_VERTEBRA * height
        middle = middle_of(theirs, height) if centre is None else centre
        others = (middle_of(xy, height) for name, xy in ours.items() if name != level)
        if any(np.linalg.norm(other - middle) < limit for other in others):
            swapped.add(level)
        if level in ours and _distance(ours[level], theirs, centre, height) < limit:
            named[level] = "right"
        else:
            named[level] = "wrong" if level in ours or level in swapped else "missed"
    # Of a level that the truth does not speak of it is not known that it does not exist.
    absent = {vertebra.level for vertebra in truth if not _has_place(vertebra)} - known.keys()
    invented = absent & ours.keys() & set(STANDARD_LEVELS)
    return Naming(named, heights, frozenset(swapped), frozenset(required), frozenset(invented))


def level_shift(first: Spine, second: Spine, size: np.ndarray | None = None) -> int:
    """Levels by which all names of ``second`` must move towards the feet to fit ``first``, see `points_shift`.

    Parameters
    ----------
    first, second : Spine
        Source pixels of the same image; points that are present count.
    size : (2,) array, optional
        What a pixel measures along x and y, see `pixel_size`; 1 where absent.
    """
    size = np.ones(2) if size is None else size
    points = [spine.to_array(LADDER, present=True) * size for spine in (first, second)]
    heights = [_height(corners) for spine in points for corners in spine]
    return points_shift(*points, float(np.nanmedian(heights))) if np.isfinite(heights).any() else 0


def points_shift(first: np.ndarray, second: np.ndarray, height: float) -> int:
    """Levels by which the names of ``second`` must move towards the feet so that they are those of ``first``.

    0 where they are as they stand, or where no move makes the points those of the same vertebrae: the median distance,
    so that no single point decides, is to be within `SAME_VERTEBRA`.

    Parameters
    ----------
    first, second : (n, k, 2) arrays
        Points of neighbouring levels in one unit; NaN where there is none.
    height : float
        Of a body, in that unit.
    """
    found = {}
    for steps in range(1 - len(first), len(first)):
        distance = np.linalg.norm(moved(second, steps) - first, axis=-1)
        shared = int(np.isfinite(distance).any(axis=1).sum())
        if shared:
            found[steps] = shared, float(np.nanmedian(distance))
    limit = SAME_VERTEBRA * height
    if not found or (0 in found and found[0][1] < limit):
        return 0
    needed = min(FEWEST_SHARED, max(shared for shared, _ in found.values()))
    error, _, best = min((error, abs(steps), steps) for steps, (shared, error) in found.items() if shared >= needed)
    return best if error < limit else 0


def moved(points: np.ndarray, steps: int) -> np.ndarray:
    """(n, k, 2) points under names ``steps`` levels further down."""
    out = np.full_like(points, np.nan)
    for i in range(max(0, -steps), min(len(points), len(points) - steps)):
        out[i + steps] = points[i]
    return out


def pixel_size(spacing: Spacing | None) -> np.ndarray:
    """(2,) what a pixel measures along x and y, mm; 1 where nobody knows."""
    return np.ones(2) if spacing is None else np.array([spacing.column, spacing.row])


def body_heights(corners: Mapping[Level, np.ndarray], centres: Mapping[Level, np.ndarray]) -> np.ndarray:
    """(6,) heights of T12 to L5: a vertebra's own, else the median of the others, else from the centres' distances.

    Parameters
    ----------
    corners : mapping of Level to (4, 2) array
        NaN where unknown.
    centres : mapping of Level to (2,) array
    """
    own = np.array([_height(corners[level]) for level in STANDARD_LEVELS])
    if np.isfinite(own).any():
        return np.where(np.isfinite(own), own, np.nanmedian(own))
    ordered = sorted(centres, key=lambda level: level.rank)
    steps = [np.linalg.norm(centres[b] - centres[a]) / (b.rank - a.rank) for a, b in zip(ordered, ordered[1:])]
    return np.full(len(STANDARD_LEVELS), BODY_OF_PITCH * np.median(steps) if steps else np.nan)


def middle_of(corners: np.ndarray, height: float) -> np.ndarray:
    """(2,) centre of a body of whose (4, 2) corners some may be NaN; two on a diagonal or an endplate are enough.

    From an endplate alone it is half a ``height`` away, square to that endplate.
    """
    if np.isfinite(corners).all():
        return corners.mean(axis=0)
    for one, other in ((_SA, _IP), (_SP, _IA)):
        if np.isfinite(corners[[one, other]]).all():
            return (corners[one] + corners[other]) / 2
    for anterior, posterior, down in ((_SA, _SP, 1.0), (_IA, _IP, -1.0)):
        if np.isfinite(corners[[anterior, posterior]]).all():
            along = corners[anterior] - corners[posterior]
            square = np.array([-along[1], along[0]]) / np.linalg.norm(along)
            square *= down * (1.0 if square[1] >= 0 else -1.0)
            return (corners[anterior] + corners[posterior]) / 2 + square * height / 2
    return np.full(2, np.nan)


def _distance(ours: np.ndarray, theirs: np.ndarray, centre: np.ndarray | None, height: float) -> float:
    """From the predicted place of a vertebra to its true one; NaN, which is within nothing, where they share none."""
    shared = np.isfinite(ours).all(axis=1) & np.isfinite(theirs).all(axis=1)
    if centre is None and shared.any():
        return float(np.linalg.norm((ours[shared] - theirs[shared]).mean(axis=0)))
    middle = middle_of(theirs, height) if centre is None else centre
    return float(np.linalg.norm(middle_of(ours, height) - middle))


def _height(corners: np.ndarray) -> float:
    edges = np.linalg.norm(corners[[_SA, _SP]] - corners[[_IA, _IP]], axis=-1)
    return float(np.nanmean(edges)) if np.isfinite(edges).any() else float("nan")


def _has_place(vertebra: Vertebra) -> bool:
    return any(vertebra[name].x is not None for name in CORNERS)


def same_vertebra(one: Vertebra, other: Vertebra, size: np.ndarray | None = None) -> bool:
    """Whether two vertebrae of one image are the same body, whatever they are called."""
    size = np.ones(2) if size is None else size
    ours, theirs = one.to_array() * size, other.to_array() * size
    heights = [height for height in (_height(theirs), _height(ours)) if np.isfinite(height)]
    return bool(heights) and _distance(ours, theirs, None, heights[0]) < SAME_VERTEBRA * heights[0]


def named_alike(one: Spine, other: Spine, size: np.ndarray | None = None) -> bool:
    """Whether every vertebra that both spines place is the same body in both."""
    both = [(vertebra, other[vertebra.level]) for vertebra in one if vertebra.level in other]
    return all(same_vertebra(*pair, size) for pair in both if not any(vertebra.is_missing for vertebra in pair))


def paired_names(one: Spine, other: Spine, size: np.ndarray | None = None) -> list[tuple[Level | None, Level | None]]:
    """The bodies from head to foot with their names in both spines; None for the name of a body that a spine lacks."""
    ours, theirs = ([vertebra for vertebra in spine if not vertebra.is_missing] for spine in (one, other))
    pairs, used = [], set()
    for vertebra in ours:
        same = next((v.level for v in theirs if v.level not in used and same_vertebra(vertebra, v, size)), None)
        used |= {same} - {None}
        pairs.append((_y(vertebra), vertebra.level, same))
    pairs += [(_y(v), None, v.level) for v in theirs if v.level not in used]
    return [(now, then) for _, now, then in sorted(pairs, key=lambda pair: pair[0])]


def _y(vertebra: Vertebra) -> float:
    return float(np.nanmean(vertebra.to_array(present=True)[:, 1]))
