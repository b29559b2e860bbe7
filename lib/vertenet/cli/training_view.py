"""What a person sees of a training, and how they end it."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from .common import complain, err_console
from .progress import EVERY_S


class TrainingView:
    """Takes the rows of a training's log; `show` says how they are shown.

    Attributes
    ----------
    seen : dict
        Every column's latest value.
    """

    def __init__(self, show: Callable[[dict, dict], None]) -> None:
        self._show, self.seen = show, {}

    def __call__(self, row: dict) -> None:
        self.seen.update(row)
        self._show(row, self.seen)

    @property
    def figures(self) -> str:
        """The last validation's figures and the best score; empty before the first one."""
        if "score" not in self.seen:
            return ""
        best = f", best {self.seen['best']:.3f}" if "best" in self.seen else ""
        return f"Score {self.seen['score']:.3f}{best}: {_figures(self.seen)}"


@contextmanager
def training_view() -> Iterator[TrainingView]:
    """A bar on a terminal; where the output goes into a file or a pipe, lines with rate and time left."""
    if not err_console.is_terminal:
        yield TrainingView(_Lines())
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    with Progress(*columns, console=err_console, transient=True) as progress:
        task = progress.add_task("Preparing samples", total=1.0, left="")

        def show(row: dict, seen: dict) -> None:
            left = f"about {_left(row)} left"
            progress.update(task, completed=row["progress"], description=_doing(seen), left=left)

        yield TrainingView(show)


class _Lines:
    """A line now and then, and one for each validation."""

    def __init__(self) -> None:
        self.said = -EVERY_S

    def __call__(self, row: dict, seen: dict) -> None:
        if "score" not in row and time.monotonic() - self.said < EVERY_S:
            return
        self.said = time.monotonic()
        rate = f"{row['images_per_s']:.1f} images a second, " if row.get("images_per_s") else ""
        complain(f"{_doing(seen)}; {row['progress']:.0%} done, {rate}about {_left(row)} left")


def _doing(seen: dict) -> str:
    text = f"Step {seen['step']}, epoch {seen['epoch']:.1f}, loss {seen['loss']:.3g}"
    return f"{text}, {_figures(seen)}" if "score" in seen else text


def _figures(seen: dict) -> str:
    return f"levels right {seen['levels_right']:.0%}, within 4 px {seen['sdr_4px']:.0%}"


def _left(row: dict) -> timedelta:
    return timedelta(seconds=round(row["seconds_left"]))


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
