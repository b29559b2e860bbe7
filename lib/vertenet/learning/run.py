"""From folders and phantom counts to a training run: gathers samples, splits off validation, trains."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..annotation import load
from ..errors import AnnotationError, OptionError
from ..imaging import ImageFolder
from ..networks import build, find_weights, load_weights
from .samples import TRAINING_SEED, Samples, make_sample, phantom_samples
from .trainer import Recipe, train

#: Phantoms that validate a run: drawn at default difficulty, from seeds that training never uses.
VALIDATION_SEED = 800_000
VALIDATION_COUNT = 100
#: Share of annotated images kept for validation when there are no phantoms.
VALIDATION_SHARE = 0.15


def run_training(
    recipe: Recipe,
    out: Path,
    *,
    data: Path | None = None,
    phantoms: int = 0,
    cache: Path | None = None,
    workers: int = 1,
    resume: bool = False,
    report: Callable[[dict], None] = lambda row: None,
) -> Path:
    """Train on an annotated folder, on phantoms, or on both.

    Parameters
    ----------
    recipe : Recipe
    out : Path
        Folder of the run, see `vertenet.learning.trainer`.
    data : Path, optional
        Folder of images with landmark files beside them (any format of `vertenet.annotation`).
    phantoms : int
        Synthetic images to generate.
    cache : Path, optional
        Keeps generated samples between runs; default ``out/samples``.

    Returns
    -------
    Path of the weights.

    Raises
    ------
    OptionError
        There is nothing to train on.
    """
    if data is None and phantoms < 1:
        raise OptionError("there is nothing to train on", remedy="Give --data FOLDER, --phantoms N, or both")
    size = build(recipe.network, **recipe.options).input_size
    cache = out / "samples" if cache is None else cache
    training: list[Samples] = []
    validation: list[Samples] = []
    sources: list[str] = []
    if data is not None:
        kept, held = annotated_samples(data, size)
        training.append(kept)
        validation.append(held)
        sources.append(f"{len(kept)} annotated images")
    if phantoms > 0:
        training.append(phantom_samples(cache, phantoms, size, difficulty="training", workers=workers))
        validation.append(
            phantom_samples(
                cache, VALIDATION_COUNT, size, difficulty="default", first_seed=VALIDATION_SEED, workers=workers
            )
        )
        sources.append(f"{phantoms} synthetic phantom images (seeds from {TRAINING_SEED})")
    # Weights fine-tuned on patients have seen patients; weights that only ever saw phantoms say so.
    synthetic_only = data is None
    if recipe.start_from is not None:
        _, parent = load_weights(find_weights(recipe.start_from))
        sources.append(f"before that, as {parent.name} {parent.sha256[:12]}: {parent.training_data}")
        synthetic_only = synthetic_only and parent.synthetic_only
    return train(
        recipe,
        Samples.concatenate(training),
        Samples.concatenate(validation),
        out,
        training_data="; ".join(sources),
        synthetic_only=synthetic_only,
        resume=resume,
        report=report,
    )


def annotated_samples(folder: Path, size: tuple[int, int]) -> tuple[Samples, Samples]:
    """Training and validation samples of a folder of images with landmark files.

    The split follows a hash of the image's name, so it stays when images are added.

    Raises
    ------
    AnnotationError
        No image of the folder has landmarks.
    """
    images = ImageFolder(folder)
    spines = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in (".csv", ".mat") or path.name.endswith((".mrk.json", ".reading.json", ".coco.json")):
            spines.update({_stem(name): found.spine for name, found in load(path, images=images).items()})
    training, validation = [], []
    for name in images:
        spine = spines.get(_stem(name))
        if spine is None:
            continue
        sample = make_sample(images[name], spine, spine, size)
        held = zlib.crc32(_stem(name).encode()) % 1000 < 1000 * VALIDATION_SHARE
        (validation if held else training).append(sample)
    if not training:
        raise AnnotationError("no image with landmarks to train on", subject=folder)
    # A handful of images leaves nothing to hold back: validate on one of them rather than on none.
    return Samples.concatenate(training), Samples.concatenate(validation or [training[0][np.array([0])]])


def _stem(name: str) -> str:
    return Path(name).name.split(".")[0]
