"""A sheet to look at: truth and prediction of an image side by side, names in the colour of right and wrong."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from PIL import Image

from .. import RESEARCH_USE
from ..evaluation.naming import Outcome
from ..files import beside
from ..measure.matching import judge_names, middle_of, pixel_size
from ..radiograph import Radiograph
from ..reading import Reading
from ..spine import CORNERS, Level, Spine
from .overlay import BACKGROUND, DPI, MUTED, PLATE, TONES
from .words import refused

#: Height of an image in the picture, its least and greatest width, and the lines above and below it, picture pixels.
HEIGHT, LEAST_WIDTH, GREATEST_WIDTH, HEAD, FOOT = 860, 330, 620, 118, 30
#: Cases side by side on a page.
PER_PAGE = 3
TRUTH = "#8ff0ff"
NAMED = {"right": "#69e06b", "wrong": "#ff5a52", "missed": "#ffb454", "": "#aab2bd"}
OUTCOME_WORDS: dict[Outcome, tuple[str, str]] = {
    "right": ("right", NAMED["right"]),
    "uncertain": ("flagged uncertain", NAMED["missed"]),
    "refused": ("refused", NAMED["missed"]),
    "wrong": ("SILENTLY WRONG", NAMED["wrong"]),
    "incomplete": ("incomplete", NAMED["missed"]),
}
_RING = ("SA", "SP", "IP", "IA")


@dataclass(frozen=True, eq=False)
class SheetCase:
    """A case of the sheet.

    Attributes
    ----------
    title : str
    radiograph : Radiograph
    truth : Spine
        Any vertebrae and corners, source pixels.
    centres : mapping of Level to (x, y)
        Of vertebrae of which nothing else is known.
    reading : Reading
    outcome : Outcome
    unrefused : Reading or None
        What is drawn, dashed, where ``reading`` is a refusal.
    facts : sequence of str
        Lines under the title.
    """

    title: str
    radiograph: Radiograph
    truth: Spine
    centres: Mapping[Level, tuple[float, float]]
    reading: Reading
    outcome: Outcome
    unrefused: Reading | None = None
    facts: Sequence[str] = field(default_factory=tuple)


def draw_case(case: SheetCase, path: Path) -> None:
    """Write the PNG of a case: left the truth, right what was found.

    A vertebra found is green where its name is right, red where it is wrong, grey where the truth does not speak of it;
    one that was missed is an empty circle where it is.
    """
    image = case.radiograph
    width = int(np.clip(HEIGHT * image.columns / image.rows, LEAST_WIDTH, GREATEST_WIDTH))
    size = (2 * width + 30, HEAD + HEIGHT + FOOT)
    figure = Figure(figsize=(size[0] / DPI, size[1] / DPI), dpi=DPI)
    FigureCanvasAgg(figure)
    axes = []
    for left in (8, width + 22):
        box = (left / size[0], FOOT / size[1], width / size[0], HEIGHT / size[1])
        panel = figure.add_axes(box, facecolor=BACKGROUND)
        panel.set_axis_off()
        panel.imshow(image.pixels, cmap="gray", vmin=0, vmax=255, interpolation="bilinear")
        panel.set_autoscale_on(False)
        axes.append(panel)
    _draw_truth(axes[0], case)
    _draw_found(axes[1], case)
    _write_head(figure, case, size)
    figure.text(8 / size[0], 9 / size[1], RESEARCH_USE, color=MUTED, size=7.5, parse_math=False)
    with beside(path) as temporary:
        figure.savefig(temporary, dpi=DPI, format="png", facecolor=BACKGROUND)


def write_pages(pictures: Sequence[Path], folder: Path, *, per_page: int = PER_PAGE) -> list[Path]:
    """Put the pictures of cases side by side, ``page-01.png`` and on; returns the pages."""
    pages = []
    for start in range(0, len(pictures), per_page):
        parts = [Image.open(path).convert("RGB") for path in pictures[start : start + per_page]]
        page = Image.new("RGB", (sum(part.width for part in parts), max(part.height for part in parts)), BACKGROUND)
        left = 0
        for part in parts:
            page.paste(part, (left, 0))
            left += part.width
        path = folder / f"page-{start // per_page + 1:02d}.png"
        with beside(path) as temporary:
            page.save(temporary, format="PNG")
        pages.append(path)
    return pages


def _draw_truth(axes: Axes, case: SheetCase) -> None:
    for vertebra in case.truth:
        xy = vertebra.to_array(_RING, present=True)
        _outline(axes, xy, str(vertebra.level), TRUTH, case.truth.anterior)
    for level, (x, y) in case.centres.items():
        axes.plot(x, y, "+", ms=11, mew=1.6, color=TRUTH)
        _name(axes, x - _gap(axes, case.truth.anterior), y, str(level), TRUTH, case.truth.anterior)


def _draw_found(axes: Axes, case: SheetCase) -> None:
    shown = case.unrefused if refused(case.reading) and case.unrefused is not None else case.reading
    spacing = case.radiograph.spacing
    size = pixel_size(spacing)
    naming = judge_names(shown.spine, case.truth, case.centres, size)
    for vertebra in shown.spine:
        xy = vertebra.to_array(_RING)
        if np.isfinite(xy).any():
            colour = NAMED[naming.named.get(vertebra.level, "")]
            mark = "" if shown.levels.certain else "?"
            style = "-" if shown is case.reading else (0, (4, 3))
            _outline(axes, xy, f"{vertebra.level}{mark}", colour, shown.spine.anterior, style)
            for corner in vertebra.points.values():
                if corner.is_present and corner.radius is not None:
                    axes.add_patch(Circle(corner.xy, corner.radius, fill=False, ec=colour, lw=0.6, alpha=0.8))
    for level in (level for level, name in naming.named.items() if name == "missed"):
        known = case.centres.get(level)
        corners = case.truth[level].to_array(CORNERS) if level in case.truth else np.full((4, 2), np.nan)
        x, y = middle_of(corners, 0.0) if known is None else known
        axes.plot(x, y, "o", ms=9, mfc="none", mew=1.6, color=NAMED["missed"])
        side = case.truth.anterior
        _name(axes, x - _gap(axes, side), y, f"{level} missed", NAMED["missed"], side)


def _outline(axes: Axes, xy: np.ndarray, name: str, colour: str, anterior: str, style="-") -> None:
    """A body's (4, 2) corners on a ring, what is known of them, and its name behind."""
    ring = xy[np.isfinite(xy).all(axis=1)]
    if not len(ring):
        return
    closed = ring if len(ring) < 3 else np.vstack([ring, ring[:1]])
    axes.plot(*closed.T, ls=style, color=colour, lw=1.2)
    axes.plot(*ring.T, "o", ms=3, color=colour)
    back = ring[:, 0].min() if anterior == "right" else ring[:, 0].max()
    _name(axes, back - 0.4 * _gap(axes, anterior), ring[:, 1].mean(), name, colour, anterior)


