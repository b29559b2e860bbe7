"""Commands for evidence: crossval, ablate, evaluate, compare."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.table import Table

from ..errors import OptionError
from ..models import find_weights
from ..reading import RESEARCH_USE
from .common import OutFolder, app, check_choice, check_positive, complain, say, show_table
from .progress import progress_bar

#: The paper's methods, ablations and backbones, and the light network.
PAPER_METHODS = (
    "guidenet,hrnet-w32,nfdp,plain-fusion,vertenet,vertenet-no-drsa,vertenet-no-drca,vertenet-no-csa,vertenet-figure,"
    "vertenet-resnet34,vertenet-efficientnet-b3,vertenet-convnext-tiny,vertenet-lite"
)

DataFolder = Annotated[Optional[Path], typer.Option("--data", help="Folder of images with landmarks beside them.")]
Phantoms = Annotated[int, typer.Option("--phantoms", help="Synthetic images instead of a folder.")]
Difficulty = Annotated[str, typer.Option("--difficulty", help="Of the synthetic images.")]
Networks = Annotated[str, typer.Option("--networks", help="Networks of the zoo, separated by commas.")]
Folds = Annotated[int, typer.Option("--folds", help="Folds that the persons are spread over.")]
RunFolds = Annotated[Optional[int], typer.Option("--run-folds", help="Run only the first so many; default: all.")]
Scanners = Annotated[bool, typer.Option("--leave-one-scanner-out", help="A fold a scanner instead.")]
Steps = Annotated[int, typer.Option("--steps", help="Optimiser steps of every run.")]
Minutes = Annotated[Optional[float], typer.Option("--minutes", help="End every run after this time at the latest.")]
Batch = Annotated[int, typer.Option("--batch", help="Images a step.")]
LearningRate = Annotated[float, typer.Option("--learning-rate", help="Peak learning rate of every run.")]
ValidateEvery = Annotated[Optional[int], typer.Option("--validate-every", help="Steps; default: only at the end.")]
InputSize = Annotated[Optional[str], typer.Option("--input-size", help="Rows x columns, such as 512x256.")]
Precision = Annotated[str, typer.Option("--precision", help="float32, bfloat16 or float16.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]
Threads = Annotated[int, typer.Option("--threads", help="CPU threads of each process.")]
Decoders = Annotated[str, typer.Option("--decoders", help="levels, top-six or both; the first one is compared.")]
Seed = Annotated[int, typer.Option("--seed", help="Of folds, weights and augmentation.")]
Jobs = Annotated[int, typer.Option("--jobs", help="Runs side by side, each a process.")]
Reference = Annotated[Optional[str], typer.Option("--reference", help="Method that the others are compared with.")]
Resamples = Annotated[int, typer.Option("--resamples", help="Of the bootstrap.")]


@app.command()
def crossval(
    out: OutFolder,
    data: DataFolder = None,
    phantoms: Phantoms = 0,
    difficulty: Difficulty = "default",
    network: Annotated[str, typer.Option(help="A network of the zoo.")] = "vertenet-lite",
    folds: Folds = 10,
    run_folds: RunFolds = None,
    leave_one_scanner_out: Scanners = False,
    steps: Steps = 2000,
    minutes: Minutes = None,
    batch: Batch = 8,
    learning_rate: LearningRate = 1.5e-3,
    validate_every: ValidateEvery = None,
    input_size: InputSize = None,
    precision: Precision = "float32",
    device: Device = "auto",
    threads: Threads = 1,
    decoders: Decoders = "levels,top-six",
    seed: Seed = 1,
    jobs: Jobs = 1,
    resamples: Resamples = 2000,
) -> None:
    """Train and test one network on folds that keep a person's scans together; goes on where it stopped."""
    plan = _plan(
        f"Cross-validation of {network}",
        (network,),
        _source(data, phantoms, difficulty),
        folds=folds,
        run_folds=run_folds,
        by_scanner=leave_one_scanner_out,
        decoders=_listed(decoders),
        seed=seed,
        steps=steps,
        minutes=minutes,
        batch=batch,
        learning_rate=learning_rate,
        validate_every=validate_every,
        input_size=input_size,
        precision=precision,
        device=device,
        threads=threads,
    )
    _run(out, plan, jobs, network, resamples)


