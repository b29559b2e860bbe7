"""The training of a round: in the round's own process, or in several that torchrun starts (``-m`` this module)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from vertenet.errors import ModelError
from vertenet.files import write_text
from vertenet.learning import Recipe, Samples, train
from vertenet.learning.samples import load_shard, save_shard

_ROW, _JOB, _SAMPLES, _VALIDATION = "row.json", "job.json", "samples.npz", "validation.npz"
#: Seconds between looks at how far other processes are.
_LOOK_S = 1.0


@dataclass(frozen=True)
class Job:
    """A training that is all prepared.

    Attributes
    ----------
    folder : Path
        Gets the run, see `vertenet.learning.trainer`.
    recipe : Recipe
    card : dict
        ``name``, ``training_data``, ``synthetic_only`` of the weights.
    samples, validation : Samples
    """

    folder: Path
    recipe: Recipe
    card: dict[str, Any]
    samples: Samples
    validation: Samples

    def run(self, processes: int, report: Callable[[dict], None]) -> Path:
        """Train, in this process or in several; returns the weights.

        Raises
        ------
        ModelError
            The loss is no longer finite, or a process of several failed.
        OptionError
            The recipe cannot be followed here.
        """
        if processes == 1:
            return train(self.recipe, self.samples, self.validation, self.folder, report=report, **self.card)
        self._write()
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
        seen = None
        with subprocess.Popen([*command, "-m", "vertenet.server.training.worker", str(self.folder)]) as process:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_LOOK_S)
                row = _read(self.folder / _ROW)
                if row not in (None, seen):
                    seen = row
                    report(row)
                if process.returncode is not None:
                    break
        weights = self.folder / "weights.safetensors"
        if process.returncode or not weights.is_file():
            raise ModelError(f"the training in {processes} processes ended with code {process.returncode}")
        return weights

    def _write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        save_shard(self.samples, self.folder / _SAMPLES)
        save_shard(self.validation, self.folder / _VALIDATION)
        job = {"recipe": self.recipe.to_dict(), "card": self.card, "round": psutil.Process().pid}
        write_text(self.folder / _JOB, json.dumps(job))


def run_share(folder: Path) -> None:
    """One process's share of the job in ``folder``; it ends when the round's process is no more."""
    job = json.loads((folder / _JOB).read_text(encoding="utf-8"))
    train(
        Recipe.from_dict(job["recipe"]),
        load_shard(folder / _SAMPLES),
        load_shard(folder / _VALIDATION),
        folder,
        report=lambda row: write_text(folder / _ROW, json.dumps(row)),
        should_stop=lambda: not psutil.pid_exists(job["round"]),
        **job["card"],
    )


def _read(path: Path) -> dict | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


if __name__ == "__main__":
    run_share(Path(sys.argv[1]))