def _name(axes: Axes, x: float, y: float, name: str, colour: str, anterior: str) -> None:
    axes.text(
        x, y, name, color=colour, size=11, weight="bold", va="center", ha="right" if anterior == "right" else "left",
        bbox=PLATE, clip_on=True,
    )  # fmt: skip


def _gap(axes: Axes, anterior: str) -> float:
    """20 picture pixels in source pixels, positive to the right, for an image that faces right."""
    top, bottom = axes.get_ylim()
    return 20 * abs(top - bottom) / HEIGHT * (1 if anterior == "right" else -1)


def _write_head(figure: Figure, case: SheetCase, size: tuple[int, int]) -> None:
    words, colour = OUTCOME_WORDS[case.outcome]
    lines = [(case.title, TONES["plain"], 11), (words, colour, 11), *((text, MUTED, 9) for text in case.facts)]
    if refused(case.reading):
        dashed = "; dashed: with refusals off" if case.unrefused is not None else ""
        lines.append(("; ".join(case.reading.quality.reasons) + dashed, MUTED, 8.5))
    y = 10.0
    for text, tone, points in lines:
        plain = "".join(c if c.isprintable() else " " for c in text)
        for part in textwrap.wrap(plain, int((size[0] - 16) / (0.62 * points * DPI / 72)))[:2]:
            figure.text(
                8 / size[0], 1 - y / size[1], part, color=tone, size=points, va="top", parse_math=False,
                weight="bold" if points > 10 else "normal",
            )  # fmt: skip
            y += 1.4 * points * DPI / 72
