"""Words hide neither landmarks nor bands, are read on bright and dark pixels, and do not touch one another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as of
from PIL import Image, ImageDraw
from VerteNetLib.mrml import colours
from VerteNetLib.mrml.labels import LANDMARK_RADIUS, Field, Obstacles, find_place

from vertenet.spine import Status

from ..mrml_scene import MrmlScene
from .conftest import SAMPLES, sample, truth_of
from .test_overlays import drawn, layer, words

VIEW = (300, 400)
SIZES = [(120.0, 40.0), (80.0, 60.0), (200.0, 20.0)]
SAMPLE_NUMBERS = range(1, len(SAMPLES) + 1)


def mask_of(quads: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(height, width) bool: pixels inside quadrilaterals, rows from below."""
    picture = Image.new("1", size)
    for quad in quads:
        ImageDraw.Draw(picture).polygon([tuple(corner) for corner in quad], fill=1)
    return np.asarray(picture)


@st.composite
def obstacles(draw) -> Obstacles:
    centres = draw(of.arrays(float, (draw(st.integers(0, 6)), 1, 2), elements=st.floats(0, 400)))
    radii = draw(of.arrays(float, (len(centres), 4, 1), elements=st.floats(8, 60)))
    angles = np.radians([20, 110, 200, 290])
    quads = centres + radii * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    convex = [
        q for q in quads if np.ptp(np.sign(np.cross(np.roll(q, -1, 0) - q, np.roll(q, -2, 0) - np.roll(q, -1, 0)))) == 0
    ]
    points = draw(of.arrays(float, (draw(st.integers(0, 12)), 2), elements=st.floats(0, 400)))
    return Obstacles(points, np.array(convex).reshape(-1, 4, 2))


@given(obstacles())
@settings(max_examples=150, deadline=None)
def test_a_place_in_the_view_hides_no_landmark_and_no_shape_where_there_is_one(found):
    place = find_place(SIZES, found, VIEW, (0, VIEW[1]))
    width, height = SIZES[place.shape]
    box = np.array([[place.x, place.y, place.x + width, place.y + height]])
    assert place.x >= 0
    assert place.y >= 0
    assert (place.x + width, place.y + height) <= VIEW
    if found.hidden_by(box)[0] == 0:
        left, bottom, right, top = box[0]
        inside = ((found.landmarks > (left, bottom)) & (found.landmarks < (right, top))).all(axis=1)
        assert not inside.any()
        # A pixel at the rim of a polygon is drawn as soon as it is touched.
        covered = mask_of(found.shapes, VIEW)[int(bottom) + 2 : int(top) - 1, int(left) + 2 : int(right) - 1]
        assert not covered.any()
    elif len(found.landmarks) < 3 and not len(found.shapes):
        raise AssertionError("there was room")


def test_a_label_stays_while_it_hides_nothing_and_goes_when_it_would():
    free = Obstacles()
    place = find_place(SIZES, free, VIEW, (0, VIEW[1]))
    assert (place.shape, place.x < 10, place.y > VIEW[1] - 50) == (0, True, True)
    elsewhere = find_place(SIZES, free, VIEW, (VIEW[0], 0), place)
    assert elsewhere == place
    in_the_way = Obstacles(np.array([[place.x + 5, place.y + 5]]))
    moved = find_place(SIZES, in_the_way, VIEW, (0, VIEW[1]), place)
    assert moved != place
    assert find_place(SIZES, free, (100, 400), (0, 400), place).shape == 1, "the first shape is wider than the view"


def test_where_all_is_full_bands_are_hidden_rather_than_landmarks():
    everywhere = np.array([[(-10, -10), (410, -10), (410, 410), (-10, 410)]], dtype=float)
    points = np.array([[x, y] for x in range(0, 400, 30) for y in range(0, 300, 30)], dtype=float)
    place = find_place(SIZES[:1], Obstacles(points, everywhere), VIEW, (0, VIEW[1]))
    box = np.array([[place.x, place.y, place.x + 120, place.y + 40]])
    assert Obstacles(points).hidden_by(box)[0] == 0


@pytest.mark.parametrize("number", SAMPLE_NUMBERS)
def test_the_warning_hides_no_landmark_and_no_band_of_any_sample_however_it_is_seen(number, tmp_path):
    """The plate is looked for in the picture itself, which knows nothing of how its size was computed."""
    with MrmlScene(520, 700) as world:
        stage = world.stage()
        stage.load(sample(number), "image")
        stage.landmarks.show(truth_of(sample(number)))
        if not words(world, "crop warning"):
            stage.landmarks.mark(["T12-IA"], Status.UNEVALUABLE)
        assert_clear_of_everything(world, stage, tmp_path)
        stage.view.set_flipped(True)
        assert_clear_of_everything(world, stage, tmp_path)
        zoom(world, 0.6)
        stage.view.jump_to("L2-SA")
        assert_clear_of_everything(world, stage, tmp_path)
        stage.close()


