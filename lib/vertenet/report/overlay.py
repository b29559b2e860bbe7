"""The overlay: one picture of an image with everything that was found in it, and what was not, in words."""

from __future__ import annotations

import io
import textwrap
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.path import Path as Outline
from matplotlib.patheffects import Normal, withStroke
from PIL import Image

from ..files import write_bytes
from ..measure.blanked import blanked_mask
from ..measure.corridor import aortic_corridor, guide_ends
from ..measure.crop import CROP_WORDS, CropState
from ..measure.guides import DISCS, SEGMENTS, disc_name
from ..radiograph import Radiograph
from ..reading import Reading
from ..spine import CORNERS, MIDPOINTS, Level, Spine, Status, Vertebra
from .words import Tone, footer, radius_words, refused, remarks

#: Height and greatest width of the image in the picture, picture pixels.
HEIGHT, GREATEST_WIDTH = 1100, 1200
#: Left and right of the image for names; the text's column; the footer.
MARGIN, TEXT_WIDTH, FOOTER = 76, 300, 77
#: More room at most for a corridor that reaches beyond the border.
GREATEST_BEYOND = 300
DPI = 100
#: zlib's, 1 to 9.
COMPRESSION = 3

BACKGROUND, MUTED = "#15181d", "#aab2bd"
TONES: dict[Tone, str] = {"plain": "#e8ecf1", "caution": "#ffb454", "alarm": "#ff5a52"}
LEVEL_COLOURS = {
    Level.T11: "#b0bec5",
    Level.T12: "#ff8fd0",
    Level.L1: "#ffa94d",
    Level.L2: "#ffe14d",
    Level.L3: "#7ee36b",
    Level.L4: "#5ad1ff",
    Level.L5: "#b79bff",
    Level.L6: "#ff8a80",
    Level.S1: "#cfd8dc",
}
GUIDE, EDGE, LOST = "#8ff0ff", "#f4f4f4", "#ff3b30"
#: Behind names: they are legible on black soft tissue and on white blanked regions alike.
PLATE = {"boxstyle": "round,pad=0.12", "facecolor": "black", "alpha": 0.75, "linewidth": 0}


def draw_overlay(radiograph: Radiograph, reading: Reading, path: str | Path, truth: Spine | None = None) -> None:
    """Draw a reading over its image and save it as PNG.

    Shown: corners in the colour of their level with their error discs (thin circles), mid-endplate points as small
    dots, level names on the posterior side, guides (discs solid, thirds dashed)
    out to the edge of the aortic corridor, the names of the AAC segments in front of it, what is lost of the corridor
    hatched in red, abstentions and warnings in words, and below the research-use notice, the model and the pixel size.

    Parameters
    ----------
    radiograph : Radiograph
        The image that ``reading`` is of.
    reading : Reading
    path : path
        A ``.png`` file; replaced as a whole or not at all.
    truth : Spine, optional
        True landmarks in source pixels, drawn as small hollow squares.
    """
    write_bytes(path, overlay_png(radiograph, reading, truth))


def overlay_png(radiograph: Radiograph, reading: Reading, truth: Spine | None = None) -> bytes:
    """The picture of `draw_overlay` as the bytes of a PNG file."""
    scale = min(HEIGHT / radiograph.rows, GREATEST_WIDTH / radiograph.columns)
    figure, axes = _canvas(radiograph, scale, _margins(radiograph, reading, scale))
    axes.imshow(radiograph.pixels, cmap="gray", vmin=0, vmax=255, interpolation="bilinear", zorder=0)
    _draw_corridor(axes, radiograph, reading)
    _draw_guides(axes, reading)
    _draw_vertebrae(axes, reading, 10 / scale)
    if truth is not None:
        present = [corner.xy for _, corner in truth.named_points() if corner.is_present]
        _hollow(axes, np.reshape(present, (-1, 2)))
    _write_text(figure, radiograph, reading, truth is not None)
    figure.set_facecolor(BACKGROUND)
    figure.canvas.draw()
    # Nothing shines through: without alpha, and lightly compressed, the file is a little larger and written in a third
    # of the time.
    picture = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())[..., :3])
    drawn = io.BytesIO()
    picture.save(drawn, format="png", compress_level=COMPRESSION, dpi=(DPI, DPI))
    return drawn.getvalue()


