"""Confusion counts of a crop rule, abstentions apart, with Wilson intervals.

"Positive" is a cropped aorta. A rule may say "could not be assessed". Strict figures count that as wrong, on either
side: a cropped aorta was missed, a whole one was not cleared. Figures among the answered leave it out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...measure.crop import CropState
from ..statistics import wilson


@dataclass(frozen=True)
class Share:
    """``hits`` of ``trials`` with the Wilson 95 % interval; NaN without trials."""

    hits: int
    trials: int

    @property
    def value(self) -> float:
        return self.hits / self.trials if self.trials else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.hits, self.trials)


@dataclass(frozen=True)
class Confusion:
    """Counts of images.

    ``true_positive`` and ``false_negative`` are cropped and answered, ``false_positive`` and ``true_negative`` clear
    and answered; ``unsure_cropped`` and ``unsure_clear`` could not be assessed.
    """

    true_positive: int
    false_negative: int
    false_positive: int
    true_negative: int
    unsure_cropped: int = 0
    unsure_clear: int = 0

    @classmethod
    def count(cls, pairs: Iterable[tuple[bool, CropState]]) -> Confusion:
        """From (truly cropped, answer) of every image."""
        found = list(pairs)

        def number(cropped: bool, state: CropState) -> int:
            return sum(pair == (cropped, state) for pair in found)

        return cls(
            number(True, CropState.CROPPED),
            number(True, CropState.CLEAR),
            number(False, CropState.CROPPED),
            number(False, CropState.CLEAR),
            number(True, CropState.NOT_ASSESSED),
            number(False, CropState.NOT_ASSESSED),
        )

    @property
    def cropped(self) -> int:
        return self.true_positive + self.false_negative + self.unsure_cropped

    @property
    def clear(self) -> int:
        return self.true_negative + self.false_positive + self.unsure_clear

    @property
    def accuracy(self) -> Share:
        return Share(self.true_positive + self.true_negative, self.cropped + self.clear)

    @property
    def sensitivity(self) -> Share:
        return Share(self.true_positive, self.cropped)

    @property
    def specificity(self) -> Share:
        return Share(self.true_negative, self.clear)

    @property
    def abstained(self) -> Share:
        return Share(self.unsure_cropped + self.unsure_clear, self.cropped + self.clear)

    @property
    def answered_accuracy(self) -> Share:
        hits = self.true_positive + self.true_negative
        return Share(hits, hits + self.false_negative + self.false_positive)

    @property
    def answered_sensitivity(self) -> Share:
        return Share(self.true_positive, self.true_positive + self.false_negative)

    @property
    def answered_specificity(self) -> Share:
        return Share(self.true_negative, self.true_negative + self.false_positive)
