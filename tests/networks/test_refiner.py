"""The refiner network: shapes, gradients, reading of heatmaps, indifference to tone."""

import pytest
import torch

from vertenet.errors import OptionError
from vertenet.networks import build, names
from vertenet.networks.refiner import RefinerNetwork, cell_centres, standardised


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return build("refiner", width=4, decoder=8).eval()


def crops(n=2, seed=0):
    values = torch.rand(n, 1, 96, 96, generator=torch.Generator().manual_seed(seed))
    return torch.cat([values, torch.ones_like(values)], dim=1)


def test_it_is_built_by_name_but_is_no_method_of_its_own():
    network = build("refiner")
    assert (network.input_size, network.stride, network.level_names) == ((96, 96), 2, None)
    assert 3e5 < sum(p.numel() for p in network.parameters()) < 1e6
    assert "refiner" not in names()
    with pytest.raises(OptionError):
        build("refiner", depth=3)


def test_it_answers_with_six_points_their_errors_and_their_heatmaps(network):
    outputs = network(crops(3))
    shapes = {name: tuple(value.shape) for name, value in outputs.items()}
    assert shapes == {"points": (3, 6, 2), "log_sigma": (3, 6), "heat": (3, 6, 48, 48)}
    assert all(torch.isfinite(value).all() for value in outputs.values())
    assert outputs["points"].min() > 0
    assert outputs["points"].max() < 95


def test_every_parameter_learns_from_points_and_their_errors():
    network = build("refiner", width=4, decoder=8).train()
    outputs = network(crops(4))
    (outputs["points"].square().mean() + outputs["log_sigma"].square().mean()).backward()
    idle = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    # A softmax ignores what is added to every cell alike.
    assert set(idle) <= {"heat.1.bias"}


def test_brightness_and_contrast_change_nothing(network):
    first = crops()
    toned = first * torch.tensor([73.0, 1.0])[:, None, None] + torch.tensor([20.0, 0.0])[:, None, None]
    for name, value in network(first).items():
        torch.testing.assert_close(network(toned)[name], value, atol=1e-2, rtol=1e-3)


def test_pixels_beyond_the_image_take_no_part():
    inputs = crops(1)
    inputs[:, 1, :, 50:] = 0
    other = inputs.clone()
    other[:, 0, :, 50:] = 1e4
    torch.testing.assert_close(standardised(inputs), standardised(other))
    inside = standardised(inputs)[0, 0, :, :50]
    assert inside.mean().item() == pytest.approx(0, abs=1e-5)
    assert inside.std().item() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("valid", [0.0, 1.0])
def test_an_empty_or_flat_crop_gives_finite_answers(network, valid):
    flat = torch.stack([torch.full((96, 96), 255.0), torch.full((96, 96), valid)])[None]
    assert all(torch.isfinite(value).all() for value in network(flat).values())


def test_a_heatmap_is_read_to_fractions_of_a_cell():
    network = RefinerNetwork(width=4, decoder=8)
    place = torch.tensor([31.3, 62.8])
    cells = cell_centres((48, 48), 2)
    heat = (-(cells - place).square().sum(-1) / (2 * 2.0**2)).reshape(1, 1, 48, 48).expand(1, 6, 48, 48)
    points = network._read(heat, torch.zeros(1, 8, 48, 48))["points"]
    torch.testing.assert_close(points, place.expand(1, 6, 2), atol=0.02, rtol=0)


def test_the_middle_of_a_cell_is_the_middle_of_the_pixels_that_it_covers():
    cells = cell_centres((2, 3), 2)
    assert cells.tolist() == [[0.5, 0.5], [2.5, 0.5], [4.5, 0.5], [0.5, 2.5], [2.5, 2.5], [4.5, 2.5]]
