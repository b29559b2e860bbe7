import math

import pytest
import torch

from tests.learning.boxes import boxes
from vertenet.learning.losses import Counts, count, focal_loss, offset_loss, total_loss
from vertenet.learning.targets import make_targets
from vertenet.networks import build

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


def test_offsets_at_the_places_of_vertebrae_teach_what_dense_offsets_teach():
    maps, targets, faces_right = case()
    corners = torch.from_numpy(boxes(4).corners) / 4
    corners[:, 1] = corners[:, 0] + 1.2  # two so close that their neighbourhoods overlap
    corners[0, 5] += 0.0 - corners[0, 5].mean(dim=0)  # and one at the very corner of the map
    targets = make_targets(corners, torch.from_numpy(boxes(4).centres) / 4, GRID, 1, targets.taught)
    framed = {name: torch.nn.functional.pad(maps[name], (1, 1, 1, 1)) for name in ("reg", "wh")}
    sparse = {name: value for name, value in maps.items() if name not in framed}
    for name, value in framed.items():
        at = [
            [value[b, :, p // 32 : p // 32 + 3, p % 32 : p % 32 + 3] for p in targets.places[b].tolist()]
            for b in range(4)
        ]
        sparse[f"{name}_at"] = torch.stack([torch.stack(row) for row in at])
    whole, parts = total_loss(maps, targets, faces_right)
    other, others = total_loss(sparse, targets, faces_right)
    assert float(parts["wh"]) > 0
    for name, value in parts.items():
        assert float(others[name]) == pytest.approx(float(value), rel=1e-6), name
    assert float(other) == pytest.approx(float(whole), rel=1e-6)


def test_a_network_learns_the_same_from_the_places_as_from_dense_maps():
    torch.manual_seed(0)
    network = build("vertenet", input_size=(256, 256), parts=((), (), ())).eval()  # eval: norms that hold still
    samples = boxes(2)
    scaled = torch.from_numpy(samples.corners) / 4, torch.from_numpy(samples.centres) / 4
    targets, faces_right = make_targets(*scaled, (64, 64), 1), torch.ones(2, dtype=torch.bool)
    images = torch.rand(2, 3, 256, 256) - 0.5
    losses, gradients = [], []
    for given in ((), (targets.places,)):
        network.zero_grad()
        loss, _ = total_loss(network(images, *given), targets, faces_right)
        loss.backward()
        losses.append(float(loss.detach()))
        gradients.append({name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None})
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert set(gradients[0]) == set(gradients[1])
    for name, value in gradients[0].items():
        scale = max(float(value.abs().max()), 1e-3)
        torch.testing.assert_close(gradients[1][name] / scale, value / scale, atol=1e-3, rtol=1e-3)
