"""Models: the weights of this package, and where others are looked for. Needs nothing that can read them."""

from __future__ import annotations

from .files import MODELS_VARIABLE, find_weights, is_shipped

__all__ = ["MODELS_VARIABLE", "find_weights", "is_shipped"]
