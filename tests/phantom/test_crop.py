"""Crop truth: exact clipping against brute force, and phantoms that leave no doubt."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertenet.phantom import CropTruth, difficulties, generate, scanners
from vertenet.phantom.anatomy import sample_column
from vertenet.phantom.corridor import corridor_of
from vertenet.phantom.crop import clip_polygon, crop_truth, line_length, line_outside, polygon_area
from vertenet.phantom.difficulty import difficulty_of
from vertenet.phantom.draw import draw_switches
from vertenet.phantom.placement import place
from vertenet.phantom.profiles import scanner_profile


def raster(polygon, scale, rows, columns):
    """Even-odd raster of a polygon given in pixels, at ``scale`` samples a pixel: independent of the clipping."""
    y = (np.arange(rows * scale) + 0.5) / scale - 0.5
    x = (np.arange(columns * scale) + 0.5) / scale - 0.5
    inside = np.zeros((len(y), len(x)), bool)
    for (xa, ya), (xb, yb) in zip(polygon, np.roll(polygon, -1, axis=0)):
        crosses = (ya > y) != (yb > y)
        if not crosses.any():
            continue
        limit = xa + (y[crosses] - ya) * (xb - xa) / (yb - ya)
        inside[crosses] ^= x[None] < limit[:, None]
    return inside


@pytest.mark.parametrize("crop", [None, "border", "black", "white"])
@pytest.mark.parametrize("seed", range(5))
def test_the_fraction_agrees_with_counting_pixels(seed, crop):
    scanner = list(scanners())[seed]
    _, truth = generate(seed, scanner=scanner, difficulty="hard", crop=crop, anterior="right")
    pad = 200  # room for the part of the corridor beyond the border
    corridor = raster(truth.crop.corridor, 2, truth.rows + pad, truth.columns + pad)
    seen = np.zeros((truth.rows + pad, truth.columns + pad), bool)
    seen[: truth.rows, : truth.columns] = ~truth.crop.blanked_mask(truth.rows, truth.columns)
    lost = (corridor & ~np.kron(seen, np.ones((2, 2), bool))).sum() / corridor.sum()
    assert truth.crop.fraction == pytest.approx(lost, abs=0.004)
    assert truth.crop.cropped == (crop is not None)
    assert truth.crop.cropped == (lost > 0)
    assert truth.crop.causes == {None: (), "border": ("border",)}.get(crop, ("blanked",))


def test_segments_extent_and_causes_are_empty_for_a_whole_corridor():
    _, truth = generate(2, crop=None)
    crop = truth.crop
    assert (crop.cropped, crop.segments, crop.fraction, crop.extent_mm, crop.extent_px) == (False, (), 0.0, 0.0, 0.0)


def test_a_blanking_that_does_not_crop_still_blanks_pixels():
    for colour, value in (("black", 0), ("white", 255)):
        blanked = 0
        for seed in range(3):
            radiograph, truth = generate(seed, crop=None, blanking=colour, jpeg=None)
            mask = truth.crop.blanked_mask(truth.rows, truth.columns)
            assert (radiograph.pixels[mask] == value).all()
            assert not truth.crop.cropped
            blanked += mask.sum()
        assert blanked > 1000


def test_jpeg_disturbs_blanked_pixels_a_little():
    radiograph, truth = generate(1, crop="black", jpeg=60)
    values = radiograph.pixels[truth.crop.blanked_mask(truth.rows, truth.columns)]
    assert (values > 0).any()
    assert np.median(values) <= 3


@pytest.mark.parametrize("difficulty", difficulties())
def test_no_phantom_is_a_borderline_case(difficulty):
    """Whole: 1.3 depths are seen everywhere. Cropped: at 1 depth at least 10 mm of the edge are gone."""
    for seed in range(60):
        profile = scanner_profile(list(scanners())[seed % len(scanners())])
        switches = draw_switches(seed, difficulty_of(difficulty), profile, {})
        column = sample_column(seed, switches)
        corridor = corridor_of(column)
        field, blanked = place(column, corridor, profile, difficulty_of(difficulty), switches, seed)
        assert crop_truth(corridor, field, blanked, None).cropped == (switches.crop is not None)

        def lost(reach, corridor=corridor, field=field, blanked=blanked):
            edge = field.to_pixels(corridor.edge(reach))
            y = np.linspace(edge[0, 1], edge[-1, 1], 400)
            x = np.interp(y, edge[:, 1], edge[:, 0])
            gone = (x > field.columns - 0.5) | (x < -0.5) | (y < -0.5) | (y > field.rows - 0.5)
            for left, top, right, bottom in blanked:
                gone |= (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
            return gone.mean() * (y[-1] - y[0]) * field.sy

        if switches.crop is None:
            assert lost(1.3) == 0
        else:
            assert lost(1.0) > 10


def test_about_a_third_of_the_phantoms_is_cropped_with_every_cause():
    profile, level = scanner_profile("hologic-horizon"), difficulty_of("default")
    drawn = [draw_switches(seed, level, profile, {}).crop for seed in range(600)]
    assert np.mean([crop is not None for crop in drawn]) == pytest.approx(0.35, abs=0.06)
    assert set(drawn) == {None, "border", "black", "white"}


def test_crop_truth_round_trips():
    _, truth = generate(3, crop="white")
    again = CropTruth.from_dict(truth.crop.to_dict())
    assert again.to_dict() == truth.crop.to_dict()


coordinate = st.floats(-20, 20, allow_nan=False).map(lambda v: round(v, 3))
box = st.tuples(coordinate, coordinate, coordinate, coordinate).map(
    lambda v: (min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]) + 1, max(v[1], v[3]) + 1)
)


@given(st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=6), box)
@settings(max_examples=60, deadline=None)
def test_clipping_splits_the_area_of_star_shaped_polygons(points, limits):
    # Sorted by angle about the mean, any points make a simple polygon.
    points = np.array(points)
    centre = points.mean(0)
    order = np.argsort(np.arctan2(*(points - centre).T[::-1]), kind="stable")
    polygon = points[order]
    inside = polygon_area(clip_polygon(polygon, limits))
    left, top, right, bottom = limits
    far = 1000.0
    rest = [(-far, -far, left, far), (right, -far, far, far), (left, -far, right, top), (left, bottom, right, far)]
    outside = sum(polygon_area(clip_polygon(polygon, part)) for part in rest)
    assert inside + outside == pytest.approx(polygon_area(polygon), abs=1e-6)


@given(st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=6), box)
@settings(max_examples=60, deadline=None)
def test_the_length_outside_a_box_agrees_with_sampling(points, limits):
    line = np.array(points)
    left, top, right, bottom = limits
    total = 0.0
    for a, b in zip(line, line[1:]):
        t = (np.arange(4000) + 0.5) / 4000
        path = a + t[:, None] * (b - a)
        inside = (path[:, 0] >= left) & (path[:, 0] <= right) & (path[:, 1] >= top) & (path[:, 1] <= bottom)
        total += np.linalg.norm(b - a) * (1 - inside.mean())
    assert line_outside(line, limits) == pytest.approx(total, abs=0.05)
    assert line_outside(line, limits) <= line_length(line) + 1e-9
