"""How far a command is: a bar on a terminal, plain lines where the output goes into a file or a pipe."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from .common import err_console

#: Seconds between two lines.
EVERY_S = 10.0


def progress_bar() -> Progress:
    """What shows progress on standard error; use it as a context."""
    if not err_console.is_terminal:
        return PlainProgress(err_console)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeRemainingColumn(),
        console=err_console,
        transient=True,
    )


class RateColumn(ProgressColumn):
    """How fast it goes, in the words of `PlainProgress`."""

    def render(self, task: Task) -> Text:
        return Text(_rate_words(task.speed or 0.0))


class PlainProgress(Progress):
    """The same tasks, told as a line now and then and when one is done.

    Parameters
    ----------
    console : where the lines go
    every : float
        Seconds between two lines.
    get_time : callable
        The clock.
    """

    def __init__(
        self, console: Console, every: float = EVERY_S, get_time: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(console=console, disable=True, auto_refresh=False, get_time=get_time)
        self.every = every
        self.said = get_time()

    def update(self, task_id: TaskID, **changes) -> None:
        before = self.tasks[self.task_ids.index(task_id)].completed
        super().update(task_id, **changes)
        self._tell(task_id, before)

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        before = self.tasks[self.task_ids.index(task_id)].completed
        super().advance(task_id, advance)
        self._tell(task_id, before)

    def _tell(self, task_id: TaskID, before: float) -> None:
        task = self.tasks[self.task_ids.index(task_id)]
        if task.total and before < task.total <= task.completed:
            seconds = timedelta(seconds=round(task.elapsed or 0))
            self.console.print(f"{task.description}: {task.total:g} of {task.total:g} in {seconds}")
        elif task.visible and task.completed and self.get_time() - self.said >= self.every:
            self.console.print(_line(task))
        else:
            return
        self.said = self.get_time()


def _line(task: Task) -> str:
    """Such as ``Reading images: 12 of 200, 3.1 a second, about 0:01:00 left``."""
    parts = [f"{task.completed:g}" if task.total is None else f"{task.completed:g} of {task.total:g}"]
    rate = task.completed / task.elapsed if task.elapsed else 0.0
    if rate:
        parts.append(_rate_words(rate))
        if task.total is not None:
            parts.append(f"about {timedelta(seconds=round((task.total - task.completed) / rate))} left")
    return f"{task.description}: {', '.join(parts)}"


def _rate_words(rate: float) -> str:
    """Of so many a second; empty for none."""
    if not rate:
        return ""
    return f"{rate:.1f} a second" if rate >= 1 else f"{1 / rate:.1f} s each"
