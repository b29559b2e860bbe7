"""Commands that make models and what they learn from: phantom, train, import-checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..errors import OptionError
from .common import OutFolder, app, check_choice, check_positive, out_console, progress_bar


@app.command()
def phantom(
    out: OutFolder,
    count: Annotated[int, typer.Option(help="How many images.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of the first; the next ones follow.")] = 0,
    scanner: Annotated[str, typer.Option(help="A scanner profile, or all for each in turn.")] = "all",
    difficulty: Annotated[str, typer.Option(help="easy, default, hard or training.")] = "default",
    format: Annotated[str, typer.Option(help="png, jpeg or dicom.")] = "png",
) -> None:
    """Make synthetic lateral spine DXA images with exact truth beside them."""
    from ..phantom import difficulties, generate, scanners, write

    names = sorted(scanners())
    check_choice("--scanner", scanner, [*names, "all"])
    check_choice("--difficulty", difficulty, list(difficulties()))
    check_choice("--format", format, ["png", "jpeg", "dicom"])
    if count < 1 or seed < 0:
        raise OptionError("--count must be at least 1 and --seed at least 0")
    with progress_bar() as progress:
        for number in progress.track(range(seed, seed + count), description="Making phantoms"):
            name = names[number % len(names)] if scanner == "all" else scanner
            write(generate(number, scanner=name, difficulty=difficulty), out, format=format)
    out_console.print(f"{count} synthetic images with .truth.json beside them in {out}.")


@app.command()
def train(
    out: OutFolder,
    data: Annotated[Optional[Path], typer.Option(help="Folder of images with their landmarks beside them.")] = None,
    phantoms: Annotated[int, typer.Option(help="Synthetic images to add to the training set.")] = 0,
    cache: Annotated[Optional[Path], typer.Option(help="Keeps synthetic samples between runs.")] = None,
    network: Annotated[str, typer.Option(help="A network of the zoo.")] = "vertenet-lite",
    start_from: Annotated[Optional[str], typer.Option(help="Weights to fine-tune.")] = None,
    steps: Annotated[int, typer.Option(help="Optimiser steps.")] = 2000,
    minutes: Annotated[Optional[float], typer.Option(help="End after this time at the latest.")] = None,
    batch: Annotated[int, typer.Option(help="Images a step.")] = 8,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 1.5e-3,
    seed: Annotated[int, typer.Option(help="Seed of weights and augmentation.")] = 1,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 2,
    bfloat16: Annotated[bool, typer.Option(help="Mixed precision; faster on CPUs that have it.")] = False,
    resume: Annotated[bool, typer.Option(help="Go on with the run in --out.")] = False,
) -> None:
    """Train a network on annotated images, on phantoms, or on both."""
    for option, value in (("--steps", steps), ("--batch", batch), ("--learning-rate", learning_rate)):
        check_positive(option, value)
    check_positive("--minutes", minutes)
    check_positive("--threads", threads)
    from ..learning import Recipe
    from ..learning.run import run_training

    recipe = Recipe(
        network=network,
        steps=steps,
        minutes=minutes,
        batch=batch,
        learning_rate=learning_rate,
        seed=seed,
        threads=threads,
        bfloat16=bfloat16,
        start_from=start_from,
        warmup=min(200, max(1, steps // 10)),
        validate_every=min(500, steps),
    )
    with progress_bar() as progress:
        task = progress.add_task("Preparing samples", total=steps)

        def show(row: dict) -> None:
            shown = {key: row.get(key) for key in ("wh", "levels_right", "median_px")}
            text = " ".join(f"{key} {value:.3g}" for key, value in shown.items() if value is not None)
            progress.update(task, completed=row["step"], description=f"Training {text}")

        weights = run_training(
            recipe, out, data=data, phantoms=phantoms, cache=cache, workers=threads, resume=resume, report=show
        )
    out_console.print(f"Weights: {weights}")


@app.command()
def import_checkpoint(
    source: Annotated[Path, typer.Argument(help="The authors' checkpoint, such as model_last.pth.")],
    target: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
) -> None:
    """Turn a checkpoint of the authors' format into safetensors with a card."""
    from ..networks import import_checkpoint as import_file

    card = import_file(source, target)
    out_console.print(f"Written: {target} (SHA-256 {card.sha256[:12]}…)")
