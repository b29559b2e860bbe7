"""Commands that make models and what they learn from: phantom, train, import-checkpoint."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Optional

import typer

from ..errors import OptionError
from ..models import find_weights
from .common import OutFolder, app, check_choice, say
from .progress import progress_bar
from .training_view import stop_on_signals, training_view


@app.command()
def phantom(
    out: OutFolder,
    count: Annotated[int, typer.Option(help="How many images.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of the first; the next ones follow.")] = 0,
    scanner: Annotated[str, typer.Option(help="A profile, or all for each scanner's in turn.")] = "all",
    difficulty: Annotated[str, typer.Option(help="easy, default, hard or training.")] = "default",
    format: Annotated[str, typer.Option(help="png, jpeg or dicom.")] = "png",
) -> None:
    """Make synthetic lateral spine DXA images (or lumbar films) with exact truth beside them."""
    from ..phantom import difficulties, films, generate, scanners, write

    names = sorted(scanners())
    check_choice("--scanner", scanner, [*names, *films(), "all"])
    check_choice("--difficulty", difficulty, list(difficulties()))
    check_choice("--format", format, ["png", "jpeg", "dicom"])
    if count < 1 or seed < 0:
        raise OptionError("--count must be at least 1 and --seed at least 0")
    with progress_bar() as progress:
        for number in progress.track(range(seed, seed + count), description="Making phantoms"):
            name = names[number % len(names)] if scanner == "all" else scanner
            write(generate(number, scanner=name, difficulty=difficulty), out, format=format)
    say(f"{count} synthetic images with .truth.json beside them in {out}.")


@app.command()
def train(
    out: OutFolder,
    data: Annotated[
        Optional[Path],
        typer.Option(help="Folder of images with their landmarks beside them, or the server's dataset.zip."),
    ] = None,
    phantoms: Annotated[Optional[int], typer.Option(help="Synthetic images to add to the training set.")] = None,
    folds: Annotated[
        Optional[int], typer.Option(help="Of the cross-fitting that judges a fine-tuning; 0: do not judge.")
    ] = None,
    on_the_fly: Annotated[Optional[bool], typer.Option(help="Draw phantoms as they are needed; keep none.")] = None,
    cache: Annotated[Optional[Path], typer.Option(help="Keeps synthetic samples between runs.")] = None,
    recipe: Annotated[
        Optional[str], typer.Option(help="A recipe.json or a shipped recipe's name; other options change it.")
    ] = None,
    network: Annotated[Optional[str], typer.Option(help="A network of the zoo.")] = None,
    start_from: Annotated[
        Optional[str], typer.Option(help="Weights to fine-tune; with --data by the recipe fine-tuning, unless given.")
    ] = None,
    freeze: Annotated[Optional[str], typer.Option(help="A part to leave as it is, such as encoder.")] = None,
    steps: Annotated[Optional[int], typer.Option(help="Optimiser steps.")] = None,
    minutes: Annotated[
        Optional[float], typer.Option(help="End after this time, trainings that judge included.")
    ] = None,
    patience: Annotated[Optional[int], typer.Option(help="Validations without a better score before the end.")] = None,
    batch: Annotated[Optional[int], typer.Option(help="Images a step.")] = None,
    accumulate: Annotated[Optional[int], typer.Option(help="Parts of a batch, for memory.")] = None,
    learning_rate: Annotated[Optional[float], typer.Option(help="Highest learning rate.")] = None,
    validate_every: Annotated[Optional[int], typer.Option(help="Steps between validations.")] = None,
    seed: Annotated[Optional[int], typer.Option(help="Seed of weights, order and augmentation.")] = None,
    precision: Annotated[Optional[str], typer.Option(help="float32, bfloat16 or float16 (for GPUs).")] = None,
    bfloat16: Annotated[bool, typer.Option("--bfloat16", help="The same as --precision bfloat16.")] = False,
    device: Annotated[Optional[str], typer.Option(help="auto, cpu or cuda.")] = None,
    threads: Annotated[Optional[int], typer.Option(help="CPU threads.")] = None,
    workers: Annotated[Optional[int], typer.Option(help="Processes that prepare images.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out, with its own recipe.")] = False,
) -> None:
    """Train a network on annotated images, on phantoms, or on both.

    With --data and --start-from a few images of a new kind are learned and what they brought is judged, old weights
    against new, by cross-fitting over the persons; the card keeps it.
    Ctrl-C writes a checkpoint and ends; --resume goes on. Several processes: torchrun -m vertenet.cli train ...
    """
    if start_from is not None:
        find_weights(start_from)  # before torch is loaded, which takes seconds
    from ..inference.refine import refiner_of
    from ..learning import Data, Recipe, TrainingStopped, read_recipe
    from ..learning.finetuning import RECIPE, network_minutes
    from ..learning.run import is_fine_tuning, run_training

    if resume and recipe is None and (out / "recipe.json").is_file():
        recipe = str(out / "recipe.json")
    if recipe is None and start_from is not None and data is not None:
        recipe = RECIPE
    base = Recipe() if recipe is None else read_recipe(recipe)
    changes = {
        "network": network,
        "start_from": start_from,
        "freeze": freeze,
        "steps": steps,
        "minutes": minutes,
        "patience": patience,
        "batch": batch,
        "accumulate": accumulate,
        "learning_rate": learning_rate,
        "validate_every": validate_every,
        "seed": seed,
        "precision": "bfloat16" if bfloat16 else precision,
        "device": device,
        "threads": threads,
        "data": _changed(
            base.data or Data(),
            folder=None if data is None else str(data),
            phantoms=phantoms,
            on_the_fly=on_the_fly,
            folds=folds,
        ),
    }
    if steps is not None:
        changes["warmup"] = min(base.warmup, max(1, steps // 10))
        changes["validate_every"] = validate_every or min(base.validate_every, steps)
    wanted = _changed(base, **changes)
    if minutes is not None and is_fine_tuning(wanted):
        # A recipe's minutes are those of the network that is kept; what is asked for here is the whole.
        refined = refiner_of(find_weights(wanted.start_from)).is_file()
        wanted = replace(wanted, minutes=network_minutes(minutes, refined=refined, judged=wanted.data.folds > 0))
    with stop_on_signals() as should_stop, training_view() as view:
        try:
            weights = run_training(
                wanted,
                out,
                cache=cache,
                workers=workers,
                resume=resume,
                report=view,
                should_stop=should_stop,
                say=say,
            )
        except TrainingStopped as stopped:
            say(f"Stopped after step {stopped.step}. Go on with: vertenet train --out {out} --resume")
            raise typer.Exit(130) from None
    if os.environ.get("RANK", "0") == "0":
        if view.figures:
            say(f"{view.figures}.")
        say(f"Weights: {weights}")


def _changed(settings, **changes):
    return replace(settings, **{name: value for name, value in changes.items() if value is not None})


@app.command()
def import_checkpoint(
    source: Annotated[Path, typer.Argument(help="The authors' checkpoint, such as model_last.pth.")],
    target: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
) -> None:
    """Turn a checkpoint of the authors' format into safetensors with a card."""
    from ..networks import import_checkpoint as import_file

    card = import_file(source, target)
    say(f"Written: {target} (SHA-256 {card.sha256[:12]}…)")
