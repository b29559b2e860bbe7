import math

import pytest
import torch

from tests.learning.boxes import boxes
from vertenet.learning.losses import Counts, count, focal_loss, offset_loss, total_loss
from vertenet.learning.targets import make_targets

GRID = (32, 32)


def case(n=4, seed=0):
    """Targets of n images, one of them mirrored, one without a vertebra; and maps that know nothing of them."""
    samples = boxes(n, seed)
    corners, centres = torch.from_numpy(samples.corners) / 4, torch.from_numpy(samples.centres) / 4
    corners[1, 3], centres[1, 4] = math.nan, math.nan
    taught = torch.ones(n, 9, dtype=torch.bool)
    taught[:, 0] = False
    targets = make_targets(corners, centres, GRID, 1, taught)
    faces_right = torch.ones(n, dtype=torch.bool)
    faces_right[2] = False
    generator = torch.Generator().manual_seed(seed)

    def noise(channels):
        return torch.rand(n, channels, *GRID, generator=generator)

    maps = {"hm": noise(1), "reg": noise(2), "wh": noise(8), "level": noise(9), "anterior": noise(1)[:, 0, 0, 0]}
    return maps, targets, faces_right


def test_the_focal_loss_is_the_equation_of_its_paper():
    prediction = torch.tensor([[[[0.8, 0.3]]]])
    target = torch.tensor([[[[1.0, 0.5]]]])
    expected = -((0.2**2) * math.log(0.8) + (0.5**4) * (0.3**2) * math.log(0.7))
    everywhere = torch.ones(1, 1, 1, 1, dtype=torch.bool)
    assert float(focal_loss(prediction, target, everywhere, torch.tensor(1.0))) == pytest.approx(expected, rel=1e-5)


def test_the_offset_loss_is_a_weighted_mean_over_cells():
    prediction, target = torch.zeros(1, 2, 1, 2), torch.tensor([[[[1.0, 3.0]], [[3.0, 5.0]]]])
    weight = torch.tensor([[[[1.0, 0.5]]]])
    assert float(offset_loss(prediction, target, weight, weight.sum())) == pytest.approx((2 + 0.5 * 4) / 1.5)


def test_the_parts_of_a_batch_add_up_to_its_loss():
    maps, targets, faces_right = case()
    whole, parts = total_loss(maps, targets, faces_right)
    assert float(whole) == pytest.approx(sum(float(value) for value in parts.values()))
    counts = Counts(*count(targets, faces_right).clamp(min=1))
    shares = [
        total_loss({k: v[part] for k, v in maps.items()}, targets[part], faces_right[part], counts)[0]
        for part in (slice(0, 1), slice(1, 4))
    ]
    assert float(sum(shares)) == pytest.approx(float(whole), rel=1e-5)
    by_own_counts = [
        total_loss({k: v[part] for k, v in maps.items()}, targets[part], faces_right[part])[0]
        for part in (slice(0, 1), slice(1, 4))
    ]
    assert float(sum(by_own_counts)) / 2 != pytest.approx(float(whole), rel=1e-3)


def test_a_mirrored_image_teaches_the_orientation_head_alone():
    maps, targets, faces_right = case()
    maps = {name: value.clone().requires_grad_() for name, value in maps.items()}
    total_loss(maps, targets, faces_right)[0].backward()
    for name in ("hm", "reg", "wh", "level"):
        assert maps[name].grad[2].abs().max() == 0, name
        assert maps[name].grad[0].abs().max() > 0, name
    assert maps["anterior"].grad[2] > 0


def test_a_level_that_nobody_looked_for_is_not_taught_to_be_absent():
    maps, targets, faces_right = case()
    level = maps["level"].requires_grad_()
    total_loss(maps, targets, faces_right)[0].backward()
    assert level.grad[0, 0].abs().max() == 0
    assert level.grad[0, 8].abs().max() > 0


def test_a_batch_in_which_nothing_can_be_taught_costs_nothing_and_breaks_nothing():
    maps, targets, _ = case()
    loss, parts = total_loss(maps, targets, torch.zeros(4, dtype=torch.bool))
    assert float(loss) == pytest.approx(float(parts["anterior"]))
