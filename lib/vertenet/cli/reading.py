"""Commands for images and landmarks: predict, measure, convert."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from statistics import median
from typing import Annotated, Optional

import typer
from rich.table import Column, Table

from ..reading import RESEARCH_USE
from .common import (
    Anterior,
    Decoder,
    Factor,
    ModelName,
    OutFolder,
    Overlays,
    Refine,
    Runtime,
    SpacingMm,
    app,
    check_positive,
    check_side,
    complain,
    reading_options,
    say,
    show_table,
)
from .progress import progress_bar

#: Most images that are listed one by one; of more, results.csv holds the rows.
LISTED = 20


@app.command()
def predict(
    images: Annotated[list[str], typer.Argument(help="Image files, folders, lists, zip files, DICOMDIR.")],
    out: OutFolder,
    model: ModelName = "vertenet-lite",
    anterior: Anterior = None,
    spacing: SpacingMm = None,
    factor: Factor = 1.2,
    decoder: Decoder = "levels",
    refine: Refine = None,
    overlays: Overlays = "all",
    threads: Annotated[Optional[int], typer.Option(help="CPU threads.")] = None,
    dicom: Annotated[
        bool, typer.Option("--dicom", help="Also write .sr.dcm and .gsps.dcm of each DICOM image, for a PACS.")
    ] = False,
    page: Annotated[bool, typer.Option("--report", help="Also write a one-page report of each image.")] = False,
    runtime: Runtime = "auto",
) -> None:
    """Find landmarks: writes .mrk.json, .reading.json and an overlay per image, and results.csv. Of many: cohort."""
    check_positive("--threads", threads)
    options = reading_options(
        model,
        anterior,
        spacing,
        factor,
        decoder,
        refine,
        overlays,
        threads=threads,
        thumbnails=False,
        runtime=runtime,
        dicom=dicom,
        page=page,
    )
    if dicom:
        _check_dicom(images)
    from ..cohort import Steps, predict_images

    with progress_bar() as progress:
        task = progress.add_task("Reading images", total=None)
        steps = Steps(
            listed=lambda images, todo: progress.update(task, total=todo),
            read=lambda outcome: progress.advance(task),
        )
        rows = predict_images(images, out, options, steps=steps)
    failed = [row for row in rows if row["outcome"] == "failed"]
    done = [row for row in rows if row["outcome"] != "failed"]
    if done:
        if len(done) <= LISTED:
            show_table(_results_table(done))
        else:
            for line in _results_in_short(done):
                say(line)
        say(f"Results of {len(done)} images in {out}. {RESEARCH_USE}")
    for row in failed:
        complain(str(row["error"]))
    if failed:
        complain(f"{len(failed)} of {len(rows)} images could not be read.")
        raise typer.Exit(2)


def _check_dicom(images: list[str]) -> None:
    """Refuse before anything is done where no image can have a DICOM result; among others, one that cannot says so."""
    from ..errors import ImageReadError
    from ..imaging.sniff import Kind, kind_of

    try:
        none = all(Path(image).is_file() and kind_of(Path(image)) is not Kind.DICOM for image in images)
    except ImageReadError:
        return  # a list or a zip file: what is in it is seen when it is read
    if none:
        from ..report.dicom import image_header

        image_header(Path(images[0]))


@app.command()
def measure(
    image: Annotated[Path, typer.Option(help="The image.")],
    landmarks: Annotated[Path, typer.Option(help="Its landmarks, in any format that convert knows.")],
    out: Annotated[Optional[Path], typer.Option("--out", help="Folder for reading and overlay.")] = None,
    anterior: Anterior = None,
    spacing: SpacingMm = None,
    factor: Factor = 1.2,
    norms: Annotated[
        Optional[Path],
        typer.Option(help="JSON file of healthy height ratios; default: VERTENET_NORMS, else published."),
    ] = None,
) -> None:
    """Guides, crop, heights and lordosis from landmarks that are already there; no model."""
    check_side(anterior, "left", "right")
    check_positive("--spacing", spacing)
    check_positive("--factor", factor)
    from ..annotation import load_for_image
    from ..assess import assess
    from ..cohort import write_results
    from ..filenames import stem_of
    from ..imaging import read
    from ..imaging.fingerprint import pixels_sha256
    from ..measure import crop_sentence, load_norms
    from ..report.measured import HEIGHT_HEADS, height_rows, lordosis_words

    radiograph = read(image, anterior=anterior, spacing=spacing)
    spine = load_for_image(landmarks, radiograph, anterior=anterior)
    reading = assess(
        radiograph.with_anterior(spine.anterior),
        spine,
        factor=factor,
        norms=None if norms is None else load_norms(norms),
    )
    table = Table("guide", "posterior x, y", "anterior x, y", title="Intervertebral guides (pixels)")
    for guide in reading.guides.values():
        table.add_row(guide.name, *(f"{x:.2f}, {y:.2f}" for x, y in (guide.posterior, guide.anterior)))
    show_table(table)
    heights = Table(*HEIGHT_HEADS, title="Heights (grades are suggestions, no diagnosis)")
    for row in height_rows(reading):
        heights.add_row(*row)
    show_table(heights)
    say(f"{lordosis_words(reading.morphometry.lordosis)}.")
    say(f"{crop_sentence(reading.crop, reading.image.spacing)} (factor {reading.crop.factor:g}).")
    for warning in reading.warnings:
        say(f"Note: {warning}.")
    if out is not None:
        write_results(radiograph, reading, out, stem_of(image.name), pixels_sha256(image))
        say(f"Written to {out}. {RESEARCH_USE}")


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
    """Convert landmarks: MakeSense CSV, authors' .mat and CSV, COCO, Slicer Markups, readings, DICOM results."""
    check_side(anterior, "left", "right")
    from ..annotation import convert as convert_file
    from ..imaging import ImageFolder

    written = convert_file(
        source,
        target,
        source_format=source_format,
        target_format=target_format,
        images=None if images is None else ImageFolder(images),
        anterior=anterior,
    )
    say(f"Written: {', '.join(str(path) for path in written)}")


def _results_table(rows: list[dict]) -> Table:
    table = Table(Column("image", overflow="fold"), "levels", "crop", "warnings", "seconds")
    for row in rows:
        warnings = str(len(row["warnings"].split(" | "))) if row.get("warnings") else "0"
        crop, seconds = str(row["crop_state"]), f"{row['latency_s']:.2f}"
        table.add_row(str(row["image"]), _levels_in_words(row), crop, warnings, seconds)
    return table


def _results_in_short(rows: list[dict]) -> list[str]:
    """How many images of each kind of answer there are, and how long one took."""
    lines = []
    for title, words in (
        ("Levels", [_levels_in_words(row) for row in rows]),
        ("Crop", [str(row["crop_state"]) for row in rows]),
    ):
        lines.append(f"{title}: " + ", ".join(f"{word} in {count}" for word, count in Counter(words).most_common()))
    seconds = median(row["latency_s"] for row in rows)
    return [*lines, f"Median time of the model: {seconds:.2f} s an image"]


def _levels_in_words(row: dict) -> str:
    if row["outcome"] == "refused":
        return "refused"
    found = str(row["levels"]).split()
    levels = f"{found[0]}-{found[-1]}" if found else "none"
    return levels if row["levels_certain"] == "yes" else f"{levels} (uncertain)"
