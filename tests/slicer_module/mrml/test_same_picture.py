"""The overlay of the library and the picture in Slicer say and draw the same of one reading."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from VerteNetLib.mrml import shapes, wording

from tests.evaluation.spines import boxes
from vertenet.assess import assess
from vertenet.radiograph import Radiograph
from vertenet.reading import Reading
from vertenet.report import overlay
from vertenet.report.words import remarks
from vertenet.spine import Corner, Spine

IMAGE = Radiograph(np.full((512, 256), 128, np.float32), anterior="right")


def steep() -> Spine:
    """A spine whose guide L3/L4 falls by more than 60 degrees: no disc, though no vertebra contradicts itself."""
    low = {"L3": ("IA",), "L4": ("SA", "IA")}

    def sunk(vertebra):
        points = {name: Corner(vertebra[name].x, vertebra[name].y + 95) for name in low.get(str(vertebra.level), ())}
        return replace(vertebra, points={**vertebra.points, **points})

    return Spine(tuple(sunk(vertebra) for vertebra in boxes()))


def drawn_by_the_library(reading: Reading) -> set[tuple[float, float]]:
    axes = Figure().add_axes((0, 0, 1, 1))
    overlay._draw_guides(axes, reading)
    return {tuple(line.get_xydata()[1].round(6)) for line in axes.lines}


def drawn_in_slicer(reading: Reading) -> set[tuple[float, float]]:
    blanked = np.zeros((IMAGE.rows, IMAGE.columns), bool)
    drawing = shapes.draw(IMAGE, reading.spine, reading.guides, reading.crop, blanked)
    return {tuple(shape.xy[1].round(6)) for shape in drawing.guides}


def test_guides_end_at_the_same_points_and_one_too_steep_for_a_disc_is_in_neither_picture():
    for spine, count in ((boxes(), 13), (boxes().mirrored(256), 13), (steep(), 12)):
        reading = assess(IMAGE.with_anterior(spine.anterior), spine)
        assert len(reading.guides) == 13
        assert drawn_in_slicer(reading) == drawn_by_the_library(reading)
        assert len(drawn_by_the_library(reading)) == count


def test_the_crop_is_told_in_the_same_words_and_never_as_certain():
    near = boxes().map_points(lambda points: points + np.array([80, 0]))
    for spine in (near, steep(), Spine(boxes().vertebrae[1:])):
        reading = assess(IMAGE, spine)
        (ours,) = [remark.text for remark in remarks(reading) if "rop" in remark.text]
        assert wording.crop_warning(reading.crop, reading.image.spacing) == f"{ours}."
        assert "cropped" not in ours or "may be cropped" in ours
