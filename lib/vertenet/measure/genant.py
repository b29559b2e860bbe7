"""Genant's grade of a vertebral deformity, suggested from heights.

Genant et al. 1993 (J Bone Miner Res 8:1137) grade by eye; this is arithmetic on landmarks that a reader may start from,
not a diagnosis: it knows neither endplate depression (ABQ) nor variants such as Scheuermann's disease or short height.

Loss of height of each deformity, as a share of the height that a healthy vertebra would have:

==========  ==============  ==================================================================================
deformity   lost height     expected height
==========  ==============  ==================================================================================
wedge       anterior (Ha)   posterior (Hp) of the same vertebra, times the healthy Ha/Hp of its level
biconcave   middle (Hm)     posterior (Hp) of the same vertebra, times the healthy Hm/Hp of its level
crush       posterior (Hp)  mean posterior height of the neighbours above and below; not judged with one alone
==========  ==============  ==================================================================================

The healthy ratios are those of `vertenet.measure.norms`. Counted from the posterior height itself, healthy wedging and
hollow endplates were loss: of 60 wedge and biconcave fractures of phantoms 25 got their grade, most others one too
high; with the norms 45. The price is that a grade 1 is missed more often: 7 to 10 instead of 4 of 30, crushes
included (``benchmarks/genant_on_phantoms.py``, docs/reading.md). Heights change along the spine, and L5 is low behind
in health too: against one neighbour alone, 8 of 80 healthy end vertebrae of phantoms would look crushed.

The grade is that of the greatest loss: 0 below 20 %, 1 from 20 % to below 25 %, 2 from 25 % to 40 %, 3 above 40 %. The
published ranges share their ends; here 20 % is grade 1, 25 % is grade 2 and 40 % is grade 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from ..errors import GeometryError, SchemaError

#: Losses at which grades 1, 2 and 3 begin. The last is outside its grade: 40 % is grade 2.
MILD, MODERATE, SEVERE = 0.20, 0.25, 0.40
#: Losses closer to a boundary than this are at it: the rounding of a ratio of two doubles, and far below any pixel.
ROUNDING = 1e-9


class Deformity(str, Enum):
    """Genant's three types."""

    WEDGE = "wedge"
    BICONCAVE = "biconcave"
    CRUSH = "crush"

    __str__ = str.__str__


def grade_of(loss: float) -> int:
    """Genant's grade, 0 to 3, of a loss of height given as a share (0.25 for 25 %; negative: no loss)."""
    if loss > SEVERE + ROUNDING:
        return 3
    if loss >= MODERATE - ROUNDING:
        return 2
    return 1 if loss >= MILD - ROUNDING else 0


def boundary_of(loss: float) -> str:
    """What a reader of whole percents should know of a loss at a boundary; empty elsewhere."""
    words = {20: "20 % and more is grade 1", 25: "25 % and more is grade 2", 40: "only more than 40 % is grade 3"}
    rule = words.get(round(loss * 100))
    return "" if rule is None else f"{loss * 100:.1f} % lies at a boundary: {rule}"


@dataclass(frozen=True)
class GenantSuggestion:
    """A grade for one vertebra, and what it rests on.

    Attributes
    ----------
    losses : mapping of Deformity to float
        Share of height lost, of each deformity that could be judged; negative where the height exceeds its reference.
        Not empty.
    unjudged : mapping of Deformity to str
        Why the others could not be judged. While it is not empty, the true grade may be higher than ``grade``.
    """

    losses: Mapping[Deformity, float]
    unjudged: Mapping[Deformity, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("losses", "unjudged"):
            ordered = {d: getattr(self, name)[d] for d in Deformity if d in getattr(self, name)}
            object.__setattr__(self, name, MappingProxyType(ordered))
        if set(self.losses) ^ set(self.unjudged) != set(Deformity):
            raise GeometryError("each deformity needs either a loss of height or a reason why it was not judged")
        if not self.losses:
            raise GeometryError("a suggestion needs at least one loss of height")

    # MappingProxyType cannot be pickled.
    def __reduce__(self):
        return (GenantSuggestion, (dict(self.losses), dict(self.unjudged)))

    def __hash__(self) -> int:
        return hash((tuple(self.losses.items()), tuple(self.unjudged.items())))

    def __str__(self) -> str:
        """Such as "grade 2 wedge (33 % lost), biconcave not judged"."""
        found = "grade 0" if self.deformity is None else f"grade {self.grade} {self.deformity}"
        lost = f" ({100 * self.loss:.0f} % lost)" if self.loss > 0 else ""
        return f"{found}{lost}" + "".join(f", {deformity} not judged" for deformity in self.unjudged)

    @property
    def greatest(self) -> Deformity:
        """The deformity with the greatest loss, whether or not it reaches grade 1."""
        return max(self.losses, key=self.losses.__getitem__)

    @property
    def loss(self) -> float:
        """The greatest loss, a share."""
        return self.losses[self.greatest]

    @property
    def grade(self) -> int:
        """0 to 3."""
        return grade_of(self.loss)

    @property
    def deformity(self) -> Deformity | None:
        """The type; None at grade 0."""
        return self.greatest if self.grade else None

    @property
    def is_partial(self) -> bool:
        """Not every deformity could be judged."""
        return bool(self.unjudged)

    @property
    def boundary(self) -> str:
        """A sentence where the loss, in whole percents, is a boundary of the grades; empty elsewhere."""
        return boundary_of(self.loss)

    def to_dict(self) -> dict:
        return {
            "grade": self.grade,
            "type": None if self.deformity is None else self.deformity.value,
            "loss": self.loss,
            "losses": {deformity.value: loss for deformity, loss in self.losses.items()},
            "not_judged": {deformity.value: reason for deformity, reason in self.unjudged.items()},
            "boundary": self.boundary,
        }

    @classmethod
    def from_dict(cls, data: Mapping) -> GenantSuggestion:
        """The suggestion of `to_dict`; raises `SchemaError` where the stored grade is not that of the losses."""
        losses = {Deformity(name): float(loss) for name, loss in data["losses"].items()}
        suggestion = cls(losses, {Deformity(name): reason for name, reason in data["not_judged"].items()})
        for name in ("grade", "type", "loss"):
            if data[name] != suggestion.to_dict()[name]:
                raise SchemaError(f"{name} of a suggested grade is {data[name]!r}, which its losses do not give")
        return suggestion
