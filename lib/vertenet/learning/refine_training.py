"""Training of the refiner: crops in, a folder with weights, card, recipe and log out."""

from __future__ import annotations

import csv
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from ignite.engine import Engine, Events
from ignite.handlers import EMAHandler

from .. import __version__
from ..errors import AnnotationError, ModelError
from ..files import write_text
from ..inference.crops import CROP_DEPTH
from ..networks import Card, build, load_weights, save_weights
from .crop_augmentation import CropAugmentation, windows
from .crops import Crops
from .refine_loss import refinement_loss

#: Steps between two rows of the log.
LOG_EVERY = 50


@dataclass(frozen=True)
class RefineRecipe:
    """Everything that decides a training run of the refiner, besides the crops.

    At most ``steps`` steps of ``batch`` windows; AdamW with a linear warm-up and a cosine to zero; ``ema`` is the decay
    of the weight average that is kept. With ``minutes`` the run also ends after that time, and the learning rate
    follows whichever of the two is nearer its end. ``validation`` limits the windows that are validated on.
    ``start_from`` is the weight file of a refiner to fine-tune.
    """

    options: dict = field(default_factory=dict)
    steps: int = 6000
    minutes: float | None = None
    batch: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    warmup: int = 100
    ema: float = 0.995
    seed: int = 1
    threads: int = 1
    bfloat16: bool = False
    validation: int = 1000
    start_from: str | None = None
    augmentation: CropAugmentation = field(default_factory=CropAugmentation)


@dataclass(frozen=True)
class RefineScore:
    """Figures on windows displaced at random as in training; errors are of a coordinate.

    ``median`` and ``mean`` are shares of the vertebral depth. ``sigma_ratio`` is the mean error over its mean
    prediction: 1 where predicted errors are right on average.
    """

    median: float
    mean: float
    sigma_ratio: float
    windows: int


def train_refiner(
    recipe: RefineRecipe,
    crops: Crops,
    validation: Crops,
    folder: Path,
    *,
    training_data: str,
    synthetic_only: bool,
    report: Callable[[dict], None] = lambda row: None,
) -> Path:
    """Train, and write ``recipe.json``, ``log.csv``, ``weights.safetensors`` and its card into ``folder``.

    Parameters
    ----------
    recipe : RefineRecipe
    crops, validation : Crops
    folder : Path
        Made if need be.
    training_data : str
        A sentence for the card: what the weights have seen.
    synthetic_only : bool
    report : callable
        Called with each row of the log, every `LOG_EVERY` steps.

    Returns
    -------
    Path of the safetensors file. To be found by a Predictor it is copied, with its card, to
    ``<weights stem>.refiner.safetensors`` and ``.json`` beside the weights that it refines.

    Raises
    ------
    ModelError
        The folder holds another run, or the weights to start from are missing or no refiner's.
    AnnotationError
        There are no crops to train or to validate on.
    """
    weights = folder / "weights.safetensors"
    if weights.exists():
        raise ModelError("holds a training run already", subject=folder, remedy="Choose another folder")
    if not len(crops) or not len(validation):
        raise AnnotationError(f"{len(crops)} vertebrae to train on and {len(validation)} to validate on are too few")
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "recipe.json", json.dumps(asdict(recipe), indent=1))
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    # Not channels-last: there torch 2.14 writes beyond its memory, on the CPU, in the backward pass of 1 x 1
    # convolutions of stride 2 with so few channels, and the process dies sooner or later.
    network = _network(recipe).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    started = time.perf_counter()

    def progress(step: int) -> float:
        spent = (time.perf_counter() - started) / 60
        return min(1.0, max(step / recipe.steps, spent / recipe.minutes if recipe.minutes else 0.0))

    def step(engine: Engine, batch: tuple[torch.Tensor, torch.Tensor]) -> dict[str, float]:
        done = progress(engine.state.iteration - 1)
        rate = min(1.0, engine.state.iteration / recipe.warmup) * 0.5 * (1 + math.cos(math.pi * done))
        for group in optimiser.param_groups:
            group["lr"] = recipe.learning_rate * rate
        inputs, points = windows(*batch, network.input_size[0], recipe.augmentation, generator)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=recipe.bfloat16):
            outputs = network(inputs.contiguous())
        loss, parts = refinement_loss(outputs, points, network.input_size[0])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        return parts

    trainer = Engine(step)
    # A short memory at first: an average that still held the first random weights would be worth nothing.
    average = EMAHandler(network, 1 - recipe.ema, momentum_warmup=0.2, warmup_iters=500, handle_buffers="update")
    average.attach(trainer, event=Events.ITERATION_COMPLETED)
    gathered: list[dict[str, float]] = []

    @trainer.on(Events.ITERATION_COMPLETED)
    def keep_log(engine: Engine) -> None:
        gathered.append(engine.state.output)
        last = progress(engine.state.iteration) >= 1
        if last or engine.state.iteration % LOG_EVERY == 0:
            row = {name: sum(parts[name] for parts in gathered) / len(gathered) for name in gathered[0]}
            row = {"step": engine.state.iteration, "seconds": time.perf_counter() - started, **row}
            gathered.clear()
            _log(folder / "log.csv", row)
            report(row)
        if last:
            engine.terminate()

    trainer.run(_batches(crops, recipe.batch, generator), max_epochs=1, epoch_length=recipe.steps)
    ema = average.ema_model
    score = validate_refiner(ema, validation[: recipe.validation], recipe.augmentation)
    card = Card.of(
        ema,
        name="refiner",
        training_data=training_data,
        synthetic_only=synthetic_only,
        metrics={**asdict(score), "steps": trainer.state.iteration},
        recipe={**_portable(recipe), "software": f"vertenet {__version__}", "vertebrae": len(crops)},
    )
    save_weights(ema, weights, card)
    return weights


