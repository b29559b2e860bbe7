"""Six-point morphometry of vertebral bodies: heights, their ratios and what grade they suggest.

Anterior, middle and posterior height are the distances between the two endplate points of that place (Genant et al.
1993, J Bone Miner Res 8:1137): SA-IA, SM-IM and SP-IP. Four corners give no middle height; where the mid-endplate
points are absent it is None, and a biconcave deformity cannot be judged.

What a ratio lost is counted from the ratio of a healthy vertebra of the same level: that of the norms in use
(`vertenet.measure.norms`), else the mean of the vertebrae above and below, else 1. A neighbour that has itself lost a
fifth or more is no reference.

Ratios are of millimetres where the pixel spacing is known. Where it is not, they are of pixels, which is right only if
pixels are square; each result says so (`VertebraMorphometry.square_pixels_assumed`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..errors import GeometryError, SchemaError
from ..radiograph import Spacing
from ..spine import CORNERS, Corner, CornerName, Level, Spine, Status, Vertebra
from .endplates import Angle, Lordosis, lordosis
from .genant import MILD, Deformity, GenantSuggestion
from .norms import HIGHEST, Norms, norms_in_use

__all__ = [
    "Angle",
    "Heights",
    "Lordosis",
    "ReferenceRatio",
    "SpineMorphometry",
    "VertebraMorphometry",
    "lordosis",
    "morphometry",
]

NO_MIDPOINTS = "the middle height is unknown: mid-endplate points are not placed"
TOO_FEW_NEIGHBOURS = "a neighbour above or below has no posterior height"
#: Source of a reference ratio of 1.
NO_REFERENCE = "the posterior height itself: no norm of this level, and no sound neighbour"

_PAIRS = {
    "anterior": (CornerName.SA, CornerName.IA),
    "middle": (CornerName.SM, CornerName.IM),
    "posterior": (CornerName.SP, CornerName.IP),
}
_ABSENT = {Status.MISSING: "not found", Status.OUTSIDE: "outside the image", Status.UNEVALUABLE: "unevaluable"}


@dataclass(frozen=True)
class Heights:
    """Anterior, middle and posterior height, all in the same unit; None where a point of it is not placed."""

    anterior: float | None = None
    middle: float | None = None
    posterior: float | None = None

    def to_dict(self) -> dict:
        return {"anterior": self.anterior, "middle": self.middle, "posterior": self.posterior}

    @classmethod
    def from_dict(cls, data: Mapping) -> Heights:
        return cls(data["anterior"], data["middle"], data["posterior"])


@dataclass(frozen=True)
class ReferenceRatio:
    """The ratio of a healthy vertebra that a loss is counted from, and where it is from."""

    ratio: float
    source: str

    def to_dict(self) -> dict:
        return {"ratio": self.ratio, "source": self.source}

    @classmethod
    def from_dict(cls, data: Mapping) -> ReferenceRatio:
        return cls(data["ratio"], data["source"])


@dataclass(frozen=True)
class VertebraMorphometry:
    """Heights of one vertebra and what they suggest.

    Attributes
    ----------
    level : Level
    px : Heights
        Source pixels.
    mm : Heights or None
        None where the pixel spacing is unknown.
    wedge, mid_wedge : float or None
        Ha/Hp and Hm/Hp.
    crush : float or None
        Hp over the mean Hp of the neighbours. Given with one neighbour too, but a crush is judged with both only.
    neighbours : tuple of Level
        Those whose posterior height ``crush`` refers to.
    genant : GenantSuggestion or None
        None where the vertebra cannot be evaluated; ``reason`` says why, and is empty otherwise.
    square_pixels_assumed : bool
        The spacing is unknown: the ratios are of pixels, taken for square.
    wedge_reference, mid_wedge_reference : ReferenceRatio or None
        What the losses of ``genant`` are counted from; None where there is no such ratio, and in readings of before
        version 1.3, whose losses are counted from 1.
    """

    level: Level
    px: Heights
    mm: Heights | None = None
    wedge: float | None = None
    mid_wedge: float | None = None
    crush: float | None = None
    neighbours: tuple[Level, ...] = ()
    genant: GenantSuggestion | None = None
    reason: str = ""
    square_pixels_assumed: bool = False
    wedge_reference: ReferenceRatio | None = None
    mid_wedge_reference: ReferenceRatio | None = None

    def __post_init__(self) -> None:
        if (self.genant is None) != bool(self.reason):
            raise GeometryError(f"{self.level} needs either a suggested grade or the reason why it has none")

    @property
    def is_evaluable(self) -> bool:
        return self.genant is not None

    def to_dict(self) -> dict:
        return {
            "level": self.level.value,
            "heights_px": self.px.to_dict(),
            "heights_mm": None if self.mm is None else self.mm.to_dict(),
            "wedge": self.wedge,
            "mid_wedge": self.mid_wedge,
            "crush": self.crush,
            "neighbours": [level.value for level in self.neighbours],
            "genant": None if self.genant is None else self.genant.to_dict(),
            "reason": self.reason,
            "square_pixels_assumed": self.square_pixels_assumed,
            "wedge_reference": None if self.wedge_reference is None else self.wedge_reference.to_dict(),
            "mid_wedge_reference": None if self.mid_wedge_reference is None else self.mid_wedge_reference.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping) -> VertebraMorphometry:
        mm, genant = data["heights_mm"], data["genant"]
        references = (data.get("wedge_reference"), data.get("mid_wedge_reference"))
        return cls(
            Level(data["level"]),
            Heights.from_dict(data["heights_px"]),
            None if mm is None else Heights.from_dict(mm),
            data["wedge"],
            data["mid_wedge"],
            data["crush"],
            tuple(Level(level) for level in data["neighbours"]),
            None if genant is None else GenantSuggestion.from_dict(genant),
            data["reason"],
            data["square_pixels_assumed"],
            *(None if reference is None else ReferenceRatio.from_dict(reference) for reference in references),
        )


@dataclass(frozen=True)
class SpineMorphometry:
    """What six-point morphometry says of one spine: each vertebra from T11 to L6 that it names, and the lordosis."""

    vertebrae: Mapping[Level, VertebraMorphometry]
    lordosis: Lordosis

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertebrae", MappingProxyType(dict(self.vertebrae)))

    # MappingProxyType cannot be pickled.
    def __reduce__(self):
        return (SpineMorphometry, (dict(self.vertebrae), self.lordosis))

    @classmethod
    def of(cls, spine: Spine, spacing: Spacing | None, norms: Norms | None = None) -> SpineMorphometry:
        """See `morphometry`."""
        return cls(morphometry(spine, spacing, norms), lordosis(spine, spacing))

    def to_dict(self) -> dict:
        return {
            "vertebrae": [vertebra.to_dict() for vertebra in self.vertebrae.values()],
            "lordosis": self.lordosis.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping) -> SpineMorphometry:
        vertebrae = [VertebraMorphometry.from_dict(vertebra) for vertebra in data["vertebrae"]]
        if len({vertebra.level for vertebra in vertebrae}) < len(vertebrae):
            raise SchemaError("a vertebra is measured more than once")
        return cls({vertebra.level: vertebra for vertebra in vertebrae}, Lordosis.from_dict(data["lordosis"]))


def morphometry(spine: Spine, spacing: Spacing | None, norms: Norms | None = None) -> dict[Level, VertebraMorphometry]:
    """Heights, ratios and a suggested grade of each vertebra of a spine, from head to foot.

    Parameters
    ----------
    spine : Spine
        Source pixels. Only points with status ``present`` are measured.
    spacing : Spacing or None
        None: heights in pixels alone, and ratios of pixels.
    norms : Norms, optional
        Ratios of healthy vertebrae; default `norms_in_use`.

    Returns
    -------
    dict of Level to VertebraMorphometry
        S1 is left out: it has one endplate only.
    """
    bodies = [vertebra for vertebra in spine if vertebra.level is not Level.S1]
    px = {v.level: _heights(v, None) for v in bodies}
    mm = None if spacing is None else {v.level: _heights(v, spacing) for v in bodies}
    norms = norms_in_use() if norms is None else norms
    return {v.level: _measure(v, px, mm, norms) for v in bodies}


def _measure(
    vertebra: Vertebra, px: Mapping[Level, Heights], mm: Mapping[Level, Heights] | None, norms: Norms
) -> VertebraMorphometry:
    level, true = vertebra.level, px if mm is None else mm
    heights = true[level]
    neighbours = tuple(n for n in _adjacent(level, true) if true[n].posterior)
    reference = sum(true[n].posterior for n in neighbours) / len(neighbours) if neighbours else None
    ratios = {
        Deformity.WEDGE: _ratio(heights.anterior, heights.posterior),
        Deformity.BICONCAVE: _ratio(heights.middle, heights.posterior),
        Deformity.CRUSH: _ratio(heights.posterior, reference),
    }
    references = {
        Deformity.WEDGE: _reference(level, norms.wedge, norms.source, _shapes(true, "anterior")),
        Deformity.BICONCAVE: _reference(level, norms.mid_wedge, norms.source, _shapes(true, "middle")),
    }
    judged = {
        d: None if ratio is None else ratio / references[d].ratio for d, ratio in ratios.items() if d in references
    }
    judged[Deformity.CRUSH] = ratios[Deformity.CRUSH] if len(neighbours) == 2 else None
    reason = _why_not_evaluable(vertebra, heights)
    return VertebraMorphometry(
        level,
        px[level],
        None if mm is None else mm[level],
        *ratios.values(),
        neighbours=neighbours if ratios[Deformity.CRUSH] is not None else (),
        genant=None if reason else _suggest(judged),
        reason=reason,
        square_pixels_assumed=mm is None,
        **{
            name: None if ratios[deformity] is None else references[deformity]
            for name, deformity in (("wedge_reference", Deformity.WEDGE), ("mid_wedge_reference", Deformity.BICONCAVE))
        },
    )


def _shapes(heights: Mapping[Level, Heights], place: str) -> dict[Level, float]:
    """A height over the posterior one, of each level that has both."""
    ratios = {level: _ratio(getattr(found, place), found.posterior) for level, found in heights.items()}
    return {level: ratio for level, ratio in ratios.items() if ratio is not None}


def _reference(
    level: Level, norms: Mapping[Level, float], source: str, shapes: Mapping[Level, float]
) -> ReferenceRatio:
    """The ratio that a healthy vertebra of this level has, by the best source there is."""
    if level in norms:
        return ReferenceRatio(norms[level], source)
    sound = [n for n in _adjacent(level, shapes) if 1 - MILD < shapes[n] <= HIGHEST]
    if not sound:
        return ReferenceRatio(1.0, NO_REFERENCE)
    return ReferenceRatio(sum(shapes[n] for n in sound) / len(sound), f"mean of {' and '.join(map(str, sound))}")


def _suggest(relative: Mapping[Deformity, float | None]) -> GenantSuggestion:
    """The suggestion from heights over what they should be."""
    why = {Deformity.BICONCAVE: NO_MIDPOINTS, Deformity.CRUSH: TOO_FEW_NEIGHBOURS}
    return GenantSuggestion(
        {deformity: 1.0 - share for deformity, share in relative.items() if share is not None},
        {deformity: why[deformity] for deformity, share in relative.items() if share is None},
    )


def _heights(vertebra: Vertebra, spacing: Spacing | None) -> Heights:
    def height(place: str) -> float | None:
        above, below = (vertebra.points.get(name, Corner.missing()) for name in _PAIRS[place])
        if not (above.is_present and below.is_present):
            return None
        if spacing is not None:
            return spacing.length(above.xy, below.xy)
        return math.hypot(below.x - above.x, below.y - above.y)

    return Heights(*(height(place) for place in _PAIRS))


def _why_not_evaluable(vertebra: Vertebra, heights: Heights) -> str:
    """Empty where anterior and posterior height can be compared."""
    absent = []
    for status, words in _ABSENT.items():
        names = [str(name) for name in CORNERS if vertebra[name].status is status]
        if names:
            absent.append(words if len(names) == len(CORNERS) else f"{', '.join(names)} {words}")
    if absent:
        return "; ".join(absent)
    if 0.0 in (heights.anterior, heights.posterior):
        return "two corners lie on one another"
    return ""


def _adjacent(level: Level, among: Iterable[Level]) -> tuple[Level, ...]:
    """The levels next to ``level`` that are measured; L6 is below L5 only in a spine that has one."""
    return tuple(other for other in among if abs(other.rank - level.rank) == 1)


def _ratio(height: float | None, reference: float | None) -> float | None:
    return None if height is None or not reference else height / reference
