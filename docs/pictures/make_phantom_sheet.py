"""Make docs/images/phantoms.png: every scanner profile and film, plain and with its truth drawn in.

Run from anywhere: ``python docs/pictures/make_phantom_sheet.py``. The picture holds our own phantoms alone.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vertenet.phantom import Phantom, films, generate, scanners
from vertenet.spine import Status

HEIGHT, GAP, HEAD = 470, 6, 18
PAPER, INK = (255, 255, 255), (30, 30, 30)
POINT = {Status.PRESENT: (255, 60, 60), Status.OUTSIDE: (255, 220, 0), Status.UNEVALUABLE: (230, 60, 230)}
CORRIDOR = {True: (255, 140, 0), False: (0, 200, 255)}  # cropped or whole
LABEL = (120, 255, 120)
#: One phantom a profile; the second row draws its truth.
CASES = {
    "hologic-4500a": (21, {"gas": 0.8, "crop": None}),
    "hologic-discovery": (33, {"fracture": ("L1", "wedge", 2), "crop": None}),
    "hologic-horizon": (43, {"crop": "black", "aac": 9, "clipped_top": False}),
    "ge-prodigy-se": (58, {"crop": "border", "scoliosis": 10.0}),
    "ge-prodigy-de": (62, {"crop": "white"}),
    "ge-idxa-se": (75, {"crop": None, "osteophytes": 0.9}),
    "ge-idxa-de": (87, {"crop": None, "aac": 14, "blanking": "white"}),
    "lumbar-film": (61, {"crop": None, "gas": 0.6}),
    "spine-film": (64, {"crop": None}),
}


def panel(phantom: Phantom, truth: bool) -> Image.Image:
    """The phantom at the sheet's height, with its truth drawn in where asked."""
    pixels = np.rint(phantom.radiograph.pixels).astype(np.uint8)
    scale = HEIGHT / pixels.shape[0]
    picture = Image.fromarray(pixels).resize((round(pixels.shape[1] * scale), HEIGHT), Image.LANCZOS)
    if not truth:
        return picture.convert("RGB")
    picture = picture.convert("RGB")
    draw = ImageDraw.Draw(picture)

    def place(xy) -> tuple[float, float]:
        return tuple((np.asarray(xy) + 0.5) * scale - 0.5)

    outline = [place(point) for point in phantom.truth.crop.corridor]
    draw.polygon(outline, outline=CORRIDOR[phantom.truth.crop.cropped], width=2)
    for vertebra in phantom.truth.anatomy:
        for corner in vertebra.points.values():
            x, y = place(corner.xy)
            draw.ellipse((x - 1.4, y - 1.4, x + 1.4, y + 1.4), fill=POINT[corner.status])
        x, y = place(vertebra.centre)
        draw.text((x, y), vertebra.level.value, fill=LABEL, anchor="mm", font=ImageFont.load_default(9))
    return picture


def sheet() -> Image.Image:
    """All panels, one row plain and one with the truth, under the names of the profiles."""
    phantoms = {name: generate(seed, name, **switches) for name, (seed, switches) in CASES.items()}
    rows = [[panel(phantom, truth) for phantom in phantoms.values()] for truth in (False, True)]
    width = sum(p.width + GAP for p in rows[0]) + GAP
    page = Image.new("RGB", (width, HEAD + 2 * (HEIGHT + GAP)), PAPER)
    draw = ImageDraw.Draw(page)
    left = GAP
    for name, plain, drawn in zip(phantoms, *rows):
        draw.text((left, 3), name, fill=INK, font=ImageFont.load_default(11))
        page.paste(plain, (left, HEAD))
        page.paste(drawn, (left, HEAD + HEIGHT + GAP))
        left += plain.width + GAP
    return page


def palette() -> Image.Image:
    """Few greys, which keep the page small (noise does not need more), and the exact colours of the drawing."""
    greys = [(round(v),) * 3 for v in np.linspace(0, 255, 96)]
    image = Image.new("P", (1, 1))
    image.putpalette([value for colour in [*greys, *POINT.values(), *CORRIDOR.values(), LABEL] for value in colour])
    return image


if __name__ == "__main__":
    missing = {*scanners(), *films()} - set(CASES)
    if missing:
        raise SystemExit(f"no case for {', '.join(sorted(missing))}: add one to CASES")
    target = Path(__file__).resolve().parents[1] / "images" / "phantoms.png"
    target.parent.mkdir(exist_ok=True)
    sheet().quantize(palette=palette(), dither=Image.Dither.NONE).save(target, optimize=True)
    print(f"{target}: {target.stat().st_size / 1024:.0f} KiB")