@torch.no_grad()
def validate_refiner(network: torch.nn.Module, crops: Crops, augmentation: CropAugmentation) -> RefineScore:
    """Score ``network`` on one window of each crop, the same windows every time."""
    network.eval()
    generator = torch.Generator().manual_seed(0)
    errors, sigmas = [], []
    for start in range(0, len(crops), 64):
        part = crops[start : start + 64]
        images, points = torch.from_numpy(part.images), torch.from_numpy(part.points)
        inputs, points = windows(images, points, network.input_size[0], augmentation, generator)
        outputs = network(inputs.contiguous())
        known = torch.isfinite(points).all(-1)
        errors.append((outputs["points"] - points).abs()[known])
        sigmas.append(outputs["log_sigma"].exp()[known])
    error, sigma = torch.cat(errors) / CROP_DEPTH, torch.cat(sigmas) / CROP_DEPTH
    return RefineScore(float(error.median()), float(error.mean()), float(error.mean() / sigma.mean()), len(crops))


def _network(recipe: RefineRecipe) -> torch.nn.Module:
    if recipe.start_from is None:
        return build("refiner", **recipe.options)
    network, card = load_weights(recipe.start_from)
    if card.network != "refiner":
        raise ModelError(f"these are weights of {card.network}, not of a refiner", subject=recipe.start_from)
    return network


def _portable(recipe: RefineRecipe) -> dict:
    """For a card, which travels with the weights: of a path on this machine only the last part."""
    start = None if recipe.start_from is None else Path(recipe.start_from).name
    return {**asdict(recipe), "start_from": start}


def _batches(crops: Crops, batch: int, generator: torch.Generator) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Endless batches; every crop once before any a second time."""
    order = torch.empty(0, dtype=torch.long)
    while True:
        while len(order) < batch:
            order = torch.cat([order, torch.randperm(len(crops), generator=generator)])
        chosen, order = order[:batch].numpy(), order[batch:]
        yield torch.from_numpy(crops.images[chosen]), torch.from_numpy(crops.points[chosen])


def _log(path: Path, row: dict) -> None:
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(row))
        if new:
            writer.writeheader()
        writer.writerow({name: f"{value:.5g}" if isinstance(value, float) else value for name, value in row.items()})
