"""Make docs/images/overlay.png, the picture of the README: ``python docs/pictures/make_overview.py``."""

from __future__ import annotations

from pathlib import Path

from vertenet.imaging import read
from vertenet.inference import Predictor
from vertenet.report.overlay import draw_overlay

ROOT = Path(__file__).parents[2]
SAMPLE = "05-cropped-black.png"


def main() -> None:
    # The phantom's true spacing is given by hand: a PNG carries none.
    radiograph = read(ROOT / "sample_data" / SAMPLE, anterior="right", spacing=0.36)
    draw_overlay(radiograph, Predictor("vertenet-lite")(radiograph), ROOT / "docs/images/overlay.png")


if __name__ == "__main__":
    main()
