"""Commands for many images: cohort and curate."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from ..reading import RESEARCH_USE
from .common import (
    Anterior,
    Decoder,
    Factor,
    ModelName,
    OutFolder,
    Overlays,
    Refine,
    SpacingMm,
    app,
    check_choice,
    check_positive,
    complain,
    reading_options,
    say,
)
from .progress import progress_bar

Inputs = Annotated[
    list[str],
    typer.Argument(
        help="Folders (with all in them), images, lists of paths (.txt), zip files, a DICOMDIR, addresses of DICOMweb "
        "queries."
    ),
]


@app.command()
def cohort(
    inputs: Inputs,
    out: OutFolder,
    workers: Annotated[int, typer.Option(help="Processes that read images, each with one CPU thread.")] = 1,
    ray: Annotated[
        Optional[str], typer.Option(help="Read on Ray: local, or a cluster's address (auto, ray://host:10001).")
    ] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Read images again that failed before.")] = False,
    start_over: Annotated[bool, typer.Option("--start-over", help="Read every image again.")] = False,
    overlays: Overlays = "flagged",
    model: ModelName = "vertenet-lite",
    anterior: Anterior = None,
    spacing: SpacingMm = None,
    factor: Factor = 1.2,
    decoder: Decoder = "levels",
    refine: Refine = None,
    device: Annotated[str, typer.Option(help="cpu, or cuda for a GPU in every worker.")] = "cpu",
) -> None:
    """Read a cohort: tables, a gallery of what to look at first, quality by scanner. Started again, it goes on."""
    check_positive("--workers", workers)
    check_choice("--device", device, ["cpu", "cuda"])
    from ..cohort import Steps, Workers, read_cohort
    from ..cohort.key import secret_key

    options = reading_options(
        model, anterior, spacing, factor, decoder, refine, overlays, device=device, key=secret_key()
    )
    read = 0

    def listed(images: int, todo: int) -> None:
        if todo < images:
            say(f"{images - todo} of {images} images were read before.")
        progress.update(task, total=todo)

    def count(outcome) -> None:
        nonlocal read
        read += 1
        progress.advance(task)

    try:
        with progress_bar() as progress:
            task = progress.add_task("Reading images", total=None)
            summary = read_cohort(
                inputs,
                out,
                options,
                workers=Workers(workers, ray),
                retry_failed=retry_failed,
                start_over=start_over,
                steps=Steps(listed, count),
            )
    except KeyboardInterrupt:
        complain(f"Stopped. The {read} images of this run are kept: start the same command again to go on.")
        raise typer.Exit(130) from None
    found = summary.to_dict()
    say(
        f"{found['images']} images: {found['usable']} usable, {found['failed']} could not be read, {found['refused']} "
        f"refused, {found['uncertain']} with uncertain levels, {found['cropped']} with a cropped aorta."
    )
    for reason, images in found["by_reason"].get("failed", {}).items():
        say(f"Could not be read, {images}: {reason}")
    say(f"Tables and gallery: {out / 'index.html'}. {RESEARCH_USE}")
    if found["failed"] == found["images"]:
        complain("No image could be read.")
        raise typer.Exit(2)


@app.command()
def curate(
    inputs: Inputs,
    out: OutFolder,
) -> None:
    """Copy images into one folder a patient, named by pseudonyms, each image once. The files themselves keep names."""
    from ..cohort.curate import curate_images
    from ..cohort.key import secret_key

    with progress_bar() as progress:
        task = progress.add_task("Sorting images", total=None)
        counted = curate_images(
            inputs,
            out,
            secret_key(),
            listed=lambda images: progress.update(task, total=images),
            done=lambda: progress.advance(task),
        )
    said = ", ".join(f"{count} {what}" for what, count in counted.items())
    say(f"{said}. Listed in {out / 'curated.csv'}; the copies still hold what the originals hold of the patient.")
