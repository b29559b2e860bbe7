"""Is the abdominal aorta inside the image? Clear, cropped, or could not be assessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np

DEFAULT_FACTOR = 1.2


class CropState(str, Enum):
    """The three answers. A failure is never "clear"."""

    CLEAR = "clear"
    CROPPED = "cropped"
    NOT_ASSESSED = "could not be assessed"

    __str__ = str.__str__


@dataclass(frozen=True, eq=False)
class CropResult:
    """Whether the aortic corridor is inside the image, where it is lost, and how much.

    Attributes
    ----------
    state : CropState
    factor : float
        How far in front of the spine the aorta was looked for, in mean guide lengths.
    segments : tuple of str
        AAC segments ("L1" ... "L4") in which something is lost.
    fraction : float or None
        Lost share of the aortic corridor's area, 0 to 1.
    extent_px : float or None
        Length of the lost stretch of the corridor's anterior edge, measured along the edge, source pixels.
    extent_mm : float or None
        The same in mm where the spacing is known.
    causes : tuple of str
        Any of "border" and "blanked".
    edge : (n, 2) float64
        The corridor's anterior edge from head to foot, source pixels; empty where it could not be built.
    lost : (n,) bool
        Which points of ``edge`` are lost.
    reason : str
        Why it could not be assessed; empty otherwise.
    """

    state: CropState
    factor: float = DEFAULT_FACTOR
    segments: tuple[str, ...] = ()
    fraction: float | None = None
    extent_px: float | None = None
    extent_mm: float | None = None
    causes: tuple[str, ...] = ()
    edge: np.ndarray = None  # type: ignore[assignment]
    lost: np.ndarray = None  # type: ignore[assignment]
    reason: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", CropState(self.state))
        edge = np.empty((0, 2)) if self.edge is None else np.array(self.edge, dtype=np.float64).reshape(-1, 2)
        lost = np.zeros(len(edge), bool) if self.lost is None else np.array(self.lost, dtype=bool)
        edge.flags.writeable = lost.flags.writeable = False
        object.__setattr__(self, "edge", edge)
        object.__setattr__(self, "lost", lost)

    def __eq__(self, other: object) -> bool:
        return self.to_dict() == other.to_dict() if isinstance(other, CropResult) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def to_dict(self) -> dict:
        return {
            "state": self.state.value,
            "factor": self.factor,
            "segments": list(self.segments),
            "fraction": self.fraction,
            "extent_px": self.extent_px,
            "extent_mm": self.extent_mm,
            "causes": list(self.causes),
            "edge": self.edge.tolist(),
            "lost": self.lost.tolist(),
            "reason": self.reason,
        }

    @classmethod
    def from_dict(cls, data: Mapping) -> CropResult:
        keep = {key: data[key] for key in ("state", "factor", "fraction", "extent_px", "extent_mm", "reason")}
        return cls(
            segments=tuple(data["segments"]),
            causes=tuple(data["causes"]),
            edge=np.array(data["edge"], dtype=np.float64).reshape(-1, 2),
            lost=np.array(data["lost"], dtype=bool),
            **keep,
        )
