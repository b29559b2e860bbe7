"""The zoo: networks by name. A new one is a file here with a registered function, imported below."""

from __future__ import annotations

from . import vertenet  # noqa: F401  (registers its networks)
from .registry import build, names, register

__all__ = ["build", "names", "register"]
