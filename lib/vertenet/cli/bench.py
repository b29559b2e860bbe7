"""The command that measures how fast networks are here: bench."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.table import Table

from ..errors import OptionError
from .common import app, check_positive, say, show_table


@app.command()
def bench(
    images: Annotated[Optional[list[Path]], typer.Argument(help="Images to read; default: none are read.")] = None,
    model: Annotated[Optional[list[str]], typer.Option(help="Weights or networks; repeat it.")] = None,
    runtime: Annotated[Optional[list[str]], typer.Option(help="Runtimes; default: all that are installed.")] = None,
    batch: Annotated[Optional[list[int]], typer.Option(help="Images at once; default 1, 4, 16.")] = None,
    rounds: Annotated[int, typer.Option(help="How often each way is measured, in turn.")] = 5,
    threads: Annotated[Optional[int], typer.Option(help="CPU threads.")] = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    training: Annotated[bool, typer.Option("--training", help="Measure training steps too.")] = False,
    out: Annotated[Optional[Path], typer.Option(help="JSON file for all figures.")] = None,
) -> None:
    """Measure every runtime against the authors' way, from images to landmarks and from files to readings."""
    check_positive("--rounds", rounds)
    check_positive("--threads", threads)
    for size in batch or ():
        check_positive("--batch", size)
    import torch

    from ..cohort import find_items
    from ..experiments import speed
    from ..files import write_text
    from ..inference.runtimes import RUNTIMES

    for name in runtime or ():
        if name not in RUNTIMES:
            raise OptionError(f"--runtime is {name!r}", remedy=f"Use some of {', '.join(RUNTIMES)}")
    if threads is not None:
        torch.set_num_threads(threads)
    ways, left = speed.usable(runtime or (), device)
    found = speed.Bench(machine=speed.measure_machine(device), left_out=left)
    models = model or ["vertenet-lite"]
    paths = [Path(item.path) for item in find_items(images).items] if images else []

    def keep() -> None:
        """After every part: what was measured is there even if the next one is cut short."""
        if out is not None:
            write_text(out, json.dumps(found.to_dict(), indent=2) + "\n")

    for each in models:
        speed.time_networks(
            found, each, ways, batches=batch or (1, 4, 16), rounds=rounds, device=device, threads=threads
        )
        keep()
    if paths:
        speed.time_readings(found, models[0], ways, paths, rounds=rounds, device=device, threads=threads)
        keep()
        if device == "cpu":
            speed.time_starts(found, models[0], ways, paths[0])
            keep()
    if training:
        for each in models:
            speed.time_training(found, each, batch=4, rounds=rounds, precision="bfloat16", device=device)
    keep()
    _show(found)


def _show(found) -> None:
    table = Table(
        "what", "model", "way", "batch", "ms p50", "ms p95", "CPU ms", "images/s", "faster", "quartiles", "CPU"
    )
    for row in found.timings:
        low, high = row.spread
        table.add_row(
            row.what, row.model, row.way, str(row.batch), f"{1e3 * row.p50:.0f}", f"{1e3 * row.p95:.0f}",
            f"{1e3 * row.cpu:.0f}", f"{row.images_per_second:.1f}", f"{row.ratio:.2f}x", f"{low:.2f}-{high:.2f}",
            f"{row.cpu_ratio:.2f}x",
        )  # fmt: skip
    show_table(table)
    for way, (seconds, memory) in found.starts.items():
        say(f"A process with {way}: first reading after {seconds:.1f} s, at most {memory:.0f} MiB.")
    rates = found.machine
    say(
        f"This machine: {rates['float32_gflops']:.0f} GFLOP/s in float32, {rates['bfloat16_gflops']:.0f} in bfloat16, "
        f"copies {rates['copy_gb_per_s']:.1f} GB/s."
    )
    for model, seconds in found.floors.items():
        say(f"At that rate the multiply-adds of {model} take {1e3 * seconds:.0f} ms in float32.")
    for sentence in found.left_out:
        say(f"Left out: {sentence.rstrip('.')}.")
