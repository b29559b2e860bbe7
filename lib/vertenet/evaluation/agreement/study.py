"""The whole of a reader study: agreement for every condition and region, and what a condition changes.

Readers are compared on the images that all of them could score; each reader's first session counts, later ones show how
well a reader repeats a reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ...errors import OptionError
from .bland_altman import bland_altman, shares
from .comparison import Comparison, compare_conditions
from .correlation import KINDS, correlation_statistic
from .icc import FORMS, icc_statistic
from .kappa import WEIGHTS, kappa_statistic
from .readings import BASELINE, ONLY, Matrix, Readings, complete_matrix
from .resampling import LEVEL, RESAMPLES, Statistic


@dataclass(frozen=True, eq=False)
class Group:
    """The agreement of two readers, of all readers, or of two sessions of one, in a region under a condition.

    Attributes
    ----------
    condition, region : str
    readers : tuple of str
        Names of the rows of ``matrix``; "A (session 2)" for a repeated reading.
    within : bool
        Two sessions of one reader.
    matrix : Matrix
    statistics : mapping of name to Statistic
        "pearson", "spearman", "kappa-linear", "kappa-quadratic", the six ICCs, "exact", "within-one"; of two readings
        also "bias", "limit-low" and "limit-high".
    """

    condition: str
    region: str
    readers: tuple[str, ...]
    within: bool
    matrix: Matrix
    statistics: Mapping[str, Statistic]

    @property
    def images(self) -> int:
        return len(self.matrix.images)


@dataclass(frozen=True, eq=False)
class AgreementStudy:
    """What came of a reader study; ``baseline`` is empty where there is nothing to compare."""

    readings: Readings
    groups: tuple[Group, ...]
    comparisons: tuple[Comparison, ...]
    baseline: str
    resamples: int
    seed: int
    level: float

    @property
    def main_groups(self) -> tuple[Group, ...]:
        """One a condition and region: of both readers, or of all."""
        return tuple(group for group in self.groups if not group.within and len(group.readers) == self._readers(group))

    def group(self, condition: str, region: str) -> Group | None:
        """The main group of a condition and region."""
        found = [group for group in self.main_groups if (group.condition, group.region) == (condition, region)]
        return found[0] if found else None

    def _readers(self, group: Group) -> int:
        return len(_readers_of(self.readings, group.condition))


def study_agreement(
    readings: Readings,
    *,
    baseline: str | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = LEVEL,
) -> AgreementStudy:
    """Every figure of agreement of some readings.

    Parameters
    ----------
    readings : Readings
    baseline : str, optional
        The condition that the others are compared with: "without" where there is one of that name.
    resamples, seed : int
        Of the bootstrap.
    level : float
        Of every interval.

    Raises
    ------
    OptionError
        Nobody can be compared with anybody, or it is not clear which of the conditions is the baseline.
    """
    settings = {"resamples": resamples, "seed": seed, "level": level}
    groups = [
        _group(readings, condition, region, readers, within, settings)
        for region in readings.regions
        for condition in readings.conditions
        for readers, within in _line_ups(readings, condition)
    ]
    if not groups:
        raise OptionError(
            f"agreement needs two readers, or two sessions of one, but there is only {', '.join(readings.readers)}"
        )
    baseline = _baseline(readings, baseline)
    comparisons = compare_conditions(readings, baseline, **settings) if baseline else ()
    return AgreementStudy(readings, tuple(groups), comparisons, baseline, resamples, seed, level)


def _readers_of(readings: Readings, condition: str) -> list[str]:
    return [reader for reader in readings.readers if readings.sessions(condition, reader)]


def _line_ups(readings: Readings, condition: str) -> Iterator[tuple[list[tuple[str, str]], bool]]:
    """Who is compared with whom: lists of (reader, session), and whether they are one reader's sessions."""
    readers = _readers_of(readings, condition)
    first = {reader: readings.sessions(condition, reader)[0] for reader in readers}
    if len(readers) > 2:
        yield list(first.items()), False
    for pair in combinations(readers, 2):
        yield [(reader, first[reader]) for reader in pair], False
    for reader in readers:
        sessions = readings.sessions(condition, reader)
        if len(sessions) > 1:
            yield [(reader, session) for session in sessions[:2]], True


def _group(
    readings: Readings, condition: str, region: str, line_up: list[tuple[str, str]], within: bool, settings: Mapping
) -> Group:
    matrix = complete_matrix([readings.values(condition, reader, region, session) for reader, session in line_up])
    names = tuple(f"{reader} (session {session})" if within else reader for reader, session in line_up)
    return Group(
        condition, region, names, within, matrix, _statistics(matrix.scores, readings.highest_of(region), settings)
    )


def _statistics(scores: np.ndarray, highest: int, settings: Mapping) -> dict[str, Statistic]:
    found = {kind: correlation_statistic(scores, kind, **settings) for kind in KINDS}
    found.update({f"kappa-{weights}": kappa_statistic(scores, highest, weights, **settings) for weights in WEIGHTS})
    found.update({form: icc_statistic(scores, form, level=settings["level"]) for form in FORMS})
    found.update(shares(scores, level=settings["level"]))
    if len(scores) == 2:
        found.update(bland_altman(scores, level=settings["level"]))
    return found


def _baseline(readings: Readings, wanted: str | None) -> str:
    conditions = [condition for condition in readings.conditions if condition != ONLY]
    if wanted is not None and wanted.lower() not in conditions:
        raise OptionError(
            f"there is no condition {wanted!r}", remedy=f"The file has {', '.join(conditions) or 'no conditions'}"
        )
    if len(conditions) < 2:
        return ""
    if wanted is None and BASELINE not in conditions:
        raise OptionError(
            f"the conditions are {', '.join(conditions)}, and it is not clear which the others are compared with",
            remedy="Name it with --baseline",
        )
    return BASELINE if wanted is None else wanted.lower()
