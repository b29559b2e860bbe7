import numpy as np
import pytest
import torch

from tests.learning.boxes import boxes
from vertenet.errors import OptionError
from vertenet.learning import TEST_SEEDS, TRAINING_SEED, phantom_samples
from vertenet.learning.augmentation import Augmentation
from vertenet.learning.feed import AugmentedImages, PhantomStream, Plan, make_loader, seed_of


def pairs(plan):
    return [pair for step in plan for pair in step]


def batches(plan, workers=0):
    return list(make_loader(AugmentedImages(boxes(7), Augmentation(), 1), plan, workers=workers, pinned=False))


def test_every_pass_shows_every_image_once_in_another_order():
    shown = [index for _, index in pairs(Plan(7, 3, range(14), seed=1))]
    passes = [tuple(shown[start : start + 7]) for start in range(0, 42, 7)]
    assert {tuple(sorted(one)) for one in passes} == {tuple(range(7))}
    assert len(set(passes)) == 6


def test_processes_share_out_the_batches_of_one():
    whole = list(Plan(7, 4, range(5), seed=1))
    shares = [list(Plan(7, 4, range(5), seed=1, rank=rank, processes=2)) for rank in (0, 1)]
    assert [first + second for first, second in zip(*shares)] == whole


def test_a_run_that_goes_on_sees_what_the_whole_run_saw_then():
    assert list(Plan(7, 4, range(3, 9), seed=2)) == list(Plan(7, 4, range(9), seed=2))[3:]


def test_batches_are_the_same_whatever_the_number_of_workers():
    plan = Plan(7, 3, range(4), seed=5)
    for ours, theirs in zip(batches(plan), batches(plan, workers=2)):
        torch.testing.assert_close(tuple(ours), tuple(theirs), rtol=0, atol=0, equal_nan=True)


def test_an_image_is_changed_otherwise_each_time_it_comes():
    first, second = batches(Plan(7, 7, range(2), seed=5))
    order = [torch.tensor([index for _, index in step]).argsort() for step in Plan(7, 7, range(2), seed=5)]
    assert not torch.equal(first.images[order[0]], second.images[order[1]])


def test_neighbouring_numbers_give_unlike_seeds():
    seeds = [seed_of(1, place) for place in range(1000)] + [seed_of(2, place) for place in range(1000)]
    assert len(set(seeds)) == 2000


def test_phantoms_drawn_on_the_fly_are_those_that_are_kept(tmp_path):
    size = (64, 32)
    kept = phantom_samples(tmp_path, 2, size, difficulty="easy")
    drawn = PhantomStream(2, size, difficulty="easy", first_seed=TRAINING_SEED)
    assert len(drawn) == 2
    for name in ("images", "corners", "centres", "sizes", "taught"):
        np.testing.assert_array_equal(getattr(drawn[1], name), getattr(kept, name)[1])


def test_no_stream_draws_reserved_seeds():
    with pytest.raises(OptionError, match="reserved"):
        PhantomStream(2, (64, 32), difficulty="easy", first_seed=TEST_SEEDS.stop - 1)
