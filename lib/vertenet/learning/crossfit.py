"""Judging a fine-tuning on the very persons that it learns from, none of whom is judged by weights that saw him.

A handful of labelled persons cannot spare many to judge by, and one or two who judge are a coin. Cross-fitting lets
all of them judge: the persons are dealt into folds, for each fold weights are fine-tuned briefly without it, and judged
on it beside the old ones (Stone, JRSS-B 1974). What is judged so is the way of learning from these labels; the weights
that are kept have learned longer and from all of them.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .calibrate import Observed
from .cases import Case
from .comparison import Comparison, compare
from .finetuning import Material, TrainNetwork, fine_tune, fold_recipe
from .recipe import Recipe

#: So many persons held back can judge alone: nothing is cross-fitted then.
ENOUGH_PERSONS = 10
#: Fewer persons than these are said to be a weak word.
FEW_PERSONS = 5

Observe = Callable[[Path, Sequence[Case]], list[Observed]]


@dataclass(frozen=True, eq=False)
class CrossFitted:
    """Old and new weights on the same images, none of which the weights that answer for it have learned.

    Attributes
    ----------
    cases : tuple of Case
    folds : tuple of tuple of str
        The persons of each fold; those who were held back from every training are in none.
    served, candidate : tuple of Observed
    """

    cases: tuple[Case, ...]
    folds: tuple[tuple[str, ...], ...]
    served: tuple[Observed, ...]
    candidate: tuple[Observed, ...]

    def joined(self, cases: Sequence[Case], served: Sequence[Observed], candidate: Sequence[Observed]) -> CrossFitted:
        """With persons who were held back from every training, whom the weights that are kept answer for."""
        return CrossFitted((*self.cases, *cases), self.folds, (*self.served, *served), (*self.candidate, *candidate))

    @property
    def comparison(self) -> Comparison:
        return compare(self.served, self.candidate, [case.person for case in self.cases])

    def told(self) -> str:
        comparison = self.comparison
        text = (
            f"Cross-fitted over {comparison.persons} {'person' if comparison.persons == 1 else 'persons'} "
            f"({len(self.folds)} short trainings), {comparison.told()}."
        )
        if comparison.persons < FEW_PERSONS:
            text += f" {comparison.persons} are few: label more persons for a surer word."
        return text


def folds_of(persons: Iterable[str], most: int) -> tuple[tuple[str, ...], ...]:
    """Persons dealt into at most ``most`` folds of almost the same size, in the order of a hash of their names."""
    order = sorted(set(persons), key=lambda person: hashlib.sha256(f"fold\0{person}".encode()).digest())
    count = min(most, len(order))
    return tuple(tuple(order[start::count]) for start in range(count))


def persons_to_fold(learn: Sequence[Case], held: Sequence[Case], seen: Collection[str]) -> list[str]:
    """Who is cross-fitted: nobody where enough persons are held back, else all who are new to the old weights.

    A person whom the old weights have learned would speak for them, and is no judge. Neither is there anybody where
    leaving one out would leave nothing to learn from.
    """
    persons = {case.person for case in learn}
    if len({case.person for case in held}) >= ENOUGH_PERSONS or len(persons) < 2:
        return []
    return sorted(persons - set(seen))


def cross_fit(
    recipe: Recipe,
    material: Material,
    persons: Sequence[str],
    folder: Path,
    *,
    most_folds: int,
    old: Path,
    refined_from: Path | None,
    train_network: TrainNetwork,
    observe: Observe,
    report: Callable[[int, int], None] = lambda fold, folds: None,
) -> CrossFitted:
    """Fine-tune once without each fold of ``persons``, and let both weights read it.

    Parameters
    ----------
    recipe : Recipe
        Of the training that is kept; each fold's is that of `fold_recipe`.
    material : Material
    persons : sequence of str
        At least one of those in the material, see `persons_to_fold`.
    folder : Path
        Gets a folder a fold while it is trained.
    most_folds : int
    old : Path
        The weights to compare with.
    refined_from, train_network
        See `vertenet.learning.finetuning.fine_tune`.
    observe : callable
        What weights say of cases.
    report : callable
        Told the number of a fold, from 1, and how many there are.
    """
    folds = folds_of(persons, most_folds)
    cases: list[Case] = []
    candidate: list[Observed] = []
    for number, fold in enumerate(folds, start=1):
        report(number, len(folds))
        judged, samples = material.of(fold)
        here = folder / f"fold{number}"
        weights = fine_tune(
            fold_recipe(recipe, len(folds)),
            material.without(fold),
            samples,
            here,
            refined_from=refined_from,
            train_network=train_network,
        )
        cases += judged
        candidate += observe(weights, judged)
        shutil.rmtree(here)
    return CrossFitted(tuple(cases), folds, tuple(observe(old, cases)), tuple(candidate))
