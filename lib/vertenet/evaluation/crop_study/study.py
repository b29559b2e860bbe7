"""The factor sweep of the paper's Table 1, done as a study: tuned on some persons, tested on others, with a baseline.

Every image is asked at every factor with our rule (`vertenet.measure.detect_crop`) and the authors' (`authors_crop`).
Each rule's factor is the one with the best strict accuracy on the tuning set; the test set decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from statsmodels.stats.contingency_tables import mcnemar

from ...errors import OptionError
from ...measure.blanked import blanked_mask
from ...measure.crop import CropResult, CropState, detect_crop
from ...radiograph import Radiograph
from ...spine import Spine
from .authors_rule import authors_crop
from .confusion import Confusion

#: The factors of the paper's Table 1.
FACTORS: tuple[float, ...] = (0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5)
OURS, AUTHORS = "vertenet", "authors' rule"
RULES = (OURS, AUTHORS)


@dataclass(frozen=True, eq=False)
class CropItem:
    """One image with the truth about its aorta.

    Attributes
    ----------
    name, person : str
    cropped : bool
    load : callable
        Gives the radiograph and its landmarks.
    groups : mapping of str to str
        Kinds to report apart: ``{"scanner": "hologic-horizon", "blanked": "white"}``.
    fraction : float
        True lost share of the corridor; NaN where unknown.
    """

    name: str
    person: str
    cropped: bool
    load: Callable[[], tuple[Radiograph, Spine]]
    groups: Mapping[str, str] = field(default_factory=dict)
    fraction: float = math.nan


@dataclass(frozen=True, eq=False)
class Answers:
    """What both rules said of one image at every factor; ``ours`` is the full result, ``authors`` its state."""

    item: CropItem
    ours: Mapping[float, CropResult]
    authors: Mapping[float, CropState]

    def state(self, rule: str, factor: float) -> CropState:
        return self.ours[factor].state if rule == OURS else self.authors[factor]

    def is_right(self, rule: str, factor: float) -> bool:
        """Strict: "could not be assessed" is not right."""
        return self.state(rule, factor) is (CropState.CROPPED if self.item.cropped else CropState.CLEAR)


@dataclass(frozen=True)
class PairedTest:
    """McNemar's exact test of two rules on the same images: how many only one of them got right."""

    only_ours: int
    only_authors: int
    p: float


@dataclass(frozen=True, eq=False)
class CropStudy:
    """Answers of both sets, and the factor that the tuning set chose for either rule."""

    factors: tuple[float, ...]
    tuning: tuple[Answers, ...]
    test: tuple[Answers, ...]
    chosen: Mapping[str, float]

    @property
    def sets(self) -> dict[str, tuple[Answers, ...]]:
        return {"tuning": self.tuning, "test": self.test}

    @property
    def paired(self) -> PairedTest:
        """Our rule against the authors' on the test set, each at its own factor."""
        right = [[answers.is_right(rule, self.chosen[rule]) for rule in RULES] for answers in self.test]
        ours, authors = np.array(right).T
        only_ours, only_authors = int((ours & ~authors).sum()), int((authors & ~ours).sum())
        p = mcnemar([[0, only_ours], [only_authors, 0]], exact=True).pvalue if only_ours + only_authors else 1.0
        return PairedTest(only_ours, only_authors, float(min(p, 1.0)))

    def fraction_errors(self) -> np.ndarray:
        """Absolute errors of the lost fraction, of cropped test images where both truth and answer have one."""
        errors = []
        for answers in self.test:
            found = answers.ours[self.chosen[OURS]].fraction
            if answers.item.cropped and found is not None and math.isfinite(answers.item.fraction):
                errors.append(abs(found - answers.item.fraction))
        return np.array(errors)


def ask(item: CropItem, factors: Sequence[float] = FACTORS) -> Answers:
    """Both rules on one image at every factor."""
    radiograph, spine = item.load()
    blanked = blanked_mask(radiograph.pixels)
    ours = {factor: detect_crop(radiograph, spine, factor, blanked=blanked) for factor in factors}
    return Answers(item, ours, {factor: authors_crop(radiograph, spine, factor) for factor in factors})


def study_crop(
    tuning: Sequence[CropItem],
    test: Sequence[CropItem],
    factors: Sequence[float] = FACTORS,
    report: Callable[[Answers], None] = lambda answers: None,
) -> CropStudy:
    """Ask every image, choose the factors on the tuning set.

    Raises
    ------
    OptionError
        A set is empty or lacks cropped or clear images, the sets share a person, or a factor is not positive.
    """
    factors = tuple(sorted(set(factors)))
    if not factors or not all(math.isfinite(factor) and factor > 0 for factor in factors):
        raise OptionError(f"the factors are {', '.join(map(str, factors)) or 'none'}, but must be positive numbers")
    for name, items in (("tuning", tuning), ("test", test)):
        if len({item.cropped for item in items}) < 2:
            raise OptionError(f"the {name} set needs images with a cropped aorta and with a whole one")
    shared = {item.person for item in tuning} & {item.person for item in test}
    if shared:
        raise OptionError(f"{sorted(shared)[0]} has images in the tuning set and in the test set")

    def asked(items: Sequence[CropItem]) -> tuple[Answers, ...]:
        found = []
        for item in items:
            found.append(ask(item, factors))
            report(found[-1])
        return tuple(found)

    tuned, tested = asked(tuning), asked(test)
    return CropStudy(factors, tuned, tested, {rule: choose_factor(tuned, rule, factors) for rule in RULES})


def confusion(answers: Sequence[Answers], rule: str, factor: float) -> Confusion:
    return Confusion.count((found.item.cropped, found.state(rule, factor)) for found in answers)


def choose_factor(answers: Sequence[Answers], rule: str, factors: Sequence[float]) -> float:
    """The factor of the best strict accuracy; of several, the one nearest to their mean, then the smaller."""
    accuracy = {factor: confusion(answers, rule, factor).accuracy.hits for factor in factors}
    tied = [factor for factor in factors if accuracy[factor] == max(accuracy.values())]
    middle = sum(tied) / len(tied)
    # Rounded: the two middle ones of an even number are equally near but for the last bit.
    return min(tied, key=lambda factor: (round(abs(factor - middle), 9), factor))