@app.command()
def ablate(
    out: OutFolder,
    data: DataFolder = None,
    phantoms: Phantoms = 0,
    difficulty: Difficulty = "default",
    networks: Networks = PAPER_METHODS,
    folds: Folds = 5,
    run_folds: RunFolds = None,
    leave_one_scanner_out: Scanners = False,
    steps: Steps = 500,
    minutes: Minutes = None,
    batch: Batch = 2,
    learning_rate: LearningRate = 1e-3,
    validate_every: ValidateEvery = None,
    input_size: InputSize = None,
    precision: Precision = "float32",
    device: Device = "auto",
    threads: Threads = 1,
    decoders: Decoders = "top-six,levels",
    seed: Seed = 1,
    jobs: Jobs = 1,
    reference: Reference = None,
    resamples: Resamples = 2000,
) -> None:
    """Train and test several networks on the same folds under one budget and compare them; goes on where it stopped."""
    plan = _plan(
        "Methods under one budget",
        _listed(networks),
        _source(data, phantoms, difficulty),
        folds=folds,
        run_folds=run_folds,
        by_scanner=leave_one_scanner_out,
        decoders=_listed(decoders),
        seed=seed,
        steps=steps,
        minutes=minutes,
        batch=batch,
        learning_rate=learning_rate,
        validate_every=validate_every,
        input_size=input_size,
        precision=precision,
        device=device,
        threads=threads,
    )
    _run(out, plan, jobs, reference, resamples)


@app.command()
def compare(
    experiment: Annotated[Path, typer.Argument(help="Folder of crossval or ablate.")],
    reference: Reference = None,
    resamples: Resamples = 2000,
) -> None:
    """Make tables, plots and report.html of what an experiment holds so far."""
    from ..experiments.comparison import read_experiment

    _write(read_experiment(experiment, reference), experiment, resamples)


@app.command()
def evaluate(
    out: OutFolder,
    model: Annotated[str, typer.Option("--model", help="A model's name or a .safetensors file.")] = "vertenet-lite",
    data: DataFolder = None,
    phantoms: Phantoms = 0,
    difficulty: Difficulty = "default",
    split: Annotated[str, typer.Option(help="Phantom seeds: validation, calibration, or the reserved test.")] = "test",
    decoders: Decoders = "levels,top-six",
    refine: Annotated[str, typer.Option(help="on, off, both, or auto: on where a refiner lies beside.")] = "auto",
    facing: Annotated[bool, typer.Option(help="Also let the model find the anterior side.")] = False,
    refusals: Annotated[
        str, typer.Option(help="on; both: a second reading refuses nothing; auto: both for a folder.")
    ] = "auto",
    under: Annotated[
        str, typer.Option(help="Also as changed: plain,stretch-rows,stretch-columns,median,blur,unsharp,warp-3,warp-6.")
    ] = "",
    sheet: Annotated[bool, typer.Option(help="Pictures of truth and prediction, for a folder.")] = True,
    workers: Annotated[int, typer.Option(help="Processes that read images.")] = 1,
    threads: Threads = 1,
    resamples: Resamples = 2000,
) -> None:
    """Measure a weight file on annotated images or phantoms, read in several ways; resumes where it stopped."""
    check_choice("--refine", refine, ["on", "off", "both", "auto"])
    check_choice("--refusals", refusals, ["on", "both", "auto"])
    for option, value in (("--workers", workers), ("--threads", threads), ("--resamples", resamples)):
        check_positive(option, value)
    weights = find_weights(model)
    from ..experiments.data import Cohort, Source
    from ..experiments.evaluate import Evaluation, make_variants, phantom_source
    from ..experiments.evaluate import evaluate as evaluate_weights
    from ..experiments.sheet import write_sheet

    if data is None:
        source = phantom_source(phantoms, difficulty, split)
    else:
        source = Source(str(data.resolve()), phantoms, to_measure=True)
    if under:
        source, sheet = replace(source, under=_listed(under)), False
    unrefused = refusals == "both" or (refusals == "auto" and data is not None)
    ways = make_variants(weights, _listed(decoders), refine=refine, facing=facing, unrefused=unrefused)
    evaluation = Evaluation(weights, source, tuple(ways))
    with progress_bar() as progress:
        task = progress.add_task("Reading images", total=len(Cohort(source)))
        comparison = evaluate_weights(
            evaluation,
            out,
            workers=workers,
            threads=threads,
            report=lambda images: progress.advance(task, images),
        )
        if sheet and data is not None:
            task = progress.add_task("Drawing", total=len(Cohort(source)))
            page = write_sheet(evaluation, comparison, out, report=lambda images: progress.advance(task, images))
    _write(comparison, out, resamples)
    if sheet and data is not None:
        say(f"Pictures: {page}")


