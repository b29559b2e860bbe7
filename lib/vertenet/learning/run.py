"""From a recipe alone to weights: gathers what the recipe's data name, splits off validation, trains, and judges a
fine-tuning."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import ignite.distributed as idist
import torch

from ..errors import OptionError
from ..files import write_text
from ..inference import Predictor
from ..inference.refine import refiner_of
from ..models import find_weights
from ..networks import Card, load_weights
from .calibrate import Observed, observe_all
from .cases import Case, annotated_cases, case_samples, phantom_cases, split_by_person
from .comparison import compare
from .crops import Crops, gather_crops
from .crossfit import cross_fit, persons_to_fold
from .feed import PhantomStream, Source
from .finetuning import LOWER_LOOKS, REHEARSED, Material, TrainNetwork, crops_of_all, fine_tune, joined_sources
from .learner import fresh_network
from .processes import choose_device, joined
from .recipe import FILM_SEEDS_FROM, Data, Recipe
from .samples import Samples, phantom_samples
from .session import TrainingStopped
from .trainer import train

#: Phantoms that validate a run: drawn at default difficulty, from seeds that training never uses.
VALIDATION_SEED = 800_000


def run_training(
    recipe: Recipe,
    out: Path,
    *,
    cache: Path | None = None,
    workers: int | None = None,
    resume: bool = False,
    report: Callable[[dict], None] = lambda row: None,
    should_stop: Callable[[], bool] = lambda: False,
    say: Callable[[str], None] = lambda sentence: None,
) -> Path:
    """Train on what ``recipe.data`` names: an annotated folder, phantoms, or both.

    Parameters
    ----------
    recipe : Recipe
    out : Path
        Folder of the run, see `vertenet.learning.trainer`.
    cache : Path, optional
        Keeps generated samples between runs; default ``out/samples``.
    workers : int, optional
        Processes that generate phantoms and prepare batches; default: what the machine has to spare.
    resume, report, should_stop
        See `vertenet.learning.train`.
    say : callable
        Told sentences on how a fine-tuning is judged, the last of which is kept in the card's ``metrics["judged"]``.

    Returns
    -------
    Path of the weights; after a fine-tuning with a refiner beside them, where those that it started from have one.

    Raises
    ------
    OptionError
        There is nothing to train on.
    AnnotationError
        No image of the folder has landmarks.
    TrainingStopped
        ``should_stop`` said so.
    """
    data = recipe.data or Data()
    if data.folder is None and data.phantoms + data.films < 1:
        raise OptionError("there is nothing to train on", remedy="Give --data FOLDER, --phantoms N, or both")
    workers = spare_processors(recipe) if workers is None else workers
    cache = out / "samples" if cache is None else cache
    with joined(recipe.device):
        size = fresh_network(recipe).input_size
        learn, held, labelled = [], [], None
        training: list[Source] = []
        validation: list[Samples] = []
        sources: list[str] = []
        synthetic_only = True
        if data.folder is not None:
            cases = annotated_cases(Path(data.folder))
            learn, held = split_by_person(cases, data.validation_share)
            labelled = case_samples(_until(should_stop, learn, out), size, lower=LOWER_LOOKS)
            # One person's scans leave nobody to validate on: figures then say how well they were learnt by heart.
            validation.append(case_samples(_until(should_stop, held, out), size) if held else labelled)
            sources.append(_described(learn) if held else f"{_described(learn)}, validated on themselves")
            # Weights fine-tuned on patients have seen patients; weights that only ever saw phantoms say so.
            synthetic_only = all(case.synthetic for case in cases)
        if data.phantoms + data.films > 0:
            with idist.one_rank_first():
                training, validating = _phantoms(data, size, cache, workers)
            validation.append(validating)
            sources += _drawn(data)
        if recipe.start_from is not None:
            _, parent = load_weights(find_weights(recipe.start_from))
            sources.append(f"before that, as {parent.name} {parent.sha256[:12]}: {parent.training_data}")
            synthetic_only = synthetic_only and parent.synthetic_only

        def train_network(recipe: Recipe, samples: Source, validation: Source, folder: Path) -> Path:
            return train(
                recipe,
                samples,
                validation,
                folder,
                training_data="; ".join(sources),
                synthetic_only=synthetic_only,
                resume=resume,
                workers=workers,
                report=report if folder == out else lambda row: None,
                should_stop=should_stop,
            )

        validating = Samples.concatenate(validation)
        if labelled is None:
            return train_network(recipe, joined_sources(training), validating, out)
        material = Material(tuple(learn), labelled, tuple(training))
        if not is_fine_tuning(recipe) or idist.get_world_size() > 1:
            return train_network(recipe, material.source(data.labelled_share), validating, out)
        start = find_weights(recipe.start_from)
        if refiner_of(start).is_file():
            crops = crops_of_all(_until(should_stop, learn, out))
            material = replace(material, crops=crops, other_crops=_phantom_crops(data, cache))
        weights = fine_tune(recipe, material, validating, out, refined_from=start, train_network=train_network)
        if data.folds:
            sentence = _judge(recipe, material, held, weights, out, train_network, say)
            say(sentence)
        return weights


def is_fine_tuning(recipe: Recipe) -> bool:
    """Whether a recipe fine-tunes weights on labelled images, see `vertenet.learning.finetuning`."""
    data = recipe.data or Data()
    return recipe.start_from is not None and data.folder is not None and data.labelled_share is not None


def _judge(
    recipe: Recipe,
    material: Material,
    held: list[Case],
    weights: Path,
    out: Path,
    train_network: TrainNetwork,
    say: Callable[[str], None],
) -> str:
    """Compare the weights with those that they started from, in their card; what is to be said of it.

    The persons are judged by cross-fitting and those held back by the weights themselves; phantoms tell what was
    forgotten. Whether the weights to start from have seen these persons before is not known here.
    """
    data, start, device = recipe.data, find_weights(recipe.start_from), str(choose_device(recipe.device))

    def observe(weights: Path, cases: Sequence[Case]) -> list[Observed]:
        return observe_all(Predictor(weights, calibrated=False, threads=recipe.threads, device=device), cases)

    card, judged, words = Card.read(weights.with_suffix(".json")), {}, []
    folded = persons_to_fold(material.cases, held, ())
    if folded:
        found = cross_fit(
            recipe,
            material,
            folded,
            out / "folds",
            most_folds=data.folds,
            old=start,
            refined_from=start,
            train_network=train_network,
            observe=observe,
            report=lambda fold, folds: say(f"Judging: a short training without some persons, {fold} of {folds}."),
        )
        found = found.joined(held, observe(start, held), observe(weights, held))
        judged["cross_fitted"] = {"folds": len(found.folds), **asdict(found.comparison)}
        words.append(found.told())
        shutil.rmtree(out / "folds", ignore_errors=True)
    elif held:
        found = compare(observe(start, held), observe(weights, held), [case.person for case in held])
        judged["held_back"] = asdict(found)
        words.append(f"On {found.persons} persons held back, {found.told()}.")
    if data.phantoms + data.films > 0:
        phantoms = phantom_cases(data.validation_phantoms, difficulty="default", first_seed=VALIDATION_SEED)
        found = compare(observe(start, phantoms), observe(weights, phantoms), [case.person for case in phantoms])
        judged["phantoms"] = asdict(found)
        words.append(f"On {found.images} phantoms, {found.told()}.")
    sentence = " ".join(words) or "There is nobody to judge by: label the images of at least two persons."
    metrics = {**card.metrics, "judged": {**judged, "sentence": sentence}}
    write_text(weights.with_suffix(".json"), json.dumps(replace(card, metrics=metrics).to_dict(), indent=2) + "\n")
    return sentence


def spare_processors(recipe: Recipe) -> int:
    """Processors that training itself leaves idle, at most 16: on the CPU its threads, with a GPU one are its own."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    on_gpu = recipe.device != "cpu" and torch.cuda.is_available()
    return max(0, min(16, available - (1 if on_gpu else recipe.threads)))


