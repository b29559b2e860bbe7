"""Networks: images to maps. This room knows tensors, not radiographs or spines.

Its names are loaded when they are first asked for: torch and timm take seconds, and a card or an exported graph is read
without them.
"""

from __future__ import annotations

import importlib

_HOMES = {
    "LEVEL_NAMES": "vertenet",
    "Card": "card",
    "Cost": "costs",
    "LandmarkNetwork": "landmarks",
    "VerteNet": "vertenet",
    "build": "zoo",
    "checked_weights": "card",
    "cost": "costs",
    "describe": "zoo",
    "import_checkpoint": "checkpoint",
    "load_authors_checkpoint": "checkpoint",
    "load_weights": "weights",
    "measure_speed": "costs",
    "names": "zoo",
    "register": "zoo",
    "resized": "resize",
    "save_weights": "weights",
}

__all__ = list(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    module = importlib.import_module(home if home.startswith(".") else f".{home}", __name__)
    value = globals()[name] = getattr(module, name)
    return value
