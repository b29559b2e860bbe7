"""From a recipe alone to weights: gathers what the recipe's data name, splits off validation, trains."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import ignite.distributed as idist
import torch
from torch.utils.data import ConcatDataset

from ..errors import OptionError
from ..networks import find_weights, load_weights
from .cases import Case, annotated_cases, case_samples, split_by_person
from .feed import PhantomStream, Source
from .learner import fresh_network
from .processes import joined
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

    Returns
    -------
    Path of the weights.

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
    with joined(recipe.device):
        size = fresh_network(recipe).input_size
        training: list[Source] = []
        validation: list[Samples] = []
        sources: list[str] = []
        synthetic_only = True
        if data.folder is not None:
            cases = annotated_cases(Path(data.folder))
            learn, held = split_by_person(cases, data.validation_share)
            training.append(case_samples(_until(should_stop, learn, out), size))
            # One person's scans leave nobody to validate on: figures then say how well they were learnt by heart.
            validation.append(case_samples(_until(should_stop, held, out), size) if held else training[0])
            sources.append(_described(learn) if held else f"{_described(learn)}, validated on themselves")
            # Weights fine-tuned on patients have seen patients; weights that only ever saw phantoms say so.
            synthetic_only = all(case.synthetic for case in cases)
        if data.phantoms + data.films > 0:
            with idist.one_rank_first():
                learn, held = _phantoms(data, size, out / "samples" if cache is None else cache, workers)
            training.extend(learn)
            validation.append(held)
            sources.append(
                f"{data.phantoms} synthetic densitometer images (seeds from {data.first_seed}) "
                f"and {data.films} synthetic radiographs (seeds from {data.first_seed + FILM_SEEDS_FROM})"
            )
        if recipe.start_from is not None:
            _, parent = load_weights(find_weights(recipe.start_from))
            sources.append(f"before that, as {parent.name} {parent.sha256[:12]}: {parent.training_data}")
            synthetic_only = synthetic_only and parent.synthetic_only
        return train(
            recipe,
            _joined(training),
            Samples.concatenate(validation),
            out,
            training_data="; ".join(sources),
            synthetic_only=synthetic_only,
            resume=resume,
            workers=workers,
            report=report,
            should_stop=should_stop,
        )


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
        if count > 0 and data.on_the_fly:
            learn.append(PhantomStream(count, size, **kind))
        elif count > 0:
            learn.append(phantom_samples(cache, count, size, **kind, workers=workers))
    return learn, held


def _described(cases: list[Case]) -> str:
    synthetic = sum(case.synthetic for case in cases)
    if synthetic == len(cases):
        scanners = ", ".join(sorted({case.scanner for case in cases}))
        return f"{synthetic} synthetic phantom images of a folder ({scanners})"
    persons = len({case.person for case in cases if not case.synthetic})
    text = f"{len(cases) - synthetic} annotated images of {persons} {'person' if persons == 1 else 'persons'}"
    return f"{text} and {synthetic} synthetic phantom images beside them" if synthetic else text


def _joined(parts: list[Source]) -> Source:
    if all(isinstance(part, Samples) for part in parts):
        return Samples.concatenate(parts)
    return ConcatDataset(parts) if len(parts) > 1 else parts[0]


def _until(should_stop: Callable[[], bool], cases: Iterable[Case], out: Path) -> Iterator[Case]:
    """The cases, one at a time, until somebody wants to stop."""
    for case in cases:
        if should_stop():
            raise TrainingStopped(out, 0)
        yield case
