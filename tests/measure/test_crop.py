"""Crop detection on images whose answer is plain, and where no answer is the honest one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.measure.scenes import COLUMNS, DISCS, EDGE, ROWS, WALL, radiograph, staircase, straight_spine, tissue
from vertenet.errors import GeometryError, OptionError
from vertenet.measure import CropResult, CropState, detect_crop
from vertenet.radiograph import Spacing, SpacingSource
from vertenet.spine import STANDARD_LEVELS, Corner, Spine, Status, Vertebra

CLEAN = tissue()


def without(spine: Spine, *names: str, status: Status = Status.MISSING, shift=(0.0, 0.0)) -> Spine:
    """The spine with corners such as "L3-IA" missing, or displaced and of another status."""
    vertebrae = []
    for vertebra in spine:
        points = dict(vertebra.points)
        for name, corner in points.items():
            if f"{vertebra.level}-{name}" in names:
                gone = status is Status.MISSING
                x, y = (None, None) if gone else (corner.x + shift[0], corner.y + shift[1])
                points[name] = Corner(x, y, status)
        vertebrae.append(Vertebra(vertebra.level, points))
    return Spine(tuple(vertebrae), spine.anterior)


def test_tissue_all_round_is_clear():
    crop = detect_crop(radiograph(CLEAN), straight_spine())
    assert crop.state is CropState.CLEAR
    assert (crop.fraction, crop.extent_px, crop.extent_mm) == (0.0, 0.0, 0.0)
    assert not crop.segments
    assert not crop.causes
    assert not crop.reason
    assert len(crop.edge) == 500
    np.testing.assert_allclose(crop.edge[:, 0], EDGE, atol=1e-6)
    np.testing.assert_allclose(crop.edge[[0, -1], 1], DISCS[[0, -1]], atol=1e-6)


@pytest.mark.parametrize("colour", [0, 255])
@pytest.mark.parametrize("quality", [None, 90, 60])
@pytest.mark.parametrize("facing", ["right", "left"])
def test_a_staircase_of_either_colour_is_found_measured_and_placed(colour, quality, facing):
    # The third band covers rows 237.5 (T12/L1) to 360 from x = 240 on: 36 of the corridor's 96 px, in L1 and L2.
    mask = staircase([200, 180, 160, 160], height=90, top=0)
    pixels = np.where(mask, colour, CLEAN)
    spine = straight_spine()
    if facing == "left":
        pixels, spine = pixels[:, ::-1], spine.mirrored(COLUMNS)
    crop = detect_crop(radiograph(pixels, quality), spine)
    assert crop.state is CropState.CROPPED
    assert crop.segments == ("L1", "L2")
    assert crop.causes == ("blanked",)
    lost = 360 - DISCS[0] - 0.5
    tolerance = 0.01 if quality is None else 0.06
    assert crop.fraction == pytest.approx(lost / 400 * 36.5 / 96, rel=0.03 + 4 * tolerance)
    assert crop.extent_px == pytest.approx(lost, rel=tolerance + 0.01)
    assert crop.extent_mm == pytest.approx(crop.extent_px * 0.5)
    assert crop.lost.sum() == pytest.approx(500 * lost / 400, rel=tolerance + 0.01)


@pytest.mark.parametrize("colour", [0, 255])
def test_blanking_that_leaves_the_corridor_whole_is_no_crop(colour):
    mask = staircase([150, 130, 100], height=75) | staircase([110, 110], height=80, top=500)
    assert mask[: round(DISCS[0]), round(EDGE) :].any()
    assert detect_crop(radiograph(np.where(mask, colour, CLEAN), 80), straight_spine()).state is CropState.CLEAR


@pytest.mark.parametrize("facing", ["right", "left"])
def test_the_border_crops_on_either_side_below_a_pixel(facing):
    def state(columns):
        spine = straight_spine()
        image = CLEAN[:, :columns]
        if facing == "left":
            image, spine = image[:, ::-1], spine.mirrored(columns)
        return detect_crop(radiograph(image), spine)

    # The edge is at x = 276; pixel 275 ends at 275.5, pixel 276 at 276.5.
    assert state(277).state is CropState.CLEAR
    crop = state(276)
    assert crop.state is CropState.CROPPED
    assert crop.causes == ("border",)
    assert crop.segments == ("L1", "L2", "L3", "L4")
    assert 0 < crop.fraction < 0.01
    assert crop.extent_px == pytest.approx(400)
    half = state(round(WALL) + 48)
    assert half.fraction == pytest.approx(0.5, abs=0.02)


def test_top_and_bottom_crop_too():
    high = straight_spine().map_points(lambda p: p - [0, DISCS[0] + 19.5])
    crop = detect_crop(radiograph(CLEAN), high)
    assert crop.state is CropState.CROPPED
    assert crop.segments == ("L1",)
    assert crop.fraction == pytest.approx(0.05, abs=0.003)
    low = straight_spine().map_points(lambda p: p - [0, DISCS[-1] - ROWS - 39.5])
    crop = detect_crop(radiograph(CLEAN), low)
    assert crop.segments == ("L4",)
    assert crop.fraction == pytest.approx(0.10, abs=0.003)


@given(st.floats(-30, 30), st.floats(0.8, 1.5), st.integers(200, 330))
@settings(max_examples=30, deadline=None)
def test_the_border_is_exact_for_tilted_spines(degrees, factor, columns):
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.array([150.0, 440.0])
    spine = straight_spine().map_points(lambda p: (p - centre) @ turn.T + centre)
    crop = detect_crop(radiograph(np.full((ROWS, columns), 100.0)), spine, factor)
    # By hand: every guide is the level one turned; its point lies factor * 80 px to the right of the anterior end.
    ends = turn @ (np.array([[WALL] * 5, DISCS]) - centre[:, None]) + centre[:, None]
    edge = ends + np.array([[factor * 80], [factor * 80 * np.tan(angle)]])
    beyond = max(edge[0].max() - (columns - 0.5), -0.5 - edge[1].min(), edge[1].max() - (ROWS - 0.5))
    if abs(beyond) > 0.01:
        assert (crop.state is CropState.CROPPED) == (beyond > 0)


def test_without_a_pixel_size_nothing_is_in_millimetres():
    mask = staircase([200, 200, 200, 200])
    crop = detect_crop(radiograph(np.where(mask, 0, CLEAN), spacing=None), straight_spine())
    assert crop.extent_px > 0
    assert crop.extent_mm is None


def test_oblong_pixels_are_measured_by_both_sizes():
    image = radiograph(np.where(staircase([200] * 4, height=90), 0, CLEAN))
    image = image.with_spacing(Spacing(0.25, 0.5, SpacingSource.USER))
    crop = detect_crop(image, straight_spine())
    assert crop.extent_mm == pytest.approx(0.25 * crop.extent_px)  # the edge runs along the rows' direction, y


def test_a_speck_of_blanking_below_the_papers_ten_samples_is_no_crop():
    spine = straight_spine()
    # 500 samples over the 400 px from 237.5: a band to row 245 holds 10 of them, one to row 247 holds 12 or 13.
    short, long = (staircase([200, 200, 200], height=90) for _ in range(2))
    short[246:], long[248:] = False, False
    assert detect_crop(radiograph(np.where(short, 0, CLEAN)), spine).state is CropState.CLEAR
    assert detect_crop(radiograph(np.where(long, 0, CLEAN)), spine).state is CropState.CROPPED


class TestNoAnswer:
    def test_a_missing_corner_leaves_its_segments_open_and_says_which(self):
        crop = detect_crop(radiograph(CLEAN), without(straight_spine(), "L3-IA"))
        assert crop.state is CropState.NOT_ASSESSED
        assert crop.reason == "no guide at L3/L4 (L3-IA missing), so L3, L4 could not be measured"
        assert crop.fraction is None
        assert crop.edge[:, 1].max() == pytest.approx(DISCS[2], abs=1)

    @given(st.sampled_from(STANDARD_LEVELS), st.sampled_from(["SA", "SP", "IA", "IP"]))
    @settings(max_examples=24, deadline=None)
    def test_no_missing_corner_that_matters_is_ever_called_clear(self, level, corner):
        crop = detect_crop(radiograph(CLEAN), without(straight_spine(), f"{level}-{corner}"))
        matters = f"{level}-{corner}" not in ("T12-SA", "T12-SP", "L5-IA", "L5-IP")
        assert crop.state is (CropState.NOT_ASSESSED if matters else CropState.CLEAR)

    def test_a_crop_that_is_plain_on_the_rest_is_called_but_not_measured(self):
        pixels = np.where(staircase([200] * 4, height=90), 255, CLEAN)
        crop = detect_crop(radiograph(pixels), without(straight_spine(), "L4-IA", "L4-IP"))
        assert crop.state is CropState.CROPPED
        assert crop.segments == ("L1", "L2")
        assert crop.fraction is None
        assert crop.extent_px is None
        assert crop.extent_mm is None
        assert crop.reason == "no guide at L4/L5 (L4-IA missing, L4-IP missing), so L4 could not be measured"

    def test_the_edge_is_not_drawn_across_segments_that_have_no_guides(self):
        bent = straight_spine().map_points(lambda p: p + np.column_stack([20 * np.sin(p[:, 1] / 90), 0 * p[:, 1]]))
        crop = detect_crop(radiograph(CLEAN), without(bent, "L2-IA", "L3-SA"))
        assert crop.state is CropState.NOT_ASSESSED
        y = crop.edge[:, 1]
        assert not ((y > DISCS[1] + 5) & (y < DISCS[3] - 5)).any()
        assert len(y) == 250
        assert len(crop.lost) == 250

    def test_a_spine_that_lacks_a_level_says_so(self):
        crop = detect_crop(radiograph(CLEAN), Spine(straight_spine().vertebrae[1:]))
        assert crop.state is CropState.NOT_ASSESSED
        assert "T12 not among the landmarks" in crop.reason

    def test_an_empty_spine_has_no_corridor(self):
        crop = detect_crop(radiograph(CLEAN), Spine(()))
        assert crop.state is CropState.NOT_ASSESSED
        assert crop.reason.endswith("so L1, L2, L3, L4 could not be measured")
        assert len(crop.edge) == 0

    @pytest.mark.parametrize("status", [Status.OUTSIDE, Status.UNEVALUABLE])
    def test_a_vertebra_that_is_not_located_never_makes_a_clear(self, status):
        spine = without(straight_spine(), "T12-IA", "T12-IP", status=status)
        assert detect_crop(radiograph(CLEAN), spine).state is CropState.NOT_ASSESSED

    def test_a_vertebra_beyond_the_image_shows_that_the_aorta_goes_there_too(self):
        high = straight_spine().map_points(lambda p: p - [0, DISCS[0] + 5])
        spine = without(high, "T12-IA", "T12-IP", status=Status.OUTSIDE)
        crop = detect_crop(radiograph(CLEAN), spine)
        assert crop.state is CropState.CROPPED
        assert crop.segments == ("L1",)
        assert crop.fraction is None
        assert "T12-IA outside" in crop.reason

    def test_the_wrong_side_is_noticed(self):
        spine = straight_spine()
        crop = detect_crop(radiograph(CLEAN), Spine(spine.vertebrae, "left"))
        assert crop.state is CropState.NOT_ASSESSED
        assert "anterior is said to be left" in crop.reason

    def test_crossing_guides_are_refused(self):
        xy = straight_spine().to_array()
        xy[2, 2], xy[3, 0] = xy[2, 2] + [0, 70], xy[3, 0] + [0, 70]  # L2/L3 falls, L3/L4 does not
        crop = detect_crop(radiograph(CLEAN), Spine.from_array(xy))
        assert crop.state is CropState.NOT_ASSESSED
        assert "not in order from head to foot" in crop.reason

    def test_vertebrae_in_the_wrong_order_are_refused(self):
        crop = detect_crop(radiograph(CLEAN), Spine.from_array(straight_spine().to_array()[::-1]))
        assert crop.state is CropState.NOT_ASSESSED

    def test_an_upright_guide_is_refused(self):
        xy = straight_spine().map_points(lambda p: (p - 400) @ np.array([[0, -1], [1, 0]]) + 400)
        crop = detect_crop(radiograph(CLEAN), xy)
        assert crop.state is CropState.NOT_ASSESSED

    def test_landmarks_of_another_image_are_noticed(self):
        crop = detect_crop(radiograph(CLEAN[:, :170]), straight_spine())
        assert crop.state is CropState.NOT_ASSESSED
        assert "belong to another image" in crop.reason

    @given(st.integers(0, 2**32 - 1))
    @settings(max_examples=60, deadline=None)
    def test_random_points_never_raise_and_are_hardly_ever_called_clear(self, seed):
        xy = np.random.default_rng(seed).uniform(-100, 1000, (6, 4, 2))
        crop = detect_crop(radiograph(CLEAN[:60]), Spine.from_array(xy))
        assert crop.state is not CropState.CLEAR
        assert crop.reason or crop.state is CropState.CROPPED


@pytest.mark.parametrize("factor", [0, -1, float("nan"), float("inf")])
def test_a_factor_that_is_no_positive_number_is_refused(factor):
    with pytest.raises(OptionError, match="crop factor"):
        detect_crop(radiograph(CLEAN), straight_spine(), factor)


def test_the_factor_moves_the_edge_and_is_reported():
    for factor in (0.8, 1.0, 1.5):
        crop = detect_crop(radiograph(CLEAN), straight_spine(), factor)
        assert crop.factor == factor
        np.testing.assert_allclose(crop.edge[:, 0], WALL + factor * 80, atol=1e-6)


def test_a_result_survives_its_dictionary():
    pixels = np.where(staircase([200] * 4, height=90), 255, CLEAN)
    crop = detect_crop(radiograph(pixels), straight_spine())
    assert CropResult.from_dict(crop.to_dict()) == crop
    assert CropResult.from_dict(crop.to_dict()) != detect_crop(radiograph(CLEAN), straight_spine())


def test_marks_and_points_of_an_edge_must_be_as_many():
    with pytest.raises(GeometryError, match="edge has 2 points"):
        CropResult(CropState.CLEAR, edge=[[0, 0], [1, 1]], lost=[False])
