"""Crops to learn from: points lie where the crop shows them, absent points are unknown, persons stay together."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.boxes import COLUMNS, ROWS, boxes
from vertenet.errors import AnnotationError
from vertenet.learning.cases import Case, phantom_cases
from vertenet.learning.crop_augmentation import STILL, CropAugmentation, windows
from vertenet.learning.crops import OUTSIDE, POINTS, STORED_SIZE, Crops, crops_of, gather_crops
from vertenet.radiograph import Radiograph
from vertenet.spine import CORNERS, MIDPOINTS, CornerName, Spine, Status, Vertebra


def case(spine, pixels=None, name="a", person="p"):
    pixels = np.full((ROWS, COLUMNS), 100.0) if pixels is None else pixels
    return Case(name, person, "box", spine, spine, lambda: Radiograph(pixels, anterior=spine.anterior))


def marked(level, name, anterior):
    """A case whose image is dark but for a soft dot on one point."""
    spine = boxes(anterior)
    y, x = np.mgrid[:ROWS, :COLUMNS]
    at = spine[level][name].xy
    return case(spine, 255 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * 1.5**2)))


def centre_of_gravity(image):
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    return [float((image * axis).sum() / image.sum()) for axis in (columns, rows)]


@pytest.mark.parametrize("anterior", ["right", "left"])
@pytest.mark.parametrize("number", range(6))
def test_a_point_lies_where_the_stored_crop_shows_it(anterior, number):
    crops = crops_of(marked("L3", POINTS[number], anterior))
    image = np.where(crops.images[3] == OUTSIDE, 0.0, crops.images[3] - 1.0)
    np.testing.assert_allclose(centre_of_gravity(image), crops.points[3, number], atol=0.1)


@pytest.mark.parametrize("seed", range(3))
def test_a_point_lies_where_a_random_window_shows_it(seed):
    crops = crops_of(marked("L2", CornerName.IA, "right"))[np.full(8, 2)]
    moved_only = CropAugmentation(gamma=0, shading=0, noise=0, blur=0, median=0, sharpen=0, blank=0, tail=1)
    generator = torch.Generator().manual_seed(seed)
    inputs, points = windows(torch.from_numpy(crops.images), torch.from_numpy(crops.points), 96, moved_only, generator)
    assert len({tuple(p) for p in points[:, 0].tolist()}) == 8
    for image, wanted in zip((inputs[:, 0] - 1 / 255).clamp_min(0).numpy(), points[:, 2]):
        # The dot is some pixels wide, and the bend is not the same all over it.
        np.testing.assert_allclose(centre_of_gravity(image), wanted, atol=0.3)


@pytest.mark.parametrize("name", ["blur", "median", "sharpen"])
def test_grey_values_are_softened_and_sharpened_by_chance(name):
    crops = crops_of(phantom_cases(1, difficulty="easy", first_seed=7)[0])
    images, points = torch.from_numpy(crops.images), torch.from_numpy(crops.points)
    generator = torch.Generator().manual_seed(1)
    still = windows(images, points, 96, STILL, torch.Generator())[0][:, 0]
    changed = windows(images, points, 96, replace(STILL, **{name: 1.0, "blur_sigma": 2.0}), generator)[0][:, 0]
    rough, was = (grey.diff(dim=-1).abs().mean((1, 2)) for grey in (changed, still))
    change = (rough - was) * (1 if name == "sharpen" else -1)
    assert (change >= -1e-6).all()
    assert change.mean() > 0.05 * was.mean()


def test_the_still_window_is_the_middle_of_the_stored_crop():
    crops = crops_of(phantom_cases(1, difficulty="easy", first_seed=7)[0])
    inputs, points = windows(
        torch.from_numpy(crops.images), torch.from_numpy(crops.points), 96, STILL, torch.Generator()
    )
    margin = (STORED_SIZE - 96) // 2
    middle = crops.images[:, margin:-margin, margin:-margin]
    np.testing.assert_allclose(255 * inputs[:, 0].numpy(), middle, atol=0.05)
    np.testing.assert_allclose(points, crops.points - margin, atol=1e-3)
    np.testing.assert_array_equal(inputs[:, 1].numpy(), middle != OUTSIDE)


def test_a_window_that_leaves_the_image_says_so_and_grey_stays_grey_up_to_the_edge():
    images = torch.full((1, STORED_SIZE, STORED_SIZE), 128, dtype=torch.uint8)
    images[..., 90:] = OUTSIDE
    inputs, _ = windows(images, torch.zeros(1, 6, 2), 96, STILL, torch.Generator())
    edge = 90 - (STORED_SIZE - 96) // 2
    assert inputs[0, 1, :, :edge].all()
    assert not inputs[0, :, :, edge:].any()
    torch.testing.assert_close(inputs[0, 0, :, :edge], torch.full((96, edge), 128 / 255))


def test_points_that_are_not_present_or_not_given_are_unknown():
    spine = boxes()
    l1 = dict(spine["L1"].points)
    l1[CornerName.SA] = replace(l1[CornerName.SA], status=Status.UNEVALUABLE)
    l2 = {name: spine["L2"][name] for name in CORNERS}
    l4 = {name: spine["L4"][name] for name in CORNERS[:3]}
    changed = {"L1": Vertebra("L1", l1), "L2": Vertebra("L2", l2), "L4": Vertebra("L4", l4)}
    spine = replace(spine, vertebrae=tuple(changed.get(v.level, v) for v in spine))
    unknown = np.isnan(crops_of(case(spine)).points).any(axis=-1)
    # L4 lacks the position of a corner: no frame, no crop.
    expected = np.zeros((5, 6), bool)
    expected[1, POINTS.index(CornerName.SA)] = True
    expected[2, [POINTS.index(name) for name in MIDPOINTS]] = True
    np.testing.assert_array_equal(unknown, expected)


def test_black_inside_the_image_is_not_taken_for_its_outside():
    crops = crops_of(case(boxes(), np.zeros((ROWS, COLUMNS))))
    assert (crops.images[3] != OUTSIDE).all()
    assert (crops.images[0] == OUTSIDE).any()  # T12 lies near the upper edge.


def test_gathered_crops_are_kept_and_read_back_for_the_same_cases_only(tmp_path):
    cases, seen = [case(boxes(), name=name) for name in "ab"], []
    first = gather_crops(cases, tmp_path / "crops.npz", seen.append)
    again = gather_crops(cases, tmp_path / "crops.npz", seen.append)
    assert seen == [1, 2]
    for field in ("images", "points", "persons"):
        np.testing.assert_array_equal(getattr(first, field), getattr(again, field))
    assert len(gather_crops(cases[:1], tmp_path / "crops.npz", seen.append)) == 6
    assert seen == [1, 2, 1]


def test_nothing_to_cut_is_an_error():
    with pytest.raises(AnnotationError, match="no vertebra"):
        gather_crops([case(Spine((), "right"))])


def test_a_person_is_never_on_both_sides_of_the_split():
    persons = np.repeat([f"person {i}" for i in range(200)], 6)
    n = len(persons)
    crops = Crops(np.zeros((n, 2, 2), np.uint8), np.zeros((n, 6, 2), np.float32), persons)
    training, validation = crops.split(0.15)
    assert len(training) + len(validation) == n
    assert not set(training.persons) & set(validation.persons)
    assert len(validation) == 6 * 30
    backwards = crops[np.arange(n)[::-1]].split(0.15)[1]
    assert set(backwards.persons) == set(validation.persons)
    assert len(crops[:12].split(0.15)[1]) == 6
