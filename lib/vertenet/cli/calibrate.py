"""The command that calibrates: calibrate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.table import Column, Table

from ..errors import OptionError
from ..models import find_weights, is_shipped
from .common import ModelName, app, check_positive, say, show_table
from .progress import progress_bar


@app.command()
def calibrate(
    model: ModelName = "vertenet-lite",
    data: Annotated[Optional[Path], typer.Option(help="Folder of images with their landmarks beside them.")] = None,
    phantoms: Annotated[int, typer.Option(help="Synthetic images, half of them hard; default 400 without --data.")] = 0,
    out: Annotated[
        Optional[Path],
        typer.Option(
            "--out", help="File to write; default: <weights>.calibration.json, but never beside shipped weights."
        ),
    ] = None,
    plots: Annotated[Optional[Path], typer.Option(help="Folder for plots of the calibration.")] = None,
    device: Annotated[str, typer.Option(help="Torch device.")] = "cpu",
    threads: Annotated[Optional[int], typer.Option(help="CPU threads.")] = None,
) -> None:
    """Learn a model's thresholds, error radii and what is typical from images that it was not trained on."""
    check_positive("--threads", threads)
    if phantoms < 0:
        raise OptionError(f"--phantoms is {phantoms}, but it is a number of images")
    weights = find_weights(model)
    if out is None and is_shipped(weights):
        raise OptionError(
            f"{weights.stem} comes with the program, and its calibration would be overwritten",
            remedy="Name the file to write with --out; what lies beside weights under <stem>.calibration.json is used",
        )
    from ..learning.cases import annotated_cases, phantom_cases

    cases, words, hard = [], [], set()
    if data is not None:
        cases = annotated_cases(data)
        words.append(f"{len(cases)} annotated images")
    phantoms = phantoms or (0 if cases else 400)
    _check_enough(len(cases), phantoms)
    from ..inference import Predictor
    from ..inference.calibration import calibration_of
    from ..learning.calibrate import CALIBRATION_SEED, calibrate, observe_all

    predictor = Predictor(weights, threads=threads, device=device, calibrated=False)
    for difficulty, first, count in (
        ("default", CALIBRATION_SEED, phantoms - phantoms // 2),
        ("hard", CALIBRATION_SEED + phantoms - phantoms // 2, phantoms // 2),
    ):
        if count:
            made = phantom_cases(count, difficulty=difficulty, first_seed=first)
            cases += made
            hard.update(case.name for case in made if difficulty == "hard")
            words.append(f"{count} {difficulty} synthetic phantoms (seeds from {first})")
    with progress_bar() as progress:
        task = progress.add_task("Reading images", total=len(cases))
        observed = observe_all(predictor, cases, lambda done: progress.update(task, completed=done))
    said = " and ".join(words) + (", the hard ones not for error radii" if hard else "")

    def ordinary(item) -> bool:
        return item.name not in hard

    calibration = calibrate(predictor, cases, observed, data=said, synthetic_only=data is None, ordinary=ordinary)
    target = calibration_of(weights) if out is None else out
    calibration.save(target)
    _tell_radii(list(filter(ordinary, observed)), predictor.refiner is not None, plots, predictor.card.name)
    _tell(observed, calibration, plots, predictor.card.name)
    say(f"Calibration: {target} ({calibration.data}).")


def _check_enough(annotated: int, phantoms: int) -> None:
    """Raise `OptionError`, before any image is read, where they are too few for what is learned of them."""
    from ..inference import conformal, typicality

    images, ordinary = annotated + phantoms, annotated + phantoms - phantoms // 2
    least, least_ordinary = 2 * typicality.FEWEST_IMAGES, 2 * conformal.FEWEST_IMAGES
    if images >= least and ordinary >= least_ordinary:
        return
    raise OptionError(
        f"{annotated} annotated images and {phantoms} phantoms are too few: a calibration needs {least} images, and "
        f"{least_ordinary} of them for error radii, for which hard phantoms, every other one, do not count",
        remedy=f"Give at least {least} annotated images or --phantoms {max(least, 2 * least_ordinary - 1)}",
    )


def _tell_radii(observed, has_refiner: bool, plots: Path | None, name: str) -> None:
    """Coverage by cross-fitting, in all and by scanner, and its plots."""
    from ..learning.coverage import coverage_table, crossfitted_radii

    for refined in (False, True) if has_refiner else (False,):
        stage = "after refinement" if refined else "as the network gives them"
        radii = crossfitted_radii(observed, refined=refined)
        if radii.empty:
            say("Too few images for cross-fitting: coverage was not checked.")
            continue
        show_table(_table(coverage_table(radii), f"Points {stage}: coverage by cross-fitting"))
        show_table(_table(coverage_table(radii, "scanner"), "by scanner"))
        left_out = crossfitted_radii(observed, refined=refined, by_scanner=True)
        if len(left_out):
            show_table(_table(coverage_table(left_out, "scanner"), "by scanner, that scanner left out"))
        if plots is not None:
            from ..report.calibration_plots import draw_coverage, draw_sharpness

            stem = "refined" if refined else "coarse"
            draw_coverage(radii, plots / f"coverage-{stem}.png", f"{name}: coverage {stage}, cross-fitted")
            draw_sharpness(radii, plots / f"sharpness-{stem}.png", f"{name}: radii and errors {stage}")


def _tell(observed, calibration, plots: Path | None, name: str) -> None:
    """The risk of levels, what is typical, and their plots."""
    from ..learning.coverage import distances, level_risk

    risk = level_risk(observed, calibration.levels)
    certain = risk[risk["certain"]]
    if len(risk):
        wrong = len(certain) - int(certain["right"].sum())
        say(
            f"Levels certain in {len(certain)} of {len(observed)} images, {wrong} of those wrong "
            "(the images that the threshold was chosen on)."
        )
    if plots is not None:
        from ..report.calibration_plots import draw_level_risk, draw_typicality

        if len(risk):
            draw_level_risk(risk, plots / "levels.png", f"{name}: wrong levels against abstention")
        if calibration.typicality is not None:
            found = distances(observed, calibration.typicality)
            draw_typicality(found, calibration.typicality.limit, plots / "typicality.png", f"{name}: what is typical")
        say(f"Plots in {plots}.")


def _table(frame, title: str) -> Table:
    first, *others = map(str, frame.columns)
    table = Table(Column(first, no_wrap=True), *others, title=title)
    for row in frame.itertuples(index=False):
        table.add_row(*(f"{value:.3g}" if isinstance(value, float) else str(value) for value in row))
    return table
