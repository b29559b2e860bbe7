"""The command ``vertenet``: a door. It reads options, calls a room and words what came of it.

Exit codes: 0 all well; 2 an option or an input was bad (each said in a sentence on stderr; a batch goes on with the
rest first).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from . import __version__
from .errors import OptionError, VerteNetError
from .reading import RESEARCH_USE

app = typer.Typer(
    name="vertenet",
    help=f"Vertebral landmarks, AAC-24 guides and aorta crop warnings on lateral spine images. {RESEARCH_USE}",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out_console = Console()
err_console = Console(stderr=True, soft_wrap=True, highlight=False)

OutFolder = Annotated[Path, typer.Option("--out", help="Folder for the results; made if need be.")]
ModelName = Annotated[str, typer.Option("--model", help="A model's name or a .safetensors file.")]
Anterior = Annotated[
    Optional[str], typer.Option("--anterior", help="left, right or auto; default: the file's, else detected.")
]
SpacingMm = Annotated[Optional[float], typer.Option("--spacing", help="Millimetres a pixel, overriding the file's.")]
Factor = Annotated[float, typer.Option("--factor", help="Reach of the aortic corridor in mean guide lengths.")]


@app.command()
def predict(
    images: Annotated[list[Path], typer.Argument(help="Image files or folders.")],
    out: OutFolder,
    model: ModelName = "vertenet-lite",
    anterior: Anterior = None,
    spacing: SpacingMm = None,
    factor: Factor = 1.2,
    decoder: Annotated[str, typer.Option(help="levels, or the authors' top-six.")] = "levels",
    threads: Annotated[Optional[int], typer.Option(help="CPU threads.")] = None,
) -> None:
    """Find landmarks: writes .mrk.json, .reading.json and an overlay per image, and results.csv."""
    _check_side(anterior, "left", "right", "auto")
    _check_positive("--spacing", spacing)
    _check_positive("--factor", factor)
    _check_positive("--threads", threads)
    from .cohort import find_images, predict_images
    from .inference import Predictor

    paths = find_images(images)
    predictor = Predictor(model, decoder=decoder, threads=threads)
    with _progress() as progress:
        task = progress.add_task("Reading images", total=len(paths))
        outcomes = predict_images(
            paths,
            predictor,
            out,
            anterior=anterior,
            spacing=spacing,
            factor=factor,
            report=lambda outcome: progress.advance(task),
        )
    failed = [outcome for outcome in outcomes if outcome.error]
    done = [outcome for outcome in outcomes if outcome.reading is not None]
    if done:
        out_console.print(_results_table(done))
        out_console.print(f"Results of {len(done)} images in {out}. {RESEARCH_USE}")
    for outcome in failed:
        err_console.print(outcome.error, markup=False)
    if failed:
        err_console.print(f"{len(failed)} of {len(outcomes)} images could not be read.")
        raise typer.Exit(2)


@app.command()
def measure(
    image: Annotated[Path, typer.Option(help="The image.")],
    landmarks: Annotated[Path, typer.Option(help="Its landmarks, in any format that convert knows.")],
    out: Annotated[Optional[Path], typer.Option("--out", help="Folder for reading and overlay.")] = None,
    anterior: Anterior = None,
    spacing: SpacingMm = None,
    factor: Factor = 1.2,
) -> None:
    """Guides and crop from landmarks that are already there; no model."""
    _check_side(anterior, "left", "right")
    _check_positive("--spacing", spacing)
    _check_positive("--factor", factor)
    from .annotation import load_for_image
    from .assess import assess
    from .cohort import write_results
    from .imaging import read
    from .report.words import crop_sentence

    radiograph = read(image, anterior=anterior, spacing=spacing)
    spine = load_for_image(landmarks, radiograph, anterior=anterior)
    reading = assess(radiograph.with_anterior(spine.anterior), spine, factor=factor)
    table = Table("guide", "posterior x, y", "anterior x, y", title="Intervertebral guides (pixels)")
    for guide in reading.guides.values():
        table.add_row(guide.name, *(f"{x:.2f}, {y:.2f}" for x, y in (guide.posterior, guide.anterior)))
    out_console.print(table)
    out_console.print(f"{crop_sentence(reading.crop)} (factor {reading.crop.factor:g}).", markup=False)
    for warning in reading.warnings:
        out_console.print(f"Note: {warning}.", markup=False)
    if out is not None:
        write_results(radiograph, reading, out, image.stem)
        out_console.print(f"Written to {out}. {RESEARCH_USE}")


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
    from .phantom import difficulties, generate, scanners, write

    names = sorted(scanners())
    _check_choice("--scanner", scanner, [*names, "all"])
    _check_choice("--difficulty", difficulty, list(difficulties()))
    _check_choice("--format", format, ["png", "jpeg", "dicom"])
    if count < 1 or seed < 0:
        raise OptionError("--count must be at least 1 and --seed at least 0")
    with _progress() as progress:
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
        _check_positive(option, value)
    _check_positive("--minutes", minutes)
    _check_positive("--threads", threads)
    from .learning import Recipe
    from .learning.run import run_training

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
    with _progress() as progress:
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
def convert(
    source: Annotated[Path, typer.Argument(help="Landmark file.")],
    target: Annotated[Path, typer.Argument(help="File to write.")],
    source_format: Annotated[Optional[str], typer.Option("--from", help="Format of SOURCE; default: detected.")] = None,
    target_format: Annotated[
        Optional[str], typer.Option("--to", help="Format of TARGET; default: by its name.")
    ] = None,
    images: Annotated[
        Optional[Path], typer.Option(help="Folder of the images: their sizes, geometry and orientation.")
    ] = None,
    anterior: Anterior = None,
) -> None:
    """Convert landmarks: MakeSense CSV, authors' .mat and CSV, COCO keypoints, Slicer Markups, readings."""
    _check_side(anterior, "left", "right")
    from .annotation import convert as convert_file
    from .imaging import ImageFolder

    written = convert_file(
        source,
        target,
        source_format=source_format,
        target_format=target_format,
        images=None if images is None else ImageFolder(images),
        anterior=anterior,
    )
    out_console.print(f"Written: {', '.join(str(path) for path in written)}")


