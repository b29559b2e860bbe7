"""Intervertebral guides: the 13 lines that bound and divide the AAC-24 segments.

Definition (Maqsood et al., VerteNet, section 2.3; GuideNet, DICTA 2021): the guide of a disc runs through the midpoint
of the two facing posterior corners and the midpoint of the two facing anterior corners. Between the guides above and
below each of L1 to L4, two more divide the segment in thirds, posterior and anterior points interpolated linearly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..spine import CornerName, Level, Spine

#: The five discs, (upper, lower) level.
DISCS: tuple[tuple[Level, Level], ...] = (
    (Level.T12, Level.L1),
    (Level.L1, Level.L2),
    (Level.L2, Level.L3),
    (Level.L3, Level.L4),
    (Level.L4, Level.L5),
)
#: The four AAC-24 segments, named after the vertebra behind them.
SEGMENTS: tuple[Level, ...] = (Level.L1, Level.L2, Level.L3, Level.L4)


def disc_name(upper: Level, lower: Level) -> str:
    return f"{upper.value}/{lower.value}"


def _names() -> tuple[str, ...]:
    names = [disc_name(*DISCS[0])]
    for segment, disc in zip(SEGMENTS, DISCS[1:]):
        names += [f"{segment.value} 1/3", f"{segment.value} 2/3", disc_name(*disc)]
    return tuple(names)


#: The 13 guides from head to foot: ``"T12/L1"``, ``"L1 1/3"``, ``"L1 2/3"``, ``"L1/L2"`` ... ``"L4/L5"``.
GUIDE_NAMES: tuple[str, ...] = _names()


@dataclass(frozen=True, eq=False)
class Guide:
    """One guide line.

    Attributes
    ----------
    name : str
        One of `GUIDE_NAMES`.
    posterior, anterior : (2,) float64
        Source pixels. The line is drawn from ``posterior`` through ``anterior`` and on over the aorta.
    """

    name: str
    posterior: np.ndarray
    anterior: np.ndarray

    def __post_init__(self) -> None:
        for end in ("posterior", "anterior"):
            point = np.array(getattr(self, end), dtype=np.float64).reshape(2)
            point.flags.writeable = False
            object.__setattr__(self, end, point)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Guide):
            return NotImplemented
        return (
            self.name == other.name
            and np.array_equal(self.posterior, other.posterior)
            and np.array_equal(self.anterior, other.anterior)
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def length(self) -> float:
        """Posterior to anterior midpoint, pixels."""
        return float(np.linalg.norm(self.anterior - self.posterior))

    @property
    def is_third(self) -> bool:
        """True for the guides that divide a segment, false for those through a disc."""
        return "/3" in self.name

    def at_x(self, x: float) -> np.ndarray:
        """(2,) point of the guide's line at the column ``x``; NaN for a vertical guide."""
        dx, dy = self.anterior - self.posterior
        if dx == 0:
            return np.array([x, np.nan])
        return np.array([x, self.anterior[1] + (x - self.anterior[0]) * dy / dx])

    def extended(self, factor: float) -> np.ndarray:
        """(2,) point ``factor`` guide lengths beyond the anterior midpoint, along the line."""
        return self.anterior + factor * (self.anterior - self.posterior)

    def to_dict(self) -> dict:
        return {"name": self.name, "posterior": self.posterior.tolist(), "anterior": self.anterior.tolist()}

    @classmethod
    def from_dict(cls, data: Mapping) -> Guide:
        return cls(data["name"], np.array(data["posterior"]), np.array(data["anterior"]))


def intervertebral_guides(spine: Spine) -> dict[str, Guide]:
    """The guides of a spine, keyed by name, from head to foot.

    Parameters
    ----------
    spine : Spine
        Only ``present`` corners count. A guide whose corners are not all present is left out, and so are the thirds
        that need it: never interpolated over a gap.

    Returns
    -------
    dict of str to Guide
        At most the 13 of `GUIDE_NAMES`, source pixels.
    """
    discs: dict[str, Guide] = {}
    for upper, lower in DISCS:
        ends = [_facing_midpoint(spine, upper, lower, side) for side in ("P", "A")]
        if all(end is not None for end in ends):
            name = disc_name(upper, lower)
            discs[name] = Guide(name, *ends)
    guides = dict(discs)
    for segment, above, below in zip(SEGMENTS, DISCS, DISCS[1:]):
        top, bottom = discs.get(disc_name(*above)), discs.get(disc_name(*below))
        if top is None or bottom is None:
            continue
        for third in (1, 2):
            name, t = f"{segment.value} {third}/3", third / 3
            guides[name] = Guide(
                name,
                (1 - t) * top.posterior + t * bottom.posterior,
                (1 - t) * top.anterior + t * bottom.anterior,
            )
    return {name: guides[name] for name in GUIDE_NAMES if name in guides}


def _facing_midpoint(spine: Spine, upper: Level, lower: Level, side: str) -> np.ndarray | None:
    if upper not in spine or lower not in spine:
        return None
    above, below = spine[upper][CornerName(f"I{side}")], spine[lower][CornerName(f"S{side}")]
    if not (above.is_present and below.is_present):
        return None
    return (above.xy + below.xy) / 2
