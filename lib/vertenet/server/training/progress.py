"""How far a round is: written by its process, read by the server for ``GET /info`` and ``GET /train/``."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import psutil

from vertenet.files import write_text

FILE = "progress.json"
NONE, RUNNING, DONE, FAILED, KILLED = "none", "running", "done", "failed", "killed"
#: A round's process is the one of that number that was started at that time: numbers are used again.
_SAME_START_S = 1.0


class Progress:
    """Writes the progress of this process's round.

    Parameters
    ----------
    folder : Path
        Of the versions.
    total_epochs : int
        That clients show; the time of a budget that ends earlier counts as all of them.
    """

    def __init__(self, folder: Path, total_epochs: int) -> None:
        self._path = folder / FILE
        me = psutil.Process()
        self._state: dict[str, Any] = {
            "pid": me.pid,
            "process_started": me.create_time(),
            "start_ts": int(time.time()),
            "state": RUNNING,
            "phase": "gathering labels",
            "epoch": 0,
            "total_epochs": total_epochs,
            "best_metric": 0.0,
            "seconds_left": None,
        }
        self.update()

    def update(self, **changes: Any) -> None:
        """Write changes at once, with the time that they were written at."""
        self._state.update(changes, written=time.time())
        write_text(self._path, json.dumps(self._state, allow_nan=False) + "\n")

    def training(self, row: dict[str, Any]) -> None:
        """Take a row of the training's log, see `vertenet.learning.session.Session.row`."""
        total = self._state["total_epochs"]
        found = row.get("sdr_4px")
        self.update(
            phase="training",
            epoch=min(total, int(row["progress"] * total)),
            step=row["step"],
            loss=row["loss"],
            seconds_left=row["seconds_left"],
            best_metric=max(self._state["best_metric"], 0.0 if found is None else found),
        )

    def fold(self, number: int, folds: int) -> None:
        """A short training that judges begins, see `vertenet.learning.crossfit`."""
        self.update(phase=f"judging, short training {number} of {folds}")

    def ended(self, state: str, sentence: str, **figures: Any) -> None:
        """The last word, `DONE` or `FAILED`."""
        seconds = time.time() - self._state["start_ts"]
        self.update(state=state, phase=state, message=sentence, seconds_left=0.0, total_time=seconds, **figures)


def read_progress(folder: Path) -> dict[str, Any]:
    """The progress of the latest round as MONAI Label's clients read ``train_stats``.

    Returns
    -------
    dict
        ``epoch``, ``total_epochs``, ``start_ts``, ``state``, ``phase``, ``seconds_left`` and ``best_metric``, 0 to 1:
        the share of the landmarks found within 4 px of the 1024 x 512 frame on images that train nothing, before
        refinement while it trains, as served at the end. ``total_time`` (text, as clients expect it) once it has ended.
        A round whose process is no more without having said so was stopped or killed.
    """
    try:
        state = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # Clients divide by the number of epochs.
        return {"state": NONE, "phase": NONE, "epoch": 0, "total_epochs": 1, "best_metric": 0.0}
    pid, started = state.pop("pid"), state.pop("process_started")
    written = state.pop("written")
    if state["state"] == RUNNING and not _alive(pid, started):
        state.update(
            state=KILLED,
            phase=KILLED,
            seconds_left=0.0,
            total_time=written - state["start_ts"],
            message="The training was stopped before its end; the served model is the one before.",
        )
    if state["state"] == RUNNING and state["seconds_left"] is not None:
        state["seconds_left"] = max(0.0, round(state["seconds_left"] - (time.time() - written), 1))
    if "total_time" in state:
        state["total_time"] = f"{state['total_time']:.0f} s"
    return state


def _alive(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) < _SAME_START_S
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def is_running(folder: Path) -> bool:
    """Whether a round is under way, whoever started it."""
    return read_progress(folder).get("state") == RUNNING
