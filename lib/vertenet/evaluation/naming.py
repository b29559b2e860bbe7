"""Is a vertebra under its own name? One rule for truth with all corners, with some, and with centres alone.

A vertebra is rightly named when what is predicted under its name lies within half a body's height of where it is: the
centres are compared, or, where the truth has only some of the corners, the middles of the corners that both have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ..spine import CORNERS, STANDARD_LEVELS, CornerName, Level, Spine, Vertebra

#: ``missed``: nothing is predicted under this name, nor is anything else predicted where the vertebra is.
Named = Literal["right", "wrong", "missed"]
#: ``wrong``: called certain, and at least one vertebra is named wrong. ``incomplete``: certain and nothing named wrong,
#: but a vertebra that is wholly in the image was not found.
Outcome = Literal["right", "uncertain", "refused", "wrong", "incomplete"]
OUTCOMES: tuple[Outcome, ...] = ("right", "uncertain", "refused", "wrong", "incomplete")
#: Height of a body over the distance to the centre of the next one: what remains is the disc.
BODY_OF_PITCH = 0.75
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
    """

    named: Mapping[Level, Named]
    heights: np.ndarray
    swapped: frozenset[Level] = frozenset()
    required: frozenset[Level] = field(default_factory=frozenset)

    def outcome(self, *, refused: bool, certain: bool) -> Outcome:
        """What became of the image."""
        if refused:
            return "refused"
        if not certain:
            return "uncertain"
        if "wrong" in self.named.values():
            return "wrong"
        return "incomplete" if any(self.named[level] == "missed" for level in self.required) else "right"


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
        What a pixel measures along x and y; 1 where absent.
    """
    size = np.ones(2) if size is None else size
    corners = {level: _present(truth, level) * size for level in STANDARD_LEVELS}
    known = {level: np.asarray(xy, dtype=np.float64) * size for level, xy in (centres or {}).items()}
    heights = body_heights(corners, known)
    at = dict(zip(STANDARD_LEVELS, heights))
    ours = {vertebra.level: vertebra.to_array() * size for vertebra in predicted if _has_place(vertebra)}
    named: dict[Level, Named] = {}
    swapped, required = set(), set()
    for level in STANDARD_LEVELS:
        theirs, centre = corners[level], known.get(level)
        if centre is None and not np.isfinite(theirs).any():
            continue
        if centre is not None or np.isfinite(theirs).all():
            required.add(level)
        limit = at[level] / 2
        middle = middle_of(theirs, at[level]) if centre is None else centre
        others = (middle_of(xy, at[level]) for name, xy in ours.items() if name != level)
        if any(np.linalg.norm(other - middle) < limit for other in others):
            swapped.add(level)
        if level in ours and _distance(ours[level], theirs, centre, at[level]) < limit:
            named[level] = "right"
        else:
            named[level] = "wrong" if level in ours or level in swapped else "missed"
    return Naming(named, heights, frozenset(swapped), frozenset(required))


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


def _present(spine: Spine, level: Level) -> np.ndarray:
    """(4, 2) positions of the corners that are present; NaN elsewhere."""
    if level not in spine:
        return np.full((len(CORNERS), 2), np.nan)
    vertebra = spine[level]
    xy = vertebra.to_array()
    xy[[not vertebra[name].is_present for name in CORNERS]] = np.nan
    return xy


def _has_place(vertebra: Vertebra) -> bool:
    return any(vertebra[name].x is not None for name in CORNERS)
