"""All methods on all folds, several at a time; what is done is not done again, and a failure stops nobody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from ..errors import VerteNetError
from ..files import write_text
from ..networks import build
from ..networks.costs import cost, measure_speed
from .data import Cohort
from .plan import Plan, open_experiment, predictions_file
from .samples import samples_of

#: Seconds between looks at the processes.
_PAUSE = 0.2


@dataclass(frozen=True)
class Task:
    """One method on one fold."""

    method: str
    fold: int

    def __str__(self) -> str:
        return f"{self.method}, fold {self.fold}"


@dataclass(frozen=True)
class Progress:
    """What a caller may show: how far each running task is (0 to 1), and how many tasks of how many are over."""

    running: dict[str, float]
    over: int
    total: int


def run_experiment(
    plan: Plan,
    folder: Path,
    *,
    jobs: int = 1,
    report: Callable[[Progress], None] = lambda progress: None,
    prepared: Callable[[int], None] = lambda cases: None,
) -> dict[Task, str]:
    """Run what the plan asks for and is not done yet, ``jobs`` methods at a time, each a process of its own.

    Parameters
    ----------
    plan : Plan
    folder : Path
        Made if need be; see `vertenet.experiments.plan`.
    report : callable
        Told of the progress now and then.
    prepared : callable
        Called with the number of cases that were made into training samples.

    Returns
    -------
    dict of Task to str
        Those that failed, with the reason, which is also in their ``.failure.txt``. They are tried again next time.

    Raises
    ------
    OptionError
        The folder holds another experiment.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plan = open_experiment(plan, folder)
    cohort = Cohort(plan.source)
    everything = [Task(method, fold) for fold in plan.folds_to_run(cohort) for method in plan.methods]
    waiting = deque(task for task in everything if not predictions_file(folder, task.method, task.fold).exists())
    # Before the processes start, which would all make the same samples.
    for size in sorted({size for task in waiting if (size := _input_size(plan, task.method)) is not None}):
        samples_of(cohort, size, folder / "samples", workers=jobs, report=prepared)
    running: dict[Task, subprocess.Popen] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                task = waiting.popleft()
                running[task] = _start(folder, task)
            for task in [task for task, process in running.items() if process.poll() is not None]:
                _close(folder, task, running.pop(task))
            over = len(everything) - len(waiting) - len(running)
            report(Progress({str(t): _share_done(plan, folder, t) for t in running}, over, len(everything)))
            if running:
                time.sleep(_PAUSE)
    finally:
        for process in running.values():
            process.terminate()
    for method in plan.methods:
        _measure_cost(plan, folder, method)
    files = {task: failure_file(folder, task.method, task.fold) for task in everything}
    return {task: file.read_text(encoding="utf-8").strip() for task, file in files.items() if file.exists()}


def failure_file(folder: Path, method: str, fold: int) -> Path:
    return folder / method / f"fold-{fold}.failure.txt"


def _input_size(plan: Plan, method: str) -> tuple[int, int] | None:
    """None where the network cannot be built; its own process will say why."""
    try:
        return tuple(build(method, **plan.recipe.options).input_size)
    except VerteNetError:
        return None


def _start(folder: Path, task: Task) -> subprocess.Popen:
    log = folder / task.method / f"fold-{task.fold}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    failure_file(folder, task.method, task.fold).unlink(missing_ok=True)
    command = [sys.executable, "-m", "vertenet.experiments.fold", str(folder), task.method, str(task.fold)]
    with log.open("w", encoding="utf-8") as file:
        return subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=dict(os.environ))


def _close(folder: Path, task: Task, process: subprocess.Popen) -> None:
    if process.returncode == 0:
        return
    log = folder / task.method / f"fold-{task.fold}.log"
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    reason = lines[-1] if lines else "The process said nothing."
    if process.returncode < 0:
        reason = f"The process was ended by signal {-process.returncode}: perhaps the machine ran out of memory."
    write_text(failure_file(folder, task.method, task.fold), reason + "\n")


def _share_done(plan: Plan, folder: Path, task: Task) -> float:
    """How much of its steps a run has logged."""
    log = folder / task.method / f"fold-{task.fold}" / "log.csv"
    if not log.exists():
        return 0.0
    lines = log.read_text(encoding="utf-8").strip().splitlines()
    step = lines[-1].split(",")[0] if len(lines) > 1 else "0"
    return min(1.0, int(step) / plan.recipe.steps) if step.isdigit() else 0.0


def _measure_cost(plan: Plan, folder: Path, method: str) -> None:
    """Written once, after the runs, so that no other run disturbs the clock."""
    path = folder / method / "cost.json"
    if path.exists() or not any((folder / method / "predictions").glob("fold-*.csv")):
        return
    torch.manual_seed(0)
    seconds = measure_speed(build(method, **plan.recipe.options), threads=plan.recipe.threads)
    content = {**asdict(cost(method, **plan.recipe.options)), "seconds": seconds, "threads": plan.recipe.threads}
    write_text(path, json.dumps(content, indent=1) + "\n")
