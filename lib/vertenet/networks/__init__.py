"""Networks: images to maps. This room knows tensors, not radiographs or spines."""

from __future__ import annotations

from .card import Card
from .checkpoint import import_checkpoint, load_authors_checkpoint
from .cost import Cost, cost, measure_speed
from .landmarks import LandmarkNetwork
from .resize import resized
from .vertenet import LEVEL_NAMES, VerteNet
from .weights import load_weights, save_weights
from .zoo import build, describe, names, register

__all__ = [
    "LEVEL_NAMES",
    "Card",
    "Cost",
    "LandmarkNetwork",
    "VerteNet",
    "build",
    "cost",
    "describe",
    "import_checkpoint",
    "load_authors_checkpoint",
    "load_weights",
    "measure_speed",
    "names",
    "register",
    "resized",
    "save_weights",
]
