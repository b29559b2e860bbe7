"""A small picture of an image with its corners as dots: enough to tell in a gallery whether they lie on vertebrae."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw

from ..radiograph import Radiograph
from ..reading import Reading
from ..spine import CORNERS
from .overlay import LEVEL_COLOURS

#: Height and greatest width, pixels.
HEIGHT, GREATEST_WIDTH = 360, 320


def thumbnail(radiograph: Radiograph, reading: Reading) -> bytes:
    """JPEG of the image, at most `HEIGHT` by `GREATEST_WIDTH`, a dot in its level's colour on every corner."""
    rows, columns = radiograph.pixels.shape
    scale = min(HEIGHT / rows, GREATEST_WIDTH / columns)
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    grey = Image.fromarray(np.clip(radiograph.pixels, 0, 255).astype(np.uint8))
    picture = grey.resize(size, Image.Resampling.BOX).convert("RGB")
    draw = ImageDraw.Draw(picture)
    for vertebra in reading.spine:
        for corner in (vertebra[name] for name in CORNERS):
            if corner.is_present:
                # Pixel centres are integers: the middle of pixel 0 lies half a pixel from the border.
                x, y = (corner.x + 0.5) * scale, (corner.y + 0.5) * scale
                draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=LEVEL_COLOURS.get(vertebra.level, "#ffffff"))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=82)
    return out.getvalue()
