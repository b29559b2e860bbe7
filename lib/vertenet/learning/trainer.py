"""The training loop: a recipe in, a folder with weights, log and checkpoint out.

One folder an experiment::

    recipe.json        everything that decided the run
    log.csv            losses and validation, a row each interval
    checkpoint.pt      to go on after a kill (``resume=True``)
    weights.safetensors, weights.json    the averaged weights and their card
"""

from __future__ import annotations

import copy
import csv
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch

from .. import __version__
from ..errors import ModelError
from ..evaluation import score_landmarks
from ..files import beside
from ..imaging.frame import Frame
from ..inference.predictor import spine_from_maps
from ..networks import Card, build, find_weights, load_weights, save_weights
from ..radiograph import Radiograph
from ..spine import Spine
from .augmentation import Augmentation, augment
from .losses import total_loss
from .samples import Samples
from .targets import make_targets


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run, besides the samples.

    At most ``steps`` optimiser steps of ``batch`` images; AdamW with a linear warm-up and a cosine to zero; ``ema`` is
    the decay of the weight average that is kept; ``spread`` see `make_targets`; ``start_from`` names weights to
    fine-tune.
    With ``minutes`` the run also ends after that time, and the learning rate follows whichever of the two is nearer its
    end: for a machine whose speed nobody knows (such a run cannot be repeated to the bit).
    """

    network: str = "vertenet-lite"
    options: dict = field(default_factory=dict)
    steps: int = 2000
    batch: int = 8
    learning_rate: float = 1.5e-3
    weight_decay: float = 1e-2
    warmup: int = 200
    ema: float = 0.998
    spread: int = 1
    seed: int = 1
    threads: int = 2
    bfloat16: bool = False
    validate_every: int = 500
    minutes: float | None = None
    start_from: str | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True)
class Validation:
    """Figures on the validation samples: levels right (0 to 1), median and mean error in the normalised frame.

    The errors are None where no landmark was found at all.
    """

    levels_right: float
    median_px: float | None
    mean_px: float | None


def train(
    recipe: Recipe,
    samples: Samples,
    validation: Samples,
    folder: Path,
    *,
    training_data: str,
    synthetic_only: bool,
    name: str | None = None,
    resume: bool = False,
    report: Callable[[dict], None] = lambda row: None,
) -> Path:
    """Train and write the folder described above.

    Parameters
    ----------
    recipe : Recipe
    samples, validation : Samples
        In the network's frame.
    folder : Path
        Made if need be. A folder that holds another run is refused unless ``resume``.
    training_data : str
        A sentence for the card: what the weights have seen.
    synthetic_only : bool
    report : callable
        Called with each row of the log.

    Returns
    -------
    Path of the safetensors file.

    Raises
    ------
    ModelError
        The folder holds another run, or the checkpoint does not belong to the recipe.
    """
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists() and not resume:
        raise ModelError("holds a training run already", subject=folder, remedy="Resume it or choose another folder")
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    # Channels-last makes a step on the CPU faster and changes nothing else.
    network = _fresh_network(recipe).to(memory_format=torch.channels_last)
    average = copy.deepcopy(network).eval()
    optimiser = torch.optim.AdamW(_parameter_groups(network, recipe.weight_decay), lr=recipe.learning_rate)
    step, spent = 0, 0.0
    if resume and checkpoint.exists():
        step, spent = _restore(checkpoint, recipe, network, average, optimiser, generator)
    (folder / "recipe.json").write_text(json.dumps(asdict(recipe), indent=1), encoding="utf-8")

    started, seen, losses, validated = time.perf_counter(), 0, [], None
    network.train()
    while (done := _progress(step, spent + time.perf_counter() - started, recipe)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = recipe.learning_rate * _schedule(step, done, recipe)
        parts = _step(network, optimiser, samples, recipe, generator)
        losses.append(parts)
        step += 1
        seen += recipe.batch
        _update_average(average, network, min(recipe.ema, step / (step + 10)))
        if step % 50 and step % recipe.validate_every and step != recipe.steps:
            continue
        row = {"step": step, "images_per_s": seen / (time.perf_counter() - started)}
        row.update({key: float(np.mean([p[key] for p in losses])) for key in parts})
        losses.clear()
        if step % recipe.validate_every == 0 or step == recipe.steps:
            latest, validated = validate(average, validation), step
            row.update(asdict(latest))
            elapsed = spent + time.perf_counter() - started
            _keep(checkpoint, recipe, network, average, optimiser, generator, step, elapsed)
        _log(folder / "log.csv", row)
        report(row)
    if validated != step:
        latest = validate(average, validation)
    card = Card.of(
        average,
        name=name or recipe.network,
        training_data=training_data,
        synthetic_only=synthetic_only,
        metrics={**asdict(latest), "validation_images": len(validation), "steps": step},
        recipe={**asdict(recipe), "software": f"vertenet {__version__}", "images": len(samples)},
    )
    path = folder / "weights.safetensors"
    save_weights(average, path, card)
    return path


def validate(network: torch.nn.Module, samples: Samples) -> Validation:
    """Levels right and errors of ``network`` on ``samples`` that face right."""
    network.eval()
    errors, right = [np.empty((0, 2))], []
    for i in range(len(samples)):
        image = torch.from_numpy(samples.images[i]).float() / 255 - 0.5
        with torch.inference_mode():
            maps = {key: value[0].numpy() for key, value in network(image.expand(1, 3, -1, -1)).items()}
        shape = tuple(int(n) for n in samples.sizes[i])
        blank = Radiograph(np.zeros(shape, np.float32), anterior="right")
        frame = Frame(shape, network.input_size)
        predicted, _, _ = spine_from_maps(maps, blank, network)
        truth = Spine.from_array(frame.to_source(samples.corners[i])).bounded(*shape)
        score = score_landmarks(predicted, truth, shape)
        errors.append(score.errors)
        right.append(score.levels_right)
    pooled = np.concatenate(errors)
    if not len(pooled):
        return Validation(float(np.mean(right)), None, None)
    return Validation(float(np.mean(right)), float(np.median(pooled)), float(pooled.mean()))


def _fresh_network(recipe: Recipe) -> torch.nn.Module:
    if recipe.start_from is None:
        return build(recipe.network, **recipe.options)
    network, card = load_weights(find_weights(recipe.start_from))
    if card.network != recipe.network:
        raise ModelError(f"holds weights of {card.network}, not of {recipe.network}", subject=recipe.start_from)
    return network


def _parameter_groups(network: torch.nn.Module, weight_decay: float) -> list[dict]:
    """No decay on biases, norms and temperatures: decay would pull them away from what they stand for."""
    matrices = [p for p in network.parameters() if p.ndim > 1]
    vectors = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def _schedule(step: int, done: float, recipe: Recipe) -> float:
    return min(1.0, (step + 1) / recipe.warmup) * 0.5 * (1 + math.cos(math.pi * done))


def _progress(step: int, seconds: float, recipe: Recipe) -> float:
    """How much of the run is done, 0 to 1: by steps, or by time where that is nearer its end."""
    by_time = 0.0 if recipe.minutes is None else seconds / (60 * recipe.minutes)
    return min(1.0, max(step / recipe.steps, by_time))


def _step(network, optimiser, samples: Samples, recipe: Recipe, generator: torch.Generator) -> dict[str, float]:
    chosen = torch.randint(len(samples), (recipe.batch,), generator=generator).numpy()
    images = torch.from_numpy(samples.images[chosen]).float() / 255
    corners, centres = torch.from_numpy(samples.corners[chosen]), torch.from_numpy(samples.centres[chosen])
    images, corners, centres, faces_right = augment(images, corners, centres, recipe.augmentation, generator)
    if not faces_right.any():
        faces_right[0], images[0] = True, images[0].flip(-1)
    grid = tuple(n // network.stride for n in network.input_size)
    targets = make_targets(corners / network.stride, centres / network.stride, grid, recipe.spread)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=recipe.bfloat16):
        batch = (images - 0.5)[:, None].expand(-1, 3, -1, -1)
        maps = network(batch.contiguous(memory_format=torch.channels_last))
    loss, parts = total_loss(maps, targets, faces_right)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    optimiser.step()
    return parts


@torch.no_grad()
def _update_average(average: torch.nn.Module, network: torch.nn.Module, decay: float) -> None:
    for kept, current in zip(average.state_dict().values(), network.state_dict().values()):
        if kept.dtype.is_floating_point:
            kept.lerp_(current, 1 - decay)
        else:
            kept.copy_(current)


def _keep(path: Path, recipe: Recipe, network, average, optimiser, generator, step: int, seconds: float) -> None:
    state = {
        "recipe": json.dumps(asdict(recipe)),
        "step": step,
        "seconds": seconds,
        "network": network.state_dict(),
        "average": average.state_dict(),
        "optimiser": optimiser.state_dict(),
        "generator": generator.get_state(),
    }
    with beside(path) as temporary:
        torch.save(state, temporary)


def _restore(path: Path, recipe: Recipe, network, average, optimiser, generator) -> tuple[int, float]:
    state = torch.load(path, map_location="cpu", weights_only=True)
    # The number of threads may change between sittings: it decides the speed, not the result.
    ours, theirs = ({**json.loads(text), "threads": 0} for text in (json.dumps(asdict(recipe)), state["recipe"]))
    if ours != theirs:
        raise ModelError("was written by another recipe", subject=path, remedy="Resume with the recipe beside it")
    network.load_state_dict(state["network"])
    average.load_state_dict(state["average"])
    optimiser.load_state_dict(state["optimiser"])
    generator.set_state(state["generator"])
    return state["step"], state["seconds"]


_COLUMNS = (
    *("step", "images_per_s", "hm", "reg", "wh", "level", "anterior"),
    *("levels_right", "median_px", "mean_px"),
)


def _log(path: Path, row: dict) -> None:
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, _COLUMNS, restval="")
        if new:
            writer.writeheader()
        writer.writerow({key: f"{value:.5g}" if isinstance(value, float) else value for key, value in row.items()})
