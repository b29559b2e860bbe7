"""What a person sees of a training, and how they end it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from .common import err_console


@contextmanager
def training_bar() -> Iterator[Callable[[dict], None]]:
    """A bar that shows rows of a training's log; gives the function that takes them."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    with Progress(*columns, console=err_console, transient=True) as progress:
        task = progress.add_task("Preparing samples", total=1.0, left="")
        seen: dict = {}

        def show(row: dict) -> None:
            seen.update(row)
            text = f"Step {row['step']}, epoch {row['epoch']:.1f}, loss {row['loss']:.3g}"
            if "score" in seen:
                text += f", levels right {seen['levels_right']:.0%}, within 4 px {seen['sdr_4px']:.0%}"
            left = timedelta(seconds=round(row["seconds_left"]))
            progress.update(task, completed=row["progress"], description=text, left=f"about {left} left")

        yield show


@contextmanager
def stop_on_signals() -> Iterator[Callable[[], bool]]:
    """Turns the first Ctrl-C (or SIGTERM) into a wish to stop; a second one ends the program as ever."""
    wishes: list[int] = []

    def hear(number: int, frame) -> None:
        wishes.append(number)
        signal.signal(number, before[number])

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(wishes)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
