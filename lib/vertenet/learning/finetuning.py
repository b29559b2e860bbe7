"""Fine-tuning on a few corrected images of a new kind: one way of doing it, for `vertenet train` and for the server.

Five to twenty images among a hundred phantoms are hardly seen, and alone they make a network forget all else
(catastrophic forgetting: McCloskey and Cohen 1989). So labelled images are repeated until they are a fixed share of
what a step sees, and phantoms are rehearsed beside them (Robins, Connection Science 1995). The refiner, which places
the corners, learns from the same images in the same way. The recipe ``fine-tuning`` holds the numbers for both doors.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from torch.utils.data import ConcatDataset

from ..files import beside
from ..inference.refine import refiner_of
from ..networks import load_weights
from .cases import Case
from .crops import Crops, crops_of
from .feed import Source
from .recipe import Recipe
from .refine_training import RefineRecipe, train_refiner
from .samples import Samples

#: The recipe that comes with the program, see `vertenet.learning.read_recipe`.
RECIPE = "fine-tuning"
#: Looks at the lower part of a labelled image, beside the whole: vertebrae are named by such looks.
LOWER_LOOKS = 2
#: An image is repeated at most so often in one pass: a single one shall not be all that a network sees.
MOST_REPEATS = 24
#: Of all minutes, those that go to the trainings that only judge (`vertenet.learning.crossfit`).
JUDGING_SHARE = 0.5
#: Of the minutes of one training, those that go to the refiner, where there is one.
REFINER_SHARE = 1 / 6
#: Phantoms whose vertebrae the refiner rehearses.
REHEARSED = 32
#: A gentle run: it starts from weights that place corners well, and a few dozen vertebrae are soon known by heart.
_REFINE = RefineRecipe(steps=120, batch=32, learning_rate=3e-4, warmup=10, ema=0.95, validation=60)


@dataclass(frozen=True, eq=False)
class Material:
    """What a fine-tuning learns from.

    Attributes
    ----------
    cases : tuple of Case
        The labelled images.
    labelled : Samples
        Of them, in their order; each has as many looks as any other.
    others : tuple of Source
        What the network shall not forget: samples of phantoms.
    crops, other_crops : Crops or None
        The same for the refiner; None: no refiner is trained, or nothing is rehearsed.
    """

    cases: tuple[Case, ...]
    labelled: Samples
    others: tuple[Source, ...] = ()
    crops: Crops | None = None
    other_crops: Crops | None = None

    def without(self, persons: Collection[str]) -> Material:
        """The same without the images of some persons."""
        kept = [number for number, case in enumerate(self.cases) if case.person not in persons]
        return replace(
            self,
            cases=tuple(self.cases[number] for number in kept),
            labelled=self.labelled[self._rows(kept)],
            crops=self.crops and self.crops[~np.isin(self.crops.persons, list(persons))],
        )

    def of(self, persons: Collection[str]) -> tuple[list[Case], Samples]:
        """Cases and samples of some persons."""
        kept = [number for number, case in enumerate(self.cases) if case.person in persons]
        return [self.cases[number] for number in kept], self.labelled[self._rows(kept)]

    def _rows(self, cases: list[int]) -> list[int]:
        """Numbers of the samples of cases, of which each has as many as any other."""
        each = len(self.labelled) // max(1, len(self.cases))
        return [case * each + look for case in cases for look in range(each)]

    def source(self, share: float | None) -> Source:
        """All samples; labelled ones repeated until they are about ``share`` of them (None: as they are)."""
        return joined_sources([self.labelled[_repeated(self.labelled, self.others, share)], *self.others])

    def mixed_crops(self, share: float | None) -> Crops:
        """The same of crops."""
        if self.other_crops is None:
            return self.crops
        return Crops.concatenate([self.crops[_repeated(self.crops, [self.other_crops], share)], self.other_crops])


def crops_of_all(cases: Iterable[Case]) -> Crops:
    """Crops of labelled images; none where no vertebra has all its corners."""
    return Crops.concatenate([crops_of(case) for case in cases])


class TrainNetwork(Protocol):
    """Trains the network of a recipe into a folder and returns the path of its weights; see `learning.train`."""

    def __call__(self, recipe: Recipe, samples: Source, validation: Source, folder: Path) -> Path: ...


def fine_tune(
    recipe: Recipe,
    material: Material,
    validation: Source,
    folder: Path,
    *,
    refined_from: Path | None,
    train_network: TrainNetwork,
) -> Path:
    """Train a network, and the refiner beside it.

    Parameters
    ----------
    recipe : Recipe
        ``minutes`` are those of the network; the refiner has its `REFINER_SHARE` on top. ``data.labelled_share`` says
        how much of a step is labelled.
    material : Material
    validation : Source
        Validates the network while it trains.
    folder : Path
        Of the run.
    refined_from : Path or None
        Weights whose refiner, where they have one, is trained further.
    train_network : callable

    Returns
    -------
    Path of the weights; the refiner lies beside them.
    """
    share = None if recipe.data is None else recipe.data.labelled_share
    weights = train_network(recipe, material.source(share), validation, folder)
    if refined_from is not None and refiner_of(refined_from).is_file():
        _refine(recipe, material, share, refiner_of(refined_from), refiner_of(weights))
    return weights


def network_minutes(minutes: float | None, *, refined: bool, judged: bool) -> float | None:
    """Of all the minutes that somebody gives, those of the network that is kept: a recipe's ``minutes``."""
    if minutes is None:
        return None
    return minutes * (1 - JUDGING_SHARE * judged) * (1 - REFINER_SHARE * refined)


