"""NFDP: its flow is a density of the plane, its mean the softmax's, its loss a likelihood."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vertenet.networks import build
from vertenet.networks.zoo.nfdp import LEAST_SCALE, RealNVP


def strange_flow(seed: int, strength: float = 0.4) -> RealNVP:
    """A flow far from the normal distribution it starts as."""
    torch.manual_seed(seed)
    flow = RealNVP()
    for parameter in flow.parameters():
        torch.nn.init.normal_(parameter, std=strength if parameter.ndim == 1 else strength / parameter.shape[1] ** 0.5)
    return flow.requires_grad_(False)


@pytest.fixture(scope="module")
def nfdp():
    torch.manual_seed(0)
    return build("nfdp", input_size=(128, 64))


def answer(mean: torch.Tensor, scale: float) -> dict[str, torch.Tensor]:
    """What a network says that finds ``mean`` (B, 6, 4, 2), frame pixels of an image of 128 x 64."""
    fractions = (mean / torch.tensor([64.0, 128.0])).flatten(1, 2)
    return {"mean": fractions, "scale": torch.full_like(fractions, scale)}


def corners(seed=0) -> torch.Tensor:
    """(2, 6, 4, 2) places inside an image of 128 x 64."""
    return torch.rand(2, 6, 4, 2, generator=torch.Generator().manual_seed(seed)) * torch.tensor([63.0, 127.0])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_the_flow_can_be_undone(seed):
    flow = strange_flow(seed)
    points = torch.randn(50, 2)
    torch.testing.assert_close(flow.from_normal(flow.to_normal(points)[0]), points, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("seed", range(2))
def test_the_flows_density_integrates_to_one(seed):
    flow = strange_flow(seed)
    side = torch.linspace(-12, 12, 241)
    step = float(side[1] - side[0])
    density = flow.log_density(torch.cartesian_prod(side, side)).exp()
    assert float(density.double().sum()) * step**2 == pytest.approx(1, abs=0.001)
    assert not torch.allclose(density, RealNVP().log_density(torch.cartesian_prod(side, side)).exp(), atol=0.02)


def test_the_flow_starts_near_the_normal_distribution():
    torch.manual_seed(0)
    points = torch.randn(100, 2)
    normal = -points.square().sum(-1) / 2 - math.log(2 * math.pi)
    torch.testing.assert_close(RealNVP().log_density(points), normal, rtol=0, atol=0.1)


def test_the_density_keeps_float32_under_mixed_precision():
    flow, points = strange_flow(0), torch.randn(100, 2)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = flow.log_density(points.bfloat16().float())
    torch.testing.assert_close(mixed, flow.log_density(points.bfloat16().float()))


def test_a_point_far_from_the_truth_costs_a_finite_amount(nfdp):
    truth = corners()
    parts = nfdp.loss(answer(torch.zeros_like(truth), LEAST_SCALE), truth)
    assert all(math.isfinite(part.item()) for part in parts.values())


def test_a_sure_right_answer_costs_least(nfdp):
    truth = corners()
    total = {
        (shift, scale): sum(nfdp.loss(answer(truth + shift, scale), truth).values()).item()
        for shift in (0.0, 5.0)
        for scale in (0.001, 0.1)
    }
    assert total[0.0, 0.001] < total[0.0, 0.1] < total[5.0, 0.1] < total[5.0, 0.001]


def test_the_laplace_part_is_a_negative_log_likelihood(nfdp):
    truth = corners()
    shift, scale = 3.2, 0.02
    part = float(nfdp.loss(answer(truth + torch.tensor([shift, 0.0]), scale), truth)["laplace"])
    distribution = torch.distributions.Laplace(0.0, math.sqrt(2) * scale)
    expected = -distribution.log_prob(torch.tensor([shift / 64, 0.0])).sum()
    assert part == pytest.approx(float(expected), rel=1e-4)


def test_unknown_and_outside_points_do_not_count(nfdp):
    truth = corners()
    said = answer(truth + 4, 0.05)
    said["mean"].requires_grad_()
    spoilt = truth.clone()
    spoilt[0, 2:], spoilt[1, :, 1:] = torch.nan, torch.tensor([10.0, 500.0])
    sum(nfdp.loss(said, spoilt).values()).backward()
    assert torch.equal(said["mean"].grad.abs().amax(dim=-1) > 0, nfdp.known(spoilt).flatten(1))
    nothing = nfdp.loss(said, torch.full_like(truth, torch.nan))
    assert [part.item() for part in nothing.values()] == [0, 0]


def test_the_mean_is_where_the_scores_are(nfdp):
    scores = torch.zeros(1, 24, 32, 16)
    scores[0, :, 20, 6] = 40.0
    torch.testing.assert_close(nfdp._mean(scores)[0, 0], torch.tensor([6 / 16, 20 / 32]))
    scores[0, :, 20, 9] = 40.0
    torch.testing.assert_close(nfdp._mean(scores)[0, 0], torch.tensor([7.5 / 16, 20 / 32]))


def test_points_come_in_pixels_of_the_frame(nfdp):
    truth = corners()
    points, confidence = nfdp.landmarks(answer(truth, 0.05))
    torch.testing.assert_close(points, truth)
    torch.testing.assert_close(confidence, torch.full((2, 6, 4), 0.95))


def test_maps_have_their_shapes_and_scales_lie_within_the_image(nfdp):
    with torch.no_grad():
        maps = nfdp(torch.rand(2, 3, 128, 64) - 0.5)
    assert {name: tuple(value.shape) for name, value in maps.items()} == {"mean": (2, 24, 2), "scale": (2, 24, 2)}
    assert maps["scale"].min() >= LEAST_SCALE
    assert maps["scale"].max() <= 1


def test_the_loss_falls_on_a_tiny_problem():
    torch.manual_seed(0)
    network = build("nfdp", input_size=(64, 64))
    images, truth = torch.rand(2, 3, 64, 64) - 0.5, 10 + 44 * torch.rand(2, 6, 4, 2)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(8):
        loss = sum(network.loss(network(images), truth).values())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 1


def test_the_loss_called_nfdp_counts_the_flow_as_the_published_code_does_and_nfdp_density_once():
    """The published form, written as its code does: (points, 2) log-scales less (points, 1) log-densities, summed."""
    torch.manual_seed(0)
    networks = {name: build(name, input_size=(128, 64)) for name in ("nfdp", "nfdp-density")}
    flow = strange_flow(3)
    for network in networks.values():
        network.flow.load_state_dict(flow.state_dict())
    gradients = {}
    for seed in (0, 1):
        truth = corners(seed)
        for name, counted in (("nfdp", 2), ("nfdp-density", 1)):
            said = answer(truth + 3 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(9)), 0.04)
            said["mean"].requires_grad_()
            parts = networks[name].loss(said, truth)
            known = networks[name].known(truth).flatten(1)
            extent = torch.tensor([64.0, 128.0])
            error = ((said["mean"] - truth.flatten(1, 2) / extent) / said["scale"])[known]
            log_phi, log_sigma = flow.log_density(error)[:, None], said["scale"][known].log()
            published = (log_sigma - log_phi).sum(dim=-1)
            once = log_sigma.sum(dim=-1) - log_phi[:, 0]
            expected = (published if counted == 2 else once).mean()
            torch.testing.assert_close(parts["flow"], expected)
            sum(parts.values()).backward()
            gradients[name] = said["mean"].grad.flatten()
        cosine = torch.nn.functional.cosine_similarity(gradients["nfdp"], gradients["nfdp-density"], dim=0)
        assert cosine < 0.9999