def _phantoms(data: Data, size: tuple[int, int], cache: Path, workers: int) -> tuple[list[Source], Samples]:
    workers = max(1, workers)
    held = phantom_samples(
        cache, data.validation_phantoms, size, difficulty="default", first_seed=VALIDATION_SEED, workers=workers
    )
    learn: list[Source] = []
    for film, count, first in (
        (False, data.phantoms, data.first_seed),
        (True, data.films, data.first_seed + FILM_SEEDS_FROM),
    ):
        kind = {"difficulty": data.difficulty, "first_seed": first, "film": film}
        for lower in (False, True)[: 1 + data.lower_looks] if count > 0 else ():
            if data.on_the_fly:
                learn.append(PhantomStream(count, size, **kind, lower=lower))
            else:
                learn.append(phantom_samples(cache, count, size, **kind, lower=lower, workers=workers))
    return learn, held


def _drawn(data: Data) -> list[str]:
    """What is drawn for a run, in words."""
    kinds = (
        (data.phantoms, "densitometer images", data.first_seed),
        (data.films, "radiographs", data.first_seed + FILM_SEEDS_FROM),
    )
    return [f"{count} synthetic {kind} (seeds from {first})" for count, kind, first in kinds if count > 0]


def _described(cases: list[Case]) -> str:
    synthetic = sum(case.synthetic for case in cases)
    if synthetic == len(cases):
        scanners = ", ".join(sorted({case.scanner for case in cases}))
        return f"{synthetic} synthetic phantom images of a folder ({scanners})"
    persons = len({case.person for case in cases if not case.synthetic})
    text = f"{len(cases) - synthetic} annotated images of {persons} {'person' if persons == 1 else 'persons'}"
    return f"{text} and {synthetic} synthetic phantom images beside them" if synthetic else text


def _phantom_crops(data: Data, cache: Path) -> Crops | None:
    """Crops of a few of the phantoms, for the refiner to rehearse."""
    count = min(data.phantoms, REHEARSED)
    if not count:
        return None
    cases = phantom_cases(count, difficulty=data.difficulty, first_seed=data.first_seed)
    return gather_crops(cases, cache / f"crops-{data.difficulty}-{data.first_seed}-{count}.npz")


def _until(should_stop: Callable[[], bool], cases: Iterable[Case], out: Path) -> Iterator[Case]:
    """The cases, one at a time, until somebody wants to stop."""
    for case in cases:
        if should_stop():
            raise TrainingStopped(out, 0)
        yield case
