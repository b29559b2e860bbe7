"""The zoo: networks by name. A new one is a file in this folder with a registered function; nothing else changes."""

from __future__ import annotations

import importlib
import pkgutil

from .registry import build, describe, names, register

__all__ = ["build", "describe", "names", "register"]


def _import_files() -> None:
    """Import every file of this folder, so that it registers its networks; one already imported is left alone."""
    for file in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{file.name}")


_import_files()
