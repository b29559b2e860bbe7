"""The pipeline: what a sample is after all changes, and what it is not."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vertenet.errors import OptionError
from vertenet.learning.augmentation import Augmentation, augment_sample

from .augmenting import SIZE, picture, seeded, spine

STILL = Augmentation.none()
#: Everything at once, as strong as usual.
ALL = Augmentation(
    **{**asdict(Augmentation()), "end_crop": 1, "anterior_crop": 1, "expansion": 1, "mirror": 0.5, "blur": 1},
)
PAINTED = replace(ALL, blank=1, gas=1, metal=1, text=1)
SEEDS = st.integers(0, 2**31)


def same(first, second) -> bool:
    return all(torch.equal(torch.nan_to_num(a, -1e9), torch.nan_to_num(b, -1e9)) for a, b in zip(first, second))


def test_without_changes_a_sample_stays_as_it_is():
    corners, centres = spine()
    corners[2, 1], centres[0] = torch.nan, torch.nan
    image = picture()
    moved, new_corners, new_centres, faces_right = augment_sample(image, corners, centres, STILL, seeded(0))
    assert (moved - image).abs().max() < 1e-6
    assert same((corners, centres), (new_corners, new_centres))
    assert faces_right
    assert moved.data_ptr() != image.data_ptr()


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_grey_values_stay_between_black_and_white_in_a_frame_of_the_same_shape(seed):
    moved, *_ = augment_sample(picture(), *spine(), PAINTED, seeded(seed))
    assert moved.shape == SIZE
    assert type(moved) is torch.Tensor
    assert moved.dtype == torch.float32
    assert moved.min() >= 0
    assert moved.max() <= 1


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_the_generator_alone_decides_and_the_global_one_stays_where_it_was(seed):
    first = augment_sample(picture(), *spine(), PAINTED, seeded(seed))
    torch.manual_seed(seed + 1)
    before = torch.get_rng_state()
    second = augment_sample(picture(), *spine(), PAINTED, seeded(seed))
    assert same(first[:3], second[:3])
    assert first[3] == second[3]
    assert torch.equal(before, torch.get_rng_state())


def test_another_seed_gives_another_sample():
    assert not same(*(augment_sample(picture(), *spine(), Augmentation(), seeded(seed))[:3] for seed in (1, 2)))


def test_what_was_given_is_not_changed():
    given_sample = picture(), *spine()
    kept = [tensor.clone() for tensor in given_sample]
    for seed in range(5):
        augment_sample(*given_sample, replace(PAINTED, rotation=0, scale=0, aspect=0, shift=0), seeded(seed))
        augment_sample(*given_sample, replace(STILL, blank=1, gas=1, metal=1, text=1), seeded(seed))
    assert same(kept, given_sample)


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.sets(st.integers(0, 23)), st.sets(st.integers(0, 7)))
def test_an_unknown_position_stays_unknown_and_disturbs_no_other(seed, lost_corners, lost_centres):
    corners, centres = spine()
    ranges = replace(STILL, rotation=8, scale=0.1, shift=0.05, aspect=0.1)
    _, whole_corners, whole_centres, _ = augment_sample(picture(), corners, centres, ranges, seeded(seed))
    corners.view(24, 2)[list(lost_corners)] = torch.nan
    centres[list(lost_centres)] = torch.nan
    _, new_corners, new_centres, _ = augment_sample(picture(), corners, centres, ranges, seeded(seed))
    for new, whole, lost in ((new_corners.view(24, 2), whole_corners.view(24, 2), lost_corners),
                             (new_centres, whole_centres, lost_centres)):  # fmt: skip
        assert torch.isnan(new[list(lost)]).all()
        others = [i for i in range(len(new)) if i not in lost]
        torch.testing.assert_close(new[others], whole[others], equal_nan=True)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_a_known_centre_is_inside_and_corners_may_be_outside(seed):
    ranges = replace(STILL, scale=0.8, shift=0.4, end_crop=1)
    _, corners, centres, _ = augment_sample(picture(), *spine(), ranges, seeded(seed))
    found = centres[torch.isfinite(centres).all(dim=1)]
    assert ((found >= 0) & (found < torch.tensor([SIZE[1], SIZE[0]]))).all()
    middles = corners.mean(dim=1)
    for middle, centre in zip(middles, centres[1:7]):
        inside = bool(((middle >= 0) & (middle < torch.tensor([SIZE[1], SIZE[0]]))).all())
        # Seen: both are known. Not seen: the centre is not, and the corners lie outside or are unknown.
        assert inside == bool(torch.isfinite(centre).all())


def test_corners_that_left_keep_their_place():
    corners, centres = spine()
    ranges = replace(STILL, scale=1.0)
    outside = 0
    for seed in range(10):
        _, moved, _, _ = augment_sample(picture(), corners, centres, ranges, seeded(seed))
        assert torch.isfinite(moved).all()
        outside += int((moved < 0).any(dim=-1).sum())
    assert outside > 0


def test_a_vertebra_that_was_cut_off_is_not_taught_on_the_bare_canvas():
    corners, centres = spine()
    ranges = replace(STILL, end_crop=1, end_crop_share=0.4, expansion=1, expansion_factor=2)
    lost = 0
    for seed in range(40):
        moved, new_corners, new_centres, _ = augment_sample(torch.ones(SIZE), corners, centres, ranges, seeded(seed))
        for vertebra, centre in zip(new_corners, new_centres[1:7]):
            middle = vertebra.mean(dim=0)
            if torch.isnan(middle).any():
                lost += 1
                assert torch.isnan(centre).all()
                continue
            column, row = middle.round().long().tolist()
            if 0 <= row < SIZE[0] and 0 <= column < SIZE[1]:
                assert moved[row, column] == pytest.approx(1, abs=0.5)
    assert lost > 0


def test_a_mirrored_image_is_marked_and_leaves_its_landmarks():
    image, (corners, centres) = picture(), spine()
    moved, new_corners, new_centres, faces_right = augment_sample(
        image, corners, centres, replace(STILL, mirror=1), seeded(0)
    )
    assert not faces_right
    assert (moved - image.flip(-1)).abs().max() < 1e-6
    assert same((corners, centres), (new_corners, new_centres))


def test_mirrored_images_come_as_often_as_they_were_asked_for_and_no_others_are_mirrored():
    image = picture()
    mirrored = 0
    for seed in range(200):
        moved, _, _, faces_right = augment_sample(image, *spine(), replace(STILL, mirror=0.2), seeded(seed))
        assert (moved - (image if faces_right else image.flip(-1))).abs().max() < 1e-6
        mirrored += not faces_right
    assert 20 < mirrored < 60


def test_letters_are_never_mirrored_because_they_would_betray_a_mirrored_image():
    flat = torch.full(SIZE, 0.5)
    plain, mirrored = (
        augment_sample(flat, *spine(), replace(STILL, text=1, mirror=share), seeded(4))[0] for share in (0.0, 1.0)
    )
    assert plain.max() > 0.8
    assert torch.equal(plain, mirrored)


def test_ranges_survive_json():
    ranges = Augmentation(rotation=3.5, gas=0.4)
    assert Augmentation(**json.loads(json.dumps(asdict(ranges)))) == ranges


@pytest.mark.parametrize(
    "wrong",
    [
        {"gas": 1.2},
        {"mirror": -0.1},
        {"end_crop_share": 0.5},
        {"expansion_factor": 0.9},
        {"noise": -1},
        {"blur_sigma": 0},
    ],
)
def test_a_range_without_meaning_is_refused_by_name(wrong):
    with pytest.raises(OptionError, match=next(iter(wrong))):
        Augmentation(**wrong)
