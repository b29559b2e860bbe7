"""Networks: images to maps. This room knows tensors, not radiographs or spines."""

from __future__ import annotations

from .vertenet import LEVEL_NAMES, VerteNet
from .zoo import build, names, register

__all__ = ["LEVEL_NAMES", "VerteNet", "build", "names", "register"]
