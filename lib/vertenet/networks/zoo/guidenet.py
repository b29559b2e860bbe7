"""GuideNet (DICTA 2021): VerteNet's predecessor, with the same heads, targets, losses and decoding."""

from __future__ import annotations

from .plans import PLAIN, register_plans

register_plans(
    {"guidenet": ("GuideNet: ResNet34 with plain fusion 512, 256, 128, 64.", {"encoder": "resnet34", "parts": PLAIN})}
)
