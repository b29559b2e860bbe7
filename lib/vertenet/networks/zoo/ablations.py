"""The paper's decoder ablations (Figure 3c), and the fusion block as its figure draws it."""

from __future__ import annotations

from .plans import PLAIN, register_plans

register_plans(
    {
        "plain-fusion": ("VerteNet without any attention: plain concatenation at every scale.", {"parts": PLAIN}),
        "vertenet-no-drsa": ("VerteNet without dual-resolution self-attention.", {"parts": [("drca", "csa")] * 3}),
        "vertenet-no-drca": ("VerteNet without dual-resolution cross-attention.", {"parts": [("drsa", "csa")] * 3}),
        "vertenet-no-csa": ("VerteNet without channel self-attention.", {"parts": [("drsa", "drca")] * 3}),
        "vertenet-figure": (
            "VerteNet as the paper's figure draws it: average pooling, channel attention before a 3x3 convolution.",
            {"form": "figure"},
        ),
    }
)