def zoom(world, factor: float) -> None:
    width, height, depth = world.slice_node.GetFieldOfView()
    world.slice_node.SetFieldOfView(width * factor, height * factor, depth)


def assert_clear_of_everything(world, stage, folder) -> None:
    plate = plate_of(world, stage, folder)
    ys, xs = np.nonzero(plate)
    left, right, bottom, top = xs.min(), xs.max(), ys.min(), ys.max()
    assert plate[bottom : top + 1, left : right + 1].mean() > 0.2, "words, and on bright pixels their plate"
    for name, corner in stage.landmarks.spine().named_points():
        if corner.is_present:
            x, y = world.to_display(stage.landmarks.position(name))
            apart = max(left - x, x - right, bottom - y, y - top)
            assert apart >= LANDMARK_RADIUS - 4, name
    field = stage.view.field()
    bands = [field.to_view(band) for band in drawn(world, stage, "bands")]
    assert not (mask_of(bands, (world.width, world.height)) & plate).any()


def plate_of(world, stage, folder) -> np.ndarray:
    """(height, width) bool: where the label is drawn, rows from below."""
    pictures = []
    for shown in (True, False):
        stage.overlays.set_visible("crop", shown)
        world.render()
        stage.view.capture(folder / "view.png")
        with Image.open(folder / "view.png") as picture:
            pictures.append(np.asarray(picture.convert("RGB"), dtype=int)[::-1])
    stage.overlays.set_visible("crop", True)
    changed = np.abs(pictures[0] - pictures[1]).max(axis=-1) > 8
    node = layer(world, "crop warning")
    x, y = world.to_display(node.GetNthControlPointPosition(0))
    near = np.zeros_like(changed)
    # The lost area is hidden with the label: what is meant is to the upper right of the label's point.
    text = node.GetNthControlPointLabel(0).split("\n")
    near[max(y - 4, 0) : y + 18 * len(text) + 8, max(x - 4, 0) : x + 12 * max(map(len, text))] = True
    red = np.zeros_like(changed)
    for quad in drawn(world, stage, "lost area"):
        red |= mask_of([stage.view.field().to_view(quad)], (world.width, world.height))
    return changed & near & ~red


def luminance(colour) -> float:
    """Of an sRGB colour, 0 to 1 (WCAG 2.1)."""
    share = np.asarray(colour, dtype=float) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


@pytest.mark.parametrize("ground", [0, 255])
@pytest.mark.parametrize("ink", [colours.WARNING, colours.CAUTION, colours.NAMES, colours.DISC_GUIDE])
def test_words_are_read_on_black_and_on_white(world, stage, ink, ground):
    stage.load(sample(6), "image")
    stage.landmarks.show(truth_of(sample(6)))
    opacity = layer(world, "crop warning").GetDisplayNode().GetTextProperty().GetBackgroundOpacity()
    plate = [(1 - opacity) * ground] * 3
    assert (luminance(ink) + 0.05) / (luminance(plate) + 0.05) >= 4.5


@pytest.mark.parametrize("number", [2, 7, 12])
def test_names_of_guides_never_touch_and_those_of_discs_are_always_there(number):
    with MrmlScene(520, 700) as world:
        stage = world.stage()
        stage.load(sample(number), "image")
        stage.landmarks.show(truth_of(sample(number)))
        counts = []
        for factor in (1, 0.5, 0.5):
            zoom(world, factor)
            shown = words(world, "guide names")
            counts.append(len(shown))
            assert [name for name in shown if "/3" not in name[3:]] == ["T12/L1", "L1/L2", "L2/L3", "L3/L4", "L4/L5"]
            node = layer(world, "guide names")
            heights = [world.to_display(node.GetNthControlPointPosition(n))[1] for n in range(len(shown))]
            if len(shown) > 5:
                thirds = [n for n, name in enumerate(shown) if "/3" in name[3:]]
                gaps = [heights[m - 1] - heights[m] for n in thirds for m in (n, n + 1)]
                assert min(gaps) >= 11, "as high as the words are"
        assert counts == sorted(counts)
        assert counts[-1] == 13
        if number == 12:
            assert counts[0] == 5
        stage.close()


def test_a_field_goes_there_and_back():
    field = Field(np.array([[-0.5, 0.1, 30], [0.1, -0.5, 600]]), 300, 700)
    xy = np.array([[3.5, 4], [100, 900]])
    np.testing.assert_allclose(field.to_pixels(field.to_view(xy)), xy)
    assert field == Field(field.matrix.copy(), 300, 700)
    assert field != Field(field.matrix + 1e-3, 300, 700)
    assert field != Field(field.matrix, 301, 700)