@app.command()
def import_checkpoint(
    source: Annotated[Path, typer.Argument(help="The authors' checkpoint, such as model_last.pth.")],
    target: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
) -> None:
    """Turn a checkpoint of the authors' format into safetensors with a card."""
    from .networks import import_checkpoint as import_file

    card = import_file(source, target)
    out_console.print(f"Written: {target} (SHA-256 {card.sha256[:12]}…)")


@app.command()
def serve(
    studies: Annotated[Path, typer.Option(help="Folder of images to serve.")],
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    model: ModelName = "vertenet-lite",
    app_folder: Annotated[Optional[Path], typer.Option("--app", help="Folder of the MONAI Label app.")] = None,
    verbose: Annotated[bool, typer.Option(help="Log every request.")] = False,
) -> None:
    """Start the MONAI Label server with the VerteNet app."""
    from .serving import serve as serve_app

    raise typer.Exit(serve_app(studies, port=port, host=host, model=model, app=app_folder, verbose=verbose))


def main() -> None:
    """Entry point: every error a person can act on is one sentence on stderr and exit code 2."""
    # Before torch is loaded: OpenMP threads that spin while they wait make a busy machine up to 40 times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        app()
    except VerteNetError as error:
        err_console.print(error.sentence, markup=False)
        sys.exit(2)
    except OSError as error:
        # What a disk or a folder's rights refuse; inputs that cannot be read were worded where they were opened.
        err_console.print(f"{error.filename or 'A file'}: {error.strerror or error}.", markup=False)
        sys.exit(2)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "vertenet":
            raise
        err_console.print(f"This command needs the package {error.name}. Install it with: pip install 'vertenet[all]'.")
        sys.exit(2)


def _version(wanted: bool) -> None:
    if wanted:
        out_console.print(f"vertenet {__version__}")
        raise typer.Exit()


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = (
        False
    ),
) -> None:
    pass


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err_console,
        transient=True,
    )


def _check_side(value: str | None, *allowed: str) -> None:
    if value is not None:
        _check_choice("--anterior", value, list(allowed))


def _check_choice(option: str, value: str, allowed: list[str]) -> None:
    if value not in allowed:
        raise OptionError(f"{option} is {value!r}", remedy=f"Use one of {', '.join(allowed)}")


def _check_positive(option: str, value: float | None) -> None:
    if value is not None and not 0 < value < float("inf"):
        raise OptionError(f"{option} is {value}, but it must be a positive number")


def _results_table(outcomes) -> Table:
    table = Table(Column("image", overflow="fold"), "levels", "crop", "warnings", "seconds")
    for outcome in outcomes:
        reading = outcome.reading
        found = [str(v.level) for v in reading.spine if not v.is_missing]
        levels = f"{found[0]}-{found[-1]}" if found else "none"
        if not reading.levels.certain:
            levels += " (uncertain)"
        table.add_row(
            outcome.path.name, levels, reading.crop.state.value, str(len(reading.warnings)), f"{reading.latency_s:.2f}"
        )
    return table


if __name__ == "__main__":
    main()
