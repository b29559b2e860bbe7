"""The log of a run: log.csv and TensorBoard's event files, a row each interval."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from ..files import write_text


class Journal:
    """Writes rows; opened anew at a step, it forgets what came after that step.

    Parameters
    ----------
    folder : Path
        Gets ``log.csv`` and ``tensorboard/``.
    step : int
        The step that the run goes on from; rows of later steps came from a sitting that was killed after its last
        checkpoint and are written again.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self.path = folder / "log.csv"
        self.rows = []
        if self.path.is_file():
            with self.path.open(newline="", encoding="utf-8") as handle:
                # A sitting that was killed while it wrote leaves a line without its end; that step comes again.
                self.rows = [row for row in csv.DictReader(handle) if None not in row.values()]
            self.rows = [row for row in self.rows if int(row["step"]) <= step]
            self._rewrite()
        self.board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def write(self, row: dict) -> None:
        """Add a row. Columns that no row had before come last."""
        text = {key: _text(value) for key, value in row.items() if value is not None}
        new = not self.rows or not set(text) <= set(self.rows[0])
        self.rows.append(text)
        if new:
            self._rewrite()
        else:
            with self.path.open("a", newline="", encoding="utf-8") as handle:
                csv.DictWriter(handle, list(self.rows[0]), restval="", lineterminator="\n").writerow(text)
        for key, value in row.items():
            if isinstance(value, (int, float)) and key != "step":
                self.board.add_scalar(key, value, row["step"])
        self.board.flush()

    def close(self) -> None:
        self.board.close()

    def _rewrite(self) -> None:
        columns = list(dict.fromkeys(key for row in self.rows for key in row))
        self.rows = [{key: row.get(key, "") for key in columns} for row in self.rows]
        table = io.StringIO()
        writer = csv.DictWriter(table, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_text(self.path, table.getvalue())


def _text(value) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
