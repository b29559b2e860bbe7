"""Draw the icon of the Slicer module: two vertebrae with their corners, and the guide between them.

python docs/pictures/make_slicer_icon.py
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

REPOSITORY = Path(__file__).resolve().parents[2]
ICON = REPOSITORY / "slicer_module" / "VerteNet" / "Resources" / "Icons" / "VerteNet.png"
#: What the Extensions Index asks for; drawn larger and reduced, for smooth edges.
SIZE, SCALE = 128, 8
NIGHT, BONE, EDGE, GUIDE = (22, 32, 44, 255), (214, 220, 224, 255), (240, 243, 245, 255), (64, 210, 235, 255)
LEVELS = ((255, 176, 40, 255), (110, 225, 110, 255))
#: Corners of the vertebrae, head to foot: superior posterior, superior anterior, inferior anterior, inferior posterior.
BODIES = (((30, 22), (92, 16), (88, 54), (32, 56)), ((34, 76), (90, 74), (96, 112), (38, 108)))
#: Between the middles of the facing corners, on through the front of the disc.
GUIDE_ENDS = ((14, 66.5), (116, 63.5))


def draw() -> Image.Image:
    image = Image.new("RGBA", (SIZE * SCALE, SIZE * SCALE), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle([0, 0, SIZE * SCALE - 1, SIZE * SCALE - 1], radius=20 * SCALE, fill=NIGHT)
    for body in BODIES:
        outline = [(x * SCALE, y * SCALE) for x, y in body]
        pen.polygon(outline, fill=BONE)
        pen.line([*outline, outline[0]], fill=EDGE, width=2 * SCALE, joint="curve")
    pen.line([(x * SCALE, y * SCALE) for x, y in GUIDE_ENDS], fill=GUIDE, width=4 * SCALE)
    for body, colour in zip(BODIES, LEVELS):
        for x, y in body:
            pen.ellipse([(x - 7) * SCALE, (y - 7) * SCALE, (x + 7) * SCALE, (y + 7) * SCALE], fill=NIGHT)
            pen.ellipse([(x - 5.5) * SCALE, (y - 5.5) * SCALE, (x + 5.5) * SCALE, (y + 5.5) * SCALE], fill=colour)
    return image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    ICON.parent.mkdir(parents=True, exist_ok=True)
    draw().save(ICON, optimize=True)
    print(ICON.relative_to(REPOSITORY))
