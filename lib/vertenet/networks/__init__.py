"""Networks: images to maps. This room knows tensors, not radiographs or spines."""

from __future__ import annotations

from .card import Card
from .checkpoint import import_checkpoint, load_authors_checkpoint
from .resize import resized
from .vertenet import LEVEL_NAMES, VerteNet
from .weights import find_weights, load_weights, save_weights
from .zoo import build, names, register

__all__ = [
    "LEVEL_NAMES",
    "Card",
    "VerteNet",
    "build",
    "find_weights",
    "import_checkpoint",
    "load_authors_checkpoint",
    "load_weights",
    "names",
    "register",
    "resized",
    "save_weights",
]