def _margins(radiograph: Radiograph, reading: Reading, scale: float) -> tuple[float, float]:
    """Left and right of the image, picture pixels: for names, and for guides that reach beyond the border."""
    x = [end[0] for end in _guide_ends(reading).values()] or [0.0]
    beyond = (-0.5 - min(x), max(x) - radiograph.columns + 0.5)
    left, right = (MARGIN + min(max(overhang * scale, 0), GREATEST_BEYOND) for overhang in beyond)
    return left, right


def _canvas(radiograph: Radiograph, scale: float, margins: tuple[float, float]) -> tuple[Figure, Axes]:
    """A figure whose axes show source pixels, with a margin on both sides; one picture pixel is ``1 / scale``."""
    image_height, axes_width = radiograph.rows * scale, radiograph.columns * scale + sum(margins)
    width, height = axes_width + TEXT_WIDTH, max(image_height, 420) + FOOTER
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    FigureCanvasAgg(figure)
    box = (0, 1 - image_height / height, axes_width / width, image_height / height)
    axes = figure.add_axes(box, facecolor=BACKGROUND)
    axes.set_axis_off()
    axes.set_autoscale_on(False)
    axes.set_xlim(-0.5 - margins[0] / scale, radiograph.columns - 0.5 + margins[1] / scale)
    axes.set_ylim(radiograph.rows - 0.5, -0.5)
    return figure, axes


def _halo(width: float = 2.2) -> list:
    """A dark rim, for lines what `PLATE` is for names."""
    return [withStroke(linewidth=width, foreground="black", alpha=0.5), Normal()]


def _draw_vertebrae(axes: Axes, reading: Reading, gap: float) -> None:
    spine = reading.spine
    backward = -1 if spine.anterior == "right" else 1
    for vertebra in spine:
        colour = LEVEL_COLOURS[vertebra.level]
        located = [vertebra[name].xy for name in CORNERS if vertebra[name].is_present]
        if not located:
            continue
        axes.plot(*np.array(located).T, "o", ms=4.5, mfc=colour, mec="black", mew=0.8, zorder=6)
        middle = [vertebra[name].xy for name in MIDPOINTS if name in vertebra.points and vertebra[name].is_present]
        axes.plot(*np.reshape(middle, (-1, 2)).T, "o", ms=2.8, mfc=colour, mec="black", mew=0.6, zorder=6)
        _draw_discs(axes, vertebra, colour)
        hidden = [c.xy for c in vertebra.points.values() if c.status is Status.UNEVALUABLE and c.x is not None]
        axes.plot(*np.reshape(hidden, (-1, 2)).T, "x", ms=5, color=colour, path_effects=_halo(), zorder=6)
        if vertebra.is_complete:
            ring = vertebra.to_array(("SA", "SP", "IP", "IA", "SA"))
            axes.plot(*ring.T, "-", color=colour, lw=0.9, alpha=0.7, zorder=4)
        corners = np.array([vertebra[name].xy for name in CORNERS if vertebra[name].is_present])
        x = corners[:, 0].min() - gap if backward < 0 else corners[:, 0].max() + gap
        name = str(vertebra.level) if reading.levels.certain else f"{vertebra.level}?"
        axes.text(
            x, corners[:, 1].mean(), name, color=colour, size=11, weight="bold", va="center",
            ha="right" if backward < 0 else "left", bbox=PLATE, zorder=7,
        )  # fmt: skip


def _draw_discs(axes: Axes, vertebra: Vertebra, colour: str) -> None:
    """Where each point is in 90 of 100 cases; thin, for they must not hide the corner that they are about."""
    for corner in vertebra.points.values():
        if corner.is_present and corner.radius is not None:
            # Not add_patch, which works out what the limits of the axes would have to be.
            axes.add_artist(Circle(corner.xy, corner.radius, fill=False, ec=colour, lw=0.7, alpha=0.8, zorder=5))


def _draw_guides(axes: Axes, reading: Reading) -> None:
    ends = _guide_ends(reading)
    for name, end in ends.items():
        guide = reading.guides[name]
        style = {"ls": (0, (5, 4)), "lw": 0.9} if guide.is_third else {"ls": "-", "lw": 1.3}
        axes.plot(*np.array([guide.posterior, end]).T, color=GUIDE, path_effects=_halo(2.4), zorder=3, **style)
    sign = 1 if reading.spine.anterior == "right" else -1
    for segment, above, below in zip(SEGMENTS, DISCS, DISCS[1:]):
        names = disc_name(*above), disc_name(*below)
        if not all(name in ends for name in names):
            continue
        is_lost = segment.value in reading.crop.segments
        x, y = (ends[names[0]] + ends[names[1]]) / 2
        axes.annotate(
            f"AAC {segment}\n{CROP_WORDS[CropState.CROPPED]}" if is_lost else f"AAC {segment}", (x, y), (7 * sign, 0),
            textcoords="offset points", ha="left" if sign > 0 else "right", va="center", size=8.5,
            color=TONES["alarm"] if is_lost else EDGE, bbox=PLATE, zorder=7, annotation_clip=False,
        )  # fmt: skip


