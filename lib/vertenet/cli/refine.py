"""The command that trains the refiner of corners."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from .common import OutFolder, app, check_positive, say
from .progress import progress_bar

#: Share of the persons that validates.
VALIDATION_SHARE = 0.1


@app.command()
def train_refiner(
    data: Annotated[Path, typer.Option(help="Folder of images with their landmarks beside them.")],
    out: OutFolder,
    crops: Annotated[Optional[Path], typer.Option(help="An .npz file that keeps the crops between runs.")] = None,
    steps: Annotated[int, typer.Option(help="Optimiser steps.")] = 6000,
    minutes: Annotated[Optional[float], typer.Option(help="End after this time at the latest.")] = None,
    batch: Annotated[int, typer.Option(help="Vertebrae a step.")] = 64,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 2e-3,
    seed: Annotated[int, typer.Option(help="Seed of weights and augmentation.")] = 1,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 1,
    bfloat16: Annotated[bool, typer.Option(help="Mixed precision; faster on CPUs that have it.")] = False,
) -> None:
    """Train the second stage, which places corners and mid-endplate points on crops of single vertebrae."""
    for option, value in (("--steps", steps), ("--batch", batch), ("--learning-rate", learning_rate)):
        check_positive(option, value)
    check_positive("--minutes", minutes)
    check_positive("--threads", threads)
    from ..learning.cases import annotated_cases
    from ..learning.crops import gather_crops
    from ..learning.refine_training import RefineRecipe, train_refiner

    recipe = RefineRecipe(
        steps=steps,
        minutes=minutes,
        batch=batch,
        learning_rate=learning_rate,
        warmup=min(100, max(1, steps // 10)),
        seed=seed,
        threads=threads,
        bfloat16=bfloat16,
    )
    cases = annotated_cases(data)
    synthetic = all(case.synthetic for case in cases)
    with progress_bar() as progress:
        task = progress.add_task("Cutting crops", total=len(cases))
        gathered = gather_crops(cases, crops, lambda done: progress.update(task, completed=done))
        progress.update(task, description="Training", completed=0, total=steps)

        def show(row: dict) -> None:
            progress.update(task, completed=row["step"], description=f"Training error {row['error_px']:.3g} crop px")

        weights = train_refiner(
            recipe,
            *gathered.split(VALIDATION_SHARE),
            out,
            training_data=f"{len(cases)} {'synthetic phantom' if synthetic else 'annotated'} images",
            synthetic_only=synthetic,
            report=show,
        )
    say(f"Weights: {weights}")
