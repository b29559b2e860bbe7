"""A small network without batch norm, and a program that trains it, for tests that need processes of their own.

Arguments: the run's folder and a JSON object: changes to the recipe, and what `train_small` takes besides.
"""

import json
import os
import signal
import sys
from pathlib import Path

import torch
from torch import nn

from tests.learning.boxes import SIZE, boxes
from vertenet.learning import Recipe, train
from vertenet.networks.vertenet import LEVEL_NAMES
from vertenet.networks.zoo.registry import register


class Small(nn.Module):
    input_size, stride, level_names = SIZE, 4, LEVEL_NAMES

    def __init__(self, dropout):
        super().__init__()
        self.encoder = nn.Sequential(
            *(nn.Conv2d(3, 8, 3, 2, 1), nn.GroupNorm(2, 8), nn.ReLU()),
            *(nn.Conv2d(8, 16, 3, 2, 1), nn.GroupNorm(2, 16), nn.ReLU(), nn.Dropout2d(dropout)),
        )
        self.heads = nn.ModuleDict({"hm": nn.Conv2d(16, 1, 1), "reg": nn.Conv2d(16, 2, 1), "wh": nn.Conv2d(16, 8, 1)})
        self.level, self.side = nn.Conv2d(16, len(LEVEL_NAMES), 1), nn.Linear(16, 1)

    def forward(self, x):
        features = self.encoder(x)
        maps = {name: head(features).float() for name, head in self.heads.items()}
        maps["hm"] = torch.sigmoid(maps["hm"])
        maps["level"] = torch.sigmoid(self.level(features).float())
        maps["anterior"] = self.side(features.mean((2, 3)))[:, 0]
        return maps


def small(*, dropout: float = 0.0):
    return Small(dropout)


def train_small(folder: Path, *, resume=False, workers=0, kill_at=None, should_stop=lambda: False, **changes) -> Path:
    """Train on boxes; with ``kill_at`` n the process kills itself at the n-th question whether to stop."""
    questions = []

    def stop_or_die() -> bool:
        questions.append(None)
        if len(questions) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return should_stop()

    return train(
        Recipe(**{"network": "small", "batch": 4, "warmup": 2, "threads": 1, "device": "cpu", **changes}),
        boxes(7),
        boxes(2, 1),
        folder,
        training_data="boxes",
        synthetic_only=True,
        resume=resume,
        workers=workers,
        should_stop=stop_or_die,
    )


if __name__ == "__main__":
    register("small")(small)
    train_small(Path(sys.argv[1]), **json.loads(sys.argv[2]))