def _plan(title: str, methods: tuple[str, ...], source, *, folds, run_folds, by_scanner, decoders, seed, **budget):
    from ..experiments.plan import Plan
    from ..learning.recipe import Recipe

    size, steps, every = budget.pop("input_size"), budget["steps"], budget.pop("validate_every")
    check_positive("--steps", steps)
    recipe = Recipe(
        options={} if size is None else {"input_size": _size(size)},
        warmup=min(200, max(1, steps // 10)),
        validate_every=steps if every is None else every,
        **budget,
    )
    scheme = "scanners" if by_scanner else "persons"
    return Plan(title, methods, source, recipe, scheme, folds, run_folds, seed, decoders)


def _source(data: Path | None, phantoms: int, difficulty: str):
    from ..experiments.data import Source

    return Source(None if data is None else str(data.resolve()), phantoms, difficulty)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _size(text: str) -> list[int]:
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.strip().isdigit() for part in parts):
        raise OptionError(f"--input-size is {text!r}", remedy="Give rows x columns, such as 512x256")
    return [int(part) for part in parts]


def _run(out: Path, plan, jobs: int, reference: str | None, resamples: int) -> None:
    """Run a plan and compare what came of it; exit code 2 if a run failed."""
    check_positive("--jobs", jobs)
    check_positive("--resamples", resamples)
    from ..experiments.comparison import read_experiment
    from ..experiments.run import run_experiment

    with progress_bar() as progress:
        samples, runs = progress.add_task("Preparing samples", total=None), progress.add_task("Runs", total=None)

        def show(state) -> None:
            progress.update(samples, visible=False)
            doing = ", ".join(f"{name} {100 * share:.0f} %" for name, share in state.running.items())
            progress.update(runs, completed=state.over, total=state.total, description=f"Runs: {doing}")

        failed = run_experiment(
            plan, out, jobs=jobs, report=show, prepared=lambda count: progress.advance(samples, count)
        )
    for task, reason in failed.items():
        complain(f"{task} failed: {reason}")
    _write(read_experiment(out, reference), out, resamples)
    if failed:
        raise typer.Exit(2)


def _write(comparison, out: Path, resamples: int) -> None:
    from ..experiments.report import write_comparison
    from ..experiments.tables import headline, sets_headline

    with progress_bar() as progress:
        task = progress.add_task("Comparing", total=None)
        page, tables = write_comparison(
            comparison, out, resamples=resamples, report=lambda part: progress.update(task, description=part)
        )
    for words in (headline(tables).astype(str), sets_headline(tables).astype(str)):
        shown = Table(*words.columns)
        for row in words.itertuples(index=False):
            shown.add_row(*row)
        show_table(shown)
    say(f"Report: {page}. {RESEARCH_USE}")
