"""Commands for studies: agreement, plan-agreement, crop-study."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.table import Table

from ..errors import OptionError
from ..models import find_weights
from ..reading import RESEARCH_USE
from .common import ModelName, OutFolder, app, check_choice, check_positive, say, show_table
from .progress import progress_bar

Level = Annotated[float, typer.Option("--level", help="Confidence of every interval.")]


@app.command()
def agreement(
    readings: Annotated[Path, typer.Argument(help="CSV: image, reader, region, score; empty score: unreadable.")],
    out: OutFolder,
    readers: Annotated[Optional[str], typer.Option(help="Only these readers, separated by commas.")] = None,
    baseline: Annotated[
        Optional[str], typer.Option(help="Condition that others are compared with; default: without.")
    ] = None,
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples.")] = 9999,
    level: Level = 0.95,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
) -> None:
    """How well readers agree, with and without guides: kappa, ICC, correlation, Bland-Altman."""
    _check_level(level)
    if resamples < 100:
        raise OptionError("--resamples must be at least 100")
    from ..evaluation.agreement import read_readings, study_agreement
    from ..experiments.agreement_report import agreement_tables, introduction, write_agreement

    found = read_readings(readings)
    if readers is not None:
        found = found.restricted_to([name.strip() for name in readers.split(",") if name.strip()])
    with progress_bar() as progress:
        progress.add_task("Resampling images", total=None)
        study = study_agreement(found, baseline=baseline, resamples=resamples, seed=seed, level=level)
        page = write_agreement(study, out, readings.name)
    say(introduction(study, readings.name)[0])
    shown = ["region", "condition", "readers", "images", "Pearson r (Fisher)", "kappa, quadratic", "ICC(2,1)"]
    show_table(_table(agreement_tables(study)[0].words[shown]))
    say(f"Tables, pictures and {page.name} in {out}. {RESEARCH_USE}")


@app.command()
def plan_agreement(
    kappa: Annotated[Optional[float], typer.Option(help="Expected weighted kappa; without guides.")] = None,
    kappa_with: Annotated[Optional[float], typer.Option(help="Expected kappa with guides: plans for power.")] = None,
    icc: Annotated[Optional[float], typer.Option(help="Expected ICC, instead of kappa.")] = None,
    correlation: Annotated[Optional[float], typer.Option(help="Expected Pearson r, instead of kappa.")] = None,
    width: Annotated[Optional[float], typer.Option(help="Wanted width of the interval, both sides together.")] = None,
    power: Annotated[float, typer.Option(help="Wanted power to find the difference.")] = 0.8,
    assurance: Annotated[float, typer.Option(help="Share of studies whose interval shall be so narrow.")] = 0.8,
    readers: Annotated[int, typer.Option(help="Number of readers.")] = 2,
    weights: Annotated[str, typer.Option(help="linear or quadratic.")] = "quadratic",
    shares: Annotated[
        Optional[str], typer.Option(help="How often each score from 0 occurs, as in 46,17,12,9,7,5,4.")
    ] = None,
    carry_over: Annotated[float, typer.Option(help="Correlation of a reader's errors with and without guides.")] = 0.0,
    simulations: Annotated[int, typer.Option(help="Simulated studies.")] = 2000,
    level: Level = 0.95,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 0,
) -> None:
    """How many images a reader study needs, for a narrow interval or to find a difference."""
    check_choice("--weights", weights, ["linear", "quadratic"])
    check_positive("--width", width)
    _check_level(level)
    if simulations < 100:
        raise OptionError("--simulations must be at least 100")
    if sum(value is not None for value in (kappa, icc, correlation)) != 1:
        raise OptionError("one of --kappa, --icc and --correlation is needed")
    if (width is None) == (kappa_with is None):
        raise OptionError("one of --width (an interval) and --kappa-with (a difference) is needed")
    if kappa is None and kappa_with is not None:
        raise OptionError("--kappa-with needs --kappa, the agreement without guides")
    from ..evaluation.agreement import planner
    from ..evaluation.agreement.ordinal_model import ASSUMED_SHARES

    common = {
        "shares": ASSUMED_SHARES if shares is None else _numbers("--shares", shares),
        "weights": weights,
        "readers": readers,
        "simulations": simulations,
        "seed": seed,
        "level": level,
    }
    if icc is not None:
        plan = planner.plan_icc_width(icc, width, readers=readers, level=level)
    elif correlation is not None:
        plan = planner.plan_correlation_width(correlation, width, level=level)
    elif kappa_with is not None:
        plan = planner.plan_kappa_difference(kappa, kappa_with, power=power, carry_over=carry_over, **common)
    else:
        plan = planner.plan_kappa_width(kappa, width, assurance=assurance, **common)
    say(f"Images: {plan.images}")
    if not math.isnan(plan.reached):
        aim = "find the difference" if kappa_with is not None else "have an interval that narrow"
        say(
            f"Of simulated studies of that size {plan.reached:.0%} {aim}; mean width {plan.mean_width:.3f}; "
            f"{plan.coverage:.1%} of the intervals hold the true figure."
        )
    say("Assumed:")
    for sentence in plan.assumptions:
        say(f"- {sentence}.")
    if kappa is not None and shares is None:
        say("- The shares of the scores are a guess: give those of your own readings with --shares.")


@app.command()
def crop_study(
    out: OutFolder,
    phantoms: Annotated[int, typer.Option(help="Synthetic images in either set.")] = 0,
    data: Annotated[Optional[Path], typer.Option(help="Folder of images instead of phantoms.")] = None,
    labels: Annotated[Optional[Path], typer.Option(help="CSV for --data: image, cropped (yes or no), person.")] = None,
    landmarks: Annotated[str, typer.Option(help="truth, or model to have them found.")] = "truth",
    model: ModelName = "vertenet-lite",
    difficulty: Annotated[str, typer.Option(help="Of phantoms: easy, default or hard.")] = "default",
    factors: Annotated[str, typer.Option(help="Factors to try.")] = "0.8,0.9,1.0,1.1,1.2,1.3,1.4,1.5",
    seed: Annotated[int, typer.Option(help="Seed of the split of --data.")] = 0,
) -> None:
    """How well a cropped aorta is found: the factor tuned on some persons and tested on others."""
    check_choice("--landmarks", landmarks, ["truth", "model"])
    check_choice("--difficulty", difficulty, ["easy", "default", "hard"])
    if (data is None) == (phantoms < 1):
        raise OptionError("the study needs either --phantoms or --data with --labels")
    if (data is None) != (labels is None):
        raise OptionError("--data and --labels go together")
    tried = _numbers("--factors", factors)
    for factor in tried:
        check_positive("--factors", factor)
    weights = find_weights(model) if landmarks == "model" else None
    from ..evaluation.crop_study import study_crop
    from ..experiments.crop_items import TUNING_SEED, folder_items, phantom_items, read_labels, split_persons
    from ..experiments.crop_study import crop_tables, group_words, introduction, write_crop_study
    from ..learning.samples import TEST_SEEDS

    find, whose = None, "true landmarks" if data is None else "landmarks that lie beside the images"
    if weights is not None:
        from ..inference import Predictor

        predictor = Predictor(weights)
        whose = f"landmarks found by {predictor.card.name} (SHA-256 {predictor.card.sha256[:12]})"
        if predictor.card.synthetic_only:
            whose += ", which was trained on synthetic images only"

        def find(radiograph):
            return predictor(radiograph).spine

    with progress_bar() as progress:
        task = progress.add_task("Preparing images", total=None)
        if data is None:
            test = phantom_items(TEST_SEEDS.start, phantoms, difficulty, find)
            tuning = phantom_items(TUNING_SEED, phantoms, difficulty, find)
            about = (
                f"Synthetic images, no patient: {difficulty} phantoms, seeds {TUNING_SEED} and {TEST_SEEDS.start} "
                f"onwards; {whose}. The truth of a phantom is defined at a reach of 1.2, so its best factor says "
                "nothing about patients."
            )
        else:
            tuning, test = split_persons(folder_items(data, read_labels(labels), find), seed)
            about = f"Images of {data.name} with the labels of {labels.name}, split by person (seed {seed}); {whose}."
        progress.update(task, description="Asking both rules", total=len(tuning) + len(test))
        study = study_crop(tuning, test, tried, lambda answers: progress.advance(task))
    page = write_crop_study(study, out, about)
    for paragraph in introduction(study, about):
        say(paragraph)
    show_table(_table(crop_tables(study)[0].words.iloc[:, :7], title="Test set"))
    show_table(_table(group_words(study), title="Test set, our rule"))
    say(f"Tables, picture and {page.name} in {out}. {RESEARCH_USE}")


def _check_level(level: float) -> None:
    if not 0.5 <= level < 1:
        raise OptionError(f"--level is {level}, but must lie between 0.5 and 1")


def _numbers(option: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise OptionError(f"{option} is {text!r}, but must be numbers separated by commas") from error


def _table(words, title: str | None = None) -> Table:
    """A table of words (DataFrame) for the console."""
    table = Table(*map(str, words.columns), title=title)
    for row in words.astype(str).values.tolist():
        table.add_row(*row)
    return table
