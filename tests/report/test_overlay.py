"""The overlay: written whole, showing what it should, legible at any size. Looking at it is for people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from tests.measure.scenes import COLUMNS, ROWS, radiograph, straight_spine, tissue
from tests.report.cases import cropped, unsure
from vertenet.assess import assess
from vertenet.radiograph import Radiograph
from vertenet.reading import Quality
from vertenet.report.overlay import FOOTER, HEIGHT, LEVEL_COLOURS, LOST, MARGIN, TONES, draw_overlay
from vertenet.spine import STANDARD_LEVELS, Spine, Vertebra

SCALE = HEIGHT / ROWS


def drawn(tmp_path, image, reading, **options) -> np.ndarray:
    """(height, width, 3) int pixels of the overlay."""
    path = tmp_path / "case.overlay.png"
    draw_overlay(image, reading, path, **options)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]  # nothing half-written is left
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def near(picture: np.ndarray, colour: str, tolerance: int = 30) -> np.ndarray:
    return (np.abs(picture - np.round(np.array(to_rgb(colour)) * 255)) <= tolerance).all(axis=2)


def at(picture: np.ndarray, xy, radius: int = 4) -> np.ndarray:
    """The surroundings of a point given in source pixels."""
    column, row = np.round((np.asarray(xy) + 0.5) * SCALE + [MARGIN, 0]).astype(int)
    return picture[max(row - radius, 0) : row + radius + 1, max(column - radius, 0) : column + radius + 1]


def test_the_picture_is_of_readable_height_with_a_footer(tmp_path):
    picture = drawn(tmp_path, *cropped())
    assert picture.shape[0] == pytest.approx(HEIGHT + FOOTER, abs=1)
    assert picture.shape[1] > COLUMNS * SCALE


@pytest.mark.parametrize("facing", ["right", "left"])
def test_every_corner_has_the_colour_of_its_level(tmp_path, facing):
    image, spine = radiograph(tissue()), straight_spine()
    if facing == "left":
        image, spine = image.mirrored(), spine.mirrored(COLUMNS)
    picture = drawn(tmp_path, image, assess(image, spine))
    for level in STANDARD_LEVELS:
        for xy in spine[level].to_array():
            assert near(at(picture, xy, 2), LEVEL_COLOURS[level]).any(), (level, xy)


@pytest.mark.parametrize("facing", ["right", "left"])
def test_level_names_stand_behind_the_vertebrae(tmp_path, facing):
    image, spine = radiograph(tissue()), straight_spine()
    if facing == "left":
        image, spine = image.mirrored(), spine.mirrored(COLUMNS)
    picture = drawn(tmp_path, image, assess(image, spine))
    for level in STANDARD_LEVELS:
        back = spine[level].to_array(("SP", "IP")).mean(axis=0)
        outward = np.array([-22 if facing == "right" else 22, 0])
        assert near(at(picture, back + outward, 9), LEVEL_COLOURS[level]).sum() > 10, level
        front = spine[level].to_array(("SA", "IA")).mean(axis=0)
        assert not near(at(picture, front - outward, 9), LEVEL_COLOURS[level]).any(), level


def test_the_lost_corridor_is_red_and_the_rest_is_not(tmp_path):
    image, reading = cropped()
    picture = drawn(tmp_path, image, reading)
    lost, kept = at(picture, [240, 300], 12), at(picture, [240, 450], 12)
    assert near(lost, LOST).any()
    assert (lost[..., 0] - lost[..., 2]).mean() > 40
    assert abs((kept[..., 0] - kept[..., 2]).mean()) < 20


def test_a_corridor_beyond_the_border_is_shown_in_the_margin(tmp_path):
    image = radiograph(tissue()[:, :250])
    picture = drawn(tmp_path, image, assess(image, straight_spine()))
    beyond = at(picture, [262, 400], 8)
    assert (beyond[..., 0] - beyond[..., 2]).mean() > 40


def test_truth_adds_marks_and_nothing_else_moves(tmp_path):
    image, reading = cropped()
    plain = drawn(tmp_path, image, reading)
    away = reading.spine.map_points(lambda p: p - [30, 0])
    marked = drawn(tmp_path, image, reading, truth=away)
    changed = (plain != marked).any(axis=2)
    assert changed.any()
    for vertebra in away:
        for xy in vertebra.to_array():
            assert (at(plain, xy) != at(marked, xy)).any()
    assert changed[:HEIGHT, : round(MARGIN + COLUMNS * SCALE)].mean() < 0.02


def test_abstentions_change_the_words(tmp_path):
    image, reading = unsure()
    picture = drawn(tmp_path, image, reading)
    assert near(picture[:, -290:], "#ffb454").sum() > 300


@pytest.mark.parametrize("shape", [(1, 1), (40, 1200), (1600, 30), (3000, 2500)])
def test_any_image_and_an_empty_spine_make_a_picture(tmp_path, shape):
    image = Radiograph(np.full(shape, 90.0), name="a $\\frac{1}{2}$ <name>\nof an image")
    picture = drawn(tmp_path, image, assess(image, Spine(())))
    assert max(picture.shape) < 2000


def test_a_spine_far_outside_makes_a_picture_too(tmp_path):
    image = Radiograph(np.full((300, 200), 90.0))
    drawn(tmp_path, image, assess(image, straight_spine().map_points(lambda p: p * 50)))


def test_an_error_disc_is_drawn_around_its_corner(tmp_path):
    image, reading = cropped()
    l3 = reading.spine["L3"]
    sized = Vertebra("L3", {name: replace(corner, radius=12.0) for name, corner in l3.points.items()})
    spine = Spine(tuple(sized if v.level == "L3" else v for v in reading.spine))
    plain, discs = drawn(tmp_path, image, reading), drawn(tmp_path, image, replace(reading, spine=spine))
    x, y = MARGIN + (l3["SA"].x + 0.5) * SCALE, (l3["SA"].y + 0.5) * SCALE
    yy, xx = np.mgrid[: len(plain), : len(plain[0])]
    ring = np.abs(np.hypot(xx - x, yy - y) - 12 * SCALE) < 1.5
    changed = (plain != discs[: len(plain)]).any(axis=2)
    assert changed[ring].mean() > 0.5


def test_a_refused_image_is_shown_with_the_reason_and_without_points(tmp_path):
    image, _ = cropped()
    quality = Quality(False, 0.0, ("The image was refused: it looks upside down",))
    nothing = assess(image, Spine(()).select(STANDARD_LEVELS), quality=quality, warnings=quality.reasons)
    picture = drawn(tmp_path, image, nothing)
    assert near(picture, TONES["alarm"]).any()
    assert not any(near(picture[:, :600], LEVEL_COLOURS[level], 10).any() for level in STANDARD_LEVELS)
