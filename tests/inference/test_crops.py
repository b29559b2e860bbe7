"""The frame of a crop: an exact map, the same picture whichever way the patient faces, and pixels where it says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertenet.errors import GeometryError
from vertenet.inference.crops import CROP_DEPTH, CROP_SIZE, CropFrame

UPRIGHT = np.array([[120.0, 80.0], [60.0, 80.0], [120.0, 125.0], [60.0, 125.0]])


@st.composite
def corners(draw):
    """A vertebra of any size, tilt and shape up to a collapsed one, facing either way."""
    depth = draw(st.floats(10, 400))
    angle = draw(st.floats(-0.7, 0.7))
    height = draw(st.floats(0.15, 1.1))
    side = draw(st.sampled_from([-1, 1]))
    wobble = draw(st.lists(st.floats(-0.05, 0.05), min_size=8, max_size=8))
    centre = draw(st.tuples(st.floats(-50, 2000), st.floats(-50, 2000)))
    box = np.array([[0.5, -height / 2], [-0.5, -height / 2], [0.5, height / 2], [-0.5, height / 2]])
    box = (box + np.reshape(wobble, (4, 2))) * [side, 1]
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return depth * box @ turn + centre


@given(corners(), st.lists(st.tuples(st.floats(-100, 200), st.floats(-100, 200)), min_size=1, max_size=5))
def test_the_way_to_the_crop_and_back_is_exact(vertebra, points):
    frame = CropFrame.around(vertebra)
    np.testing.assert_allclose(frame.from_source(frame.to_source(points)), points, atol=1e-6)
    np.testing.assert_allclose(frame.to_source(frame.from_source(vertebra)), vertebra, atol=1e-6)


@given(corners())
def test_a_vertebra_lies_upright_and_centred_with_its_front_on_the_right(vertebra):
    sa, sp, ia, ip = CropFrame.around(vertebra).from_source(vertebra)
    np.testing.assert_allclose((sa + sp + ia + ip) / 4, (CROP_SIZE - 1) / 2, atol=1e-6)
    np.testing.assert_allclose((sa + ia - sp - ip) / 2, [CROP_DEPTH, 0], atol=1e-6)
    assert (ia + ip - sa - sp)[1] > 0


@given(corners())
def test_a_mirrored_vertebra_has_the_same_crop(vertebra):
    mirrored = vertebra * [-1, 1] + [999, 0]
    ours, theirs = CropFrame.around(vertebra), CropFrame.around(mirrored)
    np.testing.assert_allclose(ours.from_source(vertebra), theirs.from_source(mirrored), atol=1e-6)


@given(corners())
def test_lengths_keep_their_proportions(vertebra):
    frame = CropFrame.around(vertebra)
    a, b = frame.from_source([[0.0, 0.0], [30.0, -40.0]])
    assert np.hypot(*(a - b)) == pytest.approx(50 * frame.scale)


@pytest.mark.parametrize("zoom", [0.4, 1.0, 4.0])
@pytest.mark.parametrize("angle", [0.0, 0.35])
@pytest.mark.parametrize("side", [1, -1])
def test_what_is_painted_at_a_point_is_found_where_the_frame_says(zoom, angle, side):
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    vertebra = zoom * ((UPRIGHT - [90, 102.5]) * [side, 1] @ turn + [130, 130])
    frame = CropFrame.around(vertebra)
    y, x = np.mgrid[: int(260 * zoom), : int(260 * zoom)]
    for corner in vertebra:
        # A blob two crop pixels wide, so that its centre of gravity in the crop tells fractions of a pixel.
        blob = 255 * np.exp(-((x - corner[0]) ** 2 + (y - corner[1]) ** 2) / (2 * (2 / frame.scale) ** 2))
        values, valid = frame.cut(blob.astype(np.float32))
        assert valid.all()
        rows, columns = np.mgrid[:CROP_SIZE, :CROP_SIZE]
        found = [float((values * axis).sum() / values.sum()) for axis in (columns, rows)]
        np.testing.assert_allclose(found, frame.from_source(corner), atol=0.05)


def test_detail_finer_than_a_crop_pixel_is_averaged_away_and_not_aliased():
    fine = 255.0 * (np.indices((1200, 1200)).sum(axis=0) % 2)
    values, _ = CropFrame.around(UPRIGHT * 5).cut(fine)
    assert np.ptp(values) < 3
    assert values.mean() == pytest.approx(127.5, abs=1)


def test_beyond_the_image_there_is_nothing_and_it_is_said_so():
    image = np.full((150, 100), 200.0, np.float32)
    frame = CropFrame.around(UPRIGHT)  # Anterior corners lie beyond the right edge.
    values, valid = frame.cut(image)
    assert 0 < valid.mean() < 1
    np.testing.assert_allclose(values[valid], 200, atol=1e-3)
    assert not values[~valid].any()
    x = frame.to_source(np.stack(np.meshgrid(np.arange(96), np.arange(96)), axis=-1))
    np.testing.assert_array_equal(valid, ((x >= -0.5) & (x <= [99.5, 149.5])).all(axis=-1))


def test_a_crop_wholly_beyond_the_image_is_empty():
    values, valid = CropFrame.around(UPRIGHT + 5000).cut(np.ones((50, 50), np.float32))
    assert not valid.any()
    assert not values.any()


@pytest.mark.parametrize(
    ("vertebra", "reason"),
    [
        (np.full((4, 2), np.nan), "all four"),
        (UPRIGHT * [0.01, 1], "too small"),
        (UPRIGHT * [1, 0], "without height"),
        (UPRIGHT[:3], "all four"),
    ],
)
def test_no_frame_is_made_of_what_is_no_vertebra(vertebra, reason):
    with pytest.raises(GeometryError, match=reason):
        CropFrame.around(vertebra)