def fold_recipe(recipe: Recipe, folds: int) -> Recipe:
    """The recipe of one of ``folds`` trainings that only judge; together they take as long as `JUDGING_SHARE` says."""
    share = JUDGING_SHARE / (1 - JUDGING_SHARE) / folds
    steps = max(1, round(recipe.steps * share))
    return replace(
        recipe,
        steps=steps,
        minutes=None if recipe.minutes is None else recipe.minutes * share,
        warmup=max(1, min(recipe.warmup, round(recipe.warmup * share * 2), steps)),
        validate_every=recipe.steps,  # at the end alone
        patience=None,
    )


def joined_sources(parts: Sequence[Source]) -> Source:
    """One source of several."""
    if all(isinstance(part, Samples) for part in parts):
        return Samples.concatenate(parts)
    return ConcatDataset(parts) if len(parts) > 1 else parts[0]


def _repeated(own: Samples | Crops, others: Sequence[Source | Crops], share: float | None) -> np.ndarray:
    """Numbers of the own ones, each as often as it is to come."""
    count, repeats = sum(map(len, others)), 1
    if share is not None and count and len(own):
        repeats = min(MOST_REPEATS, max(1, round(share / (1 - share) * count / len(own))))
    return np.tile(np.arange(len(own)), repeats)


def _refine(recipe: Recipe, material: Material, share: float | None, parent: Path, target: Path) -> None:
    """Train the refiner ``parent`` further, into ``target``; without crops to learn from it is copied."""
    if not material.crops:
        copy_refiner(parent, target)
        return
    card = load_weights(parent)[1]
    folder = target.with_name("refiner")
    shutil.rmtree(folder, ignore_errors=True)
    minutes = None if recipe.minutes is None else recipe.minutes * REFINER_SHARE / (1 - REFINER_SHARE)
    # Few steps of the network are few steps of the refiner: a try-out shall not wait for it.
    steps = min(_REFINE.steps, recipe.steps)
    made = train_refiner(
        replace(
            _REFINE,
            options=dict(card.options),
            start_from=str(parent),
            steps=steps,
            warmup=max(1, min(_REFINE.warmup, steps // 4)),
            minutes=minutes,
            seed=recipe.seed,
            threads=recipe.threads,
            bfloat16=recipe.precision == "bfloat16",
        ),
        material.mixed_crops(share),
        material.crops,
        folder,
        training_data=(
            f"{len(material.cases)} annotated images, and phantoms beside them, validated on those images; fine-tuned "
            f"from a refiner ({card.sha256[:12]}) of: {card.training_data}"
        ),
        synthetic_only=card.synthetic_only and all(case.synthetic for case in material.cases),
    )
    copy_refiner(made, target)
    shutil.rmtree(folder)


def copy_refiner(source: Path, target: Path) -> None:
    """Copy the weights of a refiner with their card."""
    for one, other in ((source, target), (source.with_suffix(".json"), target.with_suffix(".json"))):
        with beside(other) as temporary:
            shutil.copyfile(one, temporary)
