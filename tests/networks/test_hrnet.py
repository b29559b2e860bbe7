"""HRNet: targets, decoding and loss on heatmaps whose truth is known."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vertenet.errors import ModelError
from vertenet.networks import build
from vertenet.networks.zoo.hrnet import gaussians, peaks


@pytest.fixture(scope="module")
def hrnet():
    torch.manual_seed(0)
    return build("hrnet-w32", input_size=(128, 64))


def corners(seed=0) -> torch.Tensor:
    """(2, 6, 4, 2) places inside an image of 128 x 64 and not in its outermost cells."""
    return 4 + torch.rand(2, 6, 4, 2, generator=torch.Generator().manual_seed(seed)) * torch.tensor([52.0, 116.0])


@settings(max_examples=50, deadline=None)
@given(st.floats(1, 14), st.floats(1, 30))
def test_decoding_is_right_to_a_quarter_of_a_cell_away_from_the_border(x, y):
    cells, heights = peaks(gaussians(torch.tensor([[[x, y]]]), (32, 16), sigma=2.0))
    assert (cells[0, 0] - torch.tensor([x, y])).abs().max() <= 0.2501
    assert 0.9 < float(heights) <= 1


def test_the_shift_goes_towards_the_higher_neighbour_and_not_beyond_the_border():
    heatmap = torch.zeros(1, 3, 8, 8)
    heatmap[0, 0, 4, 4], heatmap[0, 0, 4, 5], heatmap[0, 0, 3, 4] = 1.0, 0.5, 0.2
    heatmap[0, 1, 0, 7] = 1.0
    heatmap[0, 2, 6, 0], heatmap[0, 2, 6, 1] = 1.0, 0.9
    assert peaks(heatmap)[0][0].tolist() == [[4.25, 3.75], [7, 0], [0, 6]]


def test_perfect_heatmaps_cost_nothing_and_empty_ones_cost_one(hrnet):
    truth = corners()
    perfect = gaussians(truth.flatten(1, 2) / 4, (32, 16), 2.0)
    assert float(hrnet.loss({"heatmaps": perfect}, truth)["heatmaps"]) == 0
    middle = torch.full((1, 6, 4, 2), 32.0)
    empty = torch.zeros(1, 24, 32, 16)
    assert float(hrnet.loss({"heatmaps": empty}, middle)["heatmaps"]) == pytest.approx(1, abs=0.01)


def test_perfect_heatmaps_are_read_back_to_a_pixel(hrnet):
    truth = corners()
    points, confidence = hrnet.landmarks({"heatmaps": gaussians(truth.flatten(1, 2) / 4, (32, 16), 2.0)})
    assert points.shape == truth.shape
    assert (points - truth).abs().max() < 1.001
    assert confidence.shape == (2, 6, 4)
    assert confidence.min() > 0.9


def test_unknown_and_outside_points_do_not_count(hrnet):
    heatmaps = torch.rand(2, 24, 32, 16, generator=torch.Generator().manual_seed(1)).requires_grad_()
    truth = corners()
    truth[0, 2:], truth[1, :, 1:] = torch.nan, torch.tensor([10.0, 500.0])
    loss = hrnet.loss({"heatmaps": heatmaps}, truth)["heatmaps"]
    loss.backward()
    touched = heatmaps.grad.abs().amax(dim=(2, 3)) > 0
    assert torch.equal(touched, hrnet.known(truth).flatten(1))
    nothing = hrnet.loss({"heatmaps": heatmaps}, torch.full_like(truth, torch.nan))["heatmaps"]
    assert nothing.item() == 0


def test_images_of_another_size_are_refused(hrnet):
    with pytest.raises(ModelError, match=r"\(B, 3, 128, 64\), but got \(1, 3, 64, 64\)"):
        hrnet(torch.zeros(1, 3, 64, 64))


def test_the_loss_falls_on_a_tiny_problem():
    torch.manual_seed(0)
    network = build("hrnet-w32", input_size=(64, 64))
    images, truth = torch.rand(2, 3, 64, 64) - 0.5, 10 + 44 * torch.rand(2, 6, 4, 2)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(6):
        loss = network.loss(network(images), truth)["heatmaps"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
