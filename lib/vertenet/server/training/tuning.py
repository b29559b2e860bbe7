"""How a round trains: the recipe of fine-tuning with the options of the request, on labels and replayed phantoms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from vertenet.errors import OptionError
from vertenet.inference.refine import refiner_of
from vertenet.learning import Recipe, Samples, read_recipe
from vertenet.learning.calibrate import Observed
from vertenet.learning.cases import Case, case_samples
from vertenet.learning.crossfit import CrossFitted, cross_fit
from vertenet.learning.finetuning import (
    LOWER_LOOKS,
    RECIPE,
    Material,
    copy_refiner,
    crops_of_all,
    fine_tune,
    network_minutes,
)
from vertenet.networks import Card, build, load_weights, save_weights

from .options import TrainOptions
from .replay import Replay
from .worker import Job

#: Validations during a training.
_LOOKS = 3


@dataclass(frozen=True, eq=False)
class Tuning:
    """A training that is prepared.

    Attributes
    ----------
    recipe : Recipe
    material : Material
    validation : Samples
    card : dict
        ``name``, ``training_data``, ``synthetic_only`` of the weights.
    served : Path
        Weights that it starts from, or at any rate is compared with.
    processes : int
    """

    recipe: Recipe
    material: Material
    validation: Samples
    card: dict[str, Any]
    served: Path
    processes: int

    @classmethod
    def of(
        cls,
        options: TrainOptions,
        learn: Sequence[Case],
        validate: Sequence[Case],
        replay: Replay,
        *,
        folder: Path,
        work: Path,
        served: Path,
        judged: bool,
        device: str,
        threads: int,
        processes: int,
        card: Callable[[int, bool], dict[str, Any]],
    ) -> Tuning:
        """Read the labelled images and draw what is replayed.

        Parameters
        ----------
        learn, validate : sequences of Case
        folder : Path
            That keeps the replayed phantoms.
        work : Path
            Of this round.
        judged : bool
            Short trainings for cross-fitting share the minutes.
        card : callable
            Makes the card's entries of the number of replayed phantoms and whether the network starts afresh.

        Raises
        ------
        OptionError
            The network cannot be fine-tuned at the input size that is asked for.
        """
        network, served_card = load_weights(served)
        size = options.input_size or tuple(network.input_size)
        network_options = dict(served_card.options)
        if size != tuple(network.input_size):
            network_options["input_size"] = size
        fresh, refined = options.start == "scratch", refiner_of(served).is_file()
        old = replay.samples(folder, size)
        refines = refined and not fresh
        material = Material(
            tuple(learn),
            case_samples(learn, size, lower=LOWER_LOOKS),
            () if old is None else (old,),
            crops_of_all(learn) if refines else None,
            replay.crops(folder) if refines else None,
        )
        base = read_recipe(RECIPE)
        steps = options.steps or -(-options.epochs * len(material.source(base.data.labelled_share)) // options.batch)
        start = None
        if not fresh:
            start = str(_start(network, served_card, served, network_options, work))
        recipe = replace(
            base,
            network=served_card.network,
            options=network_options,
            steps=steps,
            batch=-(-options.batch // processes) * processes,
            learning_rate=options.learning_rate,
            warmup=min(base.warmup, max(1, steps // 10)),
            freeze=options.freeze,
            device=device,
            threads=threads,
            seed=options.seed,
            validate_every=max(1, -(-steps // _LOOKS)),
            minutes=network_minutes(options.minutes, refined=refines, judged=judged),
            start_from=start,
            data=replace(base.data, phantoms=replay.training),
        )
        validation = case_samples(validate, size)
        return cls(recipe, material, validation, card(replay.training, fresh), served, processes)

    @property
    def epochs(self) -> int:
        """Passes over the images, the repeated ones counted."""
        share = self.recipe.data.labelled_share
        return max(1, round(self.recipe.steps * self.recipe.batch / len(self.material.source(share))))

    def run(self, folder: Path, report: Callable[[dict], None]) -> Path:
        """Train; returns the weights, with a refiner beside them where the served ones have one."""
        weights = fine_tune(
            self.recipe,
            self.material,
            self.validation,
            folder,
            refined_from=self._refined_from,
            train_network=self._trainer(report),
        )
        if self._refined_from is None and refiner_of(self.served).is_file():
            # The refiner looks at crops of the radiograph and never sees the network that was trained.
            copy_refiner(refiner_of(self.served), refiner_of(weights))
        return weights

    def judged(
        self,
        persons: Sequence[str],
        folder: Path,
        observe: Callable[[Path, Sequence[Case]], list[Observed]],
        report: Callable[[int, int], None],
    ) -> CrossFitted:
        """The same training without each fold of ``persons``, judged on them."""
        return cross_fit(
            self.recipe,
            self.material,
            persons,
            folder,
            most_folds=self.recipe.data.folds,
            old=self.served,
            refined_from=self._refined_from,
            train_network=self._trainer(lambda row: None),
            observe=observe,
            report=report,
        )

    @property
    def _refined_from(self) -> Path | None:
        return None if self.recipe.start_from is None else self.served

    def _trainer(self, report: Callable[[dict], None]):
        def train_network(recipe: Recipe, samples: Samples, validation: Samples, folder: Path) -> Path:
            return Job(folder, recipe, self.card, samples, validation).run(self.processes, report)

        return train_network


def _start(network: torch.nn.Module, card: Card, weights: Path, options: dict, work: Path) -> Path:
    """The weights to fine-tune: the served ones, where need be in a network of another input size."""
    if options == card.options:
        return weights
    other = build(card.network, **options)
    try:
        other.load_state_dict(network.state_dict())
    except RuntimeError as error:
        raise OptionError(
            f"the network {card.network} cannot be fine-tuned at another input size",
            remedy="Leave input_size empty, or start from scratch",
        ) from error
    path = work / "start.safetensors"
    save_weights(other, path, replace(card, options=options))
    return path
