"""Make docs/images/augmentation.png: one phantom, each change on its own, then all of them as in training.

Run from anywhere: ``python docs/pictures/make_augmentation_sheet.py``. The picture holds our own phantom alone.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from vertenet.learning import make_sample
from vertenet.learning.augmentation import Augmentation, augment_sample
from vertenet.phantom import generate
from vertenet.spine import LADDER

FRAME, PANEL, GAP, HEAD = (512, 256), (380, 190), 6, 16
PAPER, INK = (255, 255, 255), (30, 30, 30)
CORNER, CENTRE = (255, 60, 60), (120, 255, 120)
STILL = Augmentation.none()
#: Name, ranges and seed of a panel.
ALONE = [
    ("the sample", STILL, 1),
    ("rotation", replace(STILL, rotation=8.0), 4),
    ("scale, aspect, shift", replace(STILL, scale=0.18, aspect=0.12, shift=0.1), 2),
    ("top or bottom cut off", replace(STILL, end_crop=1.0), 5),
    ("front cut off", replace(STILL, anterior_crop=1.0), 6),
    ("expansion", replace(STILL, expansion=1.0), 3),
    ("gamma, contrast, brightness", replace(STILL, gamma=0.5, contrast=0.4, brightness=0.15), 3),
    ("noise, blur", replace(STILL, noise=0.05, blur=1.0), 2),
    ("blanked steps", replace(STILL, blank=1.0), 7),
    ("gas", replace(STILL, gas=1.0), 8),
    ("metal", replace(STILL, metal=1.0), 7),
    ("inverted, text", replace(STILL, invert=1.0, text=1.0), 1),
]
TOGETHER = [("all, as in training", Augmentation(), seed) for seed in range(1, 13)]
COLUMNS = 6


def panel(sample, name: str, ranges: Augmentation, seed: int) -> Image.Image:
    """One changed sample with its landmarks; a mirrored one has none, for it teaches the orientation alone."""
    image, corners, centres, faces_right = augment_sample(*sample, ranges, torch.Generator().manual_seed(seed))
    grey = Image.fromarray(np.rint(255 * image.numpy()).astype(np.uint8))
    page = Image.new("RGB", (PANEL[1], PANEL[0] + HEAD), PAPER)
    page.paste(grey.resize(PANEL[::-1], Image.LANCZOS).convert("RGB"), (0, HEAD))
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(10)
    draw.text((0, 2), name if faces_right else "mirrored: orientation alone", fill=INK, font=font)
    if not faces_right:
        return page
    scale = np.array(PANEL[::-1]) / FRAME[::-1]
    for x, y in (corners.flatten(0, 1).numpy() + 0.5) * scale + [0, HEAD] - 0.5:
        if np.isfinite(x) and y > HEAD:
            draw.ellipse((x - 1.3, y - 1.3, x + 1.3, y + 1.3), fill=CORNER)
    for level, (x, y) in zip(LADDER, (centres.numpy() + 0.5) * scale + [0, HEAD] - 0.5):
        if np.isfinite(x) and y > HEAD + 5:
            draw.text((x, y), level.value, fill=CENTRE, anchor="mm", font=font)
    return page


def sheet() -> Image.Image:
    radiograph, truth = generate(800_005, "hologic-horizon", difficulty="default", crop=None, blanking=None)
    made = make_sample(radiograph, truth.spine, truth.anatomy, FRAME)
    sample = (
        torch.from_numpy(made.images[0]).float() / 255,
        *map(torch.from_numpy, (made.corners[0], made.centres[0])),
    )
    panels = [panel(sample, *row) for row in [*ALONE, *TOGETHER]]
    width, height = panels[0].width + GAP, panels[0].height + GAP
    page = Image.new("RGB", (COLUMNS * width + GAP, len(panels) // COLUMNS * height + GAP), PAPER)
    for i, drawn in enumerate(panels):
        page.paste(drawn, (GAP + i % COLUMNS * width, GAP + i // COLUMNS * height))
    return page


def palette() -> Image.Image:
    """Few greys, which keep the page small (noise does not need more), and the exact colours of the drawing."""
    greys = [(round(v),) * 3 for v in np.linspace(0, 255, 18)]
    image = Image.new("P", (1, 1))
    image.putpalette([value for colour in [*greys, CORNER, CENTRE] for value in colour])
    return image


if __name__ == "__main__":
    target = Path(__file__).resolve().parents[1] / "images" / "augmentation.png"
    target.parent.mkdir(exist_ok=True)
    sheet().quantize(palette=palette(), dither=Image.Dither.NONE).save(target, optimize=True)
    print(f"{target}: {target.stat().st_size / 1024:.0f} KiB")