def _guide_ends(reading: Reading) -> dict[str, np.ndarray]:
    return guide_ends(reading.guides, reading.spine.anterior, reading.crop.factor)


def _draw_corridor(axes: Axes, radiograph: Radiograph, reading: Reading) -> None:
    crop = reading.crop
    for part in crop.stretches():
        axes.plot(*crop.edge[part].T, color=EDGE, lw=1.4, path_effects=_halo(2.8), zorder=3)
        lost = np.where(crop.lost[part, None], crop.edge[part], np.nan)
        axes.plot(*lost.T, color=LOST, lw=2.4, zorder=4)
    if crop.causes:
        _hatch_lost(axes, radiograph, reading)


def _hatch_lost(axes: Axes, radiograph: Radiograph, reading: Reading) -> None:
    """Hatch the part of the corridor that is not in the image or was not exposed."""
    corridor = aortic_corridor(reading.spine, reading.crop.factor)
    strip = Outline(np.vstack([corridor.wall, corridor.edge[::-1]]))
    (left, top), (right, bottom) = np.floor(strip.vertices.min(0)), np.ceil(strip.vertices.max(0))
    x, y = np.meshgrid(np.arange(left, right + 1), np.arange(top, bottom + 1))
    inside = (x >= 0) & (x < radiograph.columns) & (y >= 0) & (y < radiograph.rows)
    lost = ~inside & ("border" in reading.crop.causes)
    if "blanked" in reading.crop.causes:
        lost[inside] = blanked_mask(radiograph.pixels)[y[inside].astype(int), x[inside].astype(int)]
    lost &= strip.contains_points(np.column_stack([x.ravel(), y.ravel()])).reshape(x.shape)
    if not lost.any():
        return
    filled = axes.contourf(x, y, lost.astype(float), levels=[0.5, 1.5], colors=[LOST], alpha=0.25, zorder=1)
    filled.set_linewidth(0)
    hatched = axes.contourf(x, y, lost.astype(float), levels=[0.5, 1.5], colors="none", hatches=["///"], zorder=2)
    hatched.set_edgecolor(LOST)
    hatched.set_linewidth(0)


def _hollow(axes: Axes, xy: np.ndarray) -> None:
    axes.plot(*xy.T, "s", ms=5, mfc="none", mec="white", mew=0.9, path_effects=_halo(2), zorder=5)


def _write_text(figure: Figure, radiograph: Radiograph, reading: Reading, with_truth: bool) -> None:
    width, height = figure.get_size_inches() * DPI
    x, y = width - TEXT_WIDTH + 14, 22

    def line(text: str, colour: str, size: float, bold: bool = False) -> None:
        nonlocal y
        characters = int((TEXT_WIDTH - 26) / (0.60 * size * DPI / 72))
        for part in textwrap.wrap(text, characters) or [""]:
            weight = "bold" if bold else "normal"
            figure.text(
                x / width, 1 - y / height, part, color=colour, size=size, weight=weight, va="top", parse_math=False
            )
            y += 1.5 * size * DPI / 72

    line(_printable(radiograph.name), TONES["plain"], 11, bold=True)
    y += 8
    for remark in remarks(reading):
        line(_printable(remark.text), TONES[remark.tone], 9.5)
        y += 6
    y += 8
    key = [
        "Solid: guides through the discs",
        "Dashed: thirds of a segment",
        f"White line: edge of the aortic corridor, {reading.crop.factor:g} guide lengths in front of the spine",
    ]
    discs = radius_words(reading)
    key += [] if discs is None else [discs]
    key += ["Hollow squares: true corners"] if with_truth else []
    for text in () if refused(reading) else key:
        line(text, MUTED, 8)
    for i, text in enumerate(footer(reading)):
        figure.text(
            12 / width, (FOOTER - 14 - 19 * i) / height, _printable(text), color=TONES["plain"] if i == 0 else MUTED,
            size=8.5, va="top", parse_math=False,
        )  # fmt: skip


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
