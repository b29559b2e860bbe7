"""VerteNet with some parts exchanged, as tables: a name, what it is, and the entries of its `Plan`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from ..vertenet import Plan, VerteNet
from .registry import register

#: Of the paper's network.
ENCODER = "tf_efficientnetv2_s"
#: No attention in any fusion block: upsample, convolve, concatenate, convolve.
PLAIN: tuple[tuple[str, ...], ...] = ((), (), ())


def register_plans(table: Mapping[str, tuple[str, Mapping[str, Any]]]) -> None:
    """Register a network per row of ``table``: name to (description, entries of `Plan` that differ from VerteNet's).

    Each has the options ``input_size`` and ``pretrained``.
    """
    for name, (description, entries) in table.items():
        _register(name, description, {"encoder": ENCODER, **entries})


def _register(name: str, description: str, entries: Mapping[str, Any]) -> None:
    def build(*, input_size: Sequence[int] = (1024, 512), pretrained: bool | str = False) -> nn.Module:
        return VerteNet(Plan(input_size=input_size, **entries), pretrained=pretrained)

    build.__doc__ = description
    register(name)(build)
