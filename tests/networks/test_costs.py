"""Counts of what a network costs, against counts by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vertenet.networks import build, cost, measure_speed, register
from vertenet.networks.costs import _Memory
from vertenet.networks.zoo import registry


class Tiny(nn.Module):
    input_size, stride, level_names = (8, 4), 1, None

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 5, 3, padding=1)
        self.second = nn.Conv2d(5, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x).relu_())


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(registry, "_BUILDERS", {**registry._BUILDERS})
    register("tiny")(lambda: Tiny())
    return "tiny"


def test_a_small_network_costs_what_counting_by_hand_gives(tiny):
    counted = cost(tiny)
    assert counted.input_size == (8, 4)
    assert counted.parameters == (3 * 9 + 1) * 5 + (5 + 1) * 2
    assert counted.gmac * 1e9 == pytest.approx(8 * 4 * (3 * 9 * 5 + 5 * 2))
    # The first convolution's map and the second's are alive together, in float32, beside the parameters.
    assert counted.memory_mb * 1e6 == pytest.approx(4 * (counted.parameters + 8 * 4 * (5 + 2)))


@pytest.mark.parametrize(("name", "gmac"), [("vertenet", 74.8), ("guidenet", 85.7)])
def test_multiply_adds_are_those_published_to_half_a_percent(name, gmac):
    assert cost(name).gmac == pytest.approx(gmac, rel=0.005)


def test_a_quarter_of_the_pixels_costs_a_quarter():
    large, small = cost("guidenet", input_size=(128, 128)), cost("guidenet", input_size=(64, 64))
    assert small.gmac == pytest.approx(large.gmac / 4, rel=1e-3)
    assert small.parameters == large.parameters


def test_memory_counted_from_shapes_is_that_of_a_prediction():
    network = build("nfdp", input_size=(64, 64)).eval()
    memory = _Memory()
    image = torch.zeros(1, 3, 64, 64)
    with torch.inference_mode(), memory:
        network(image)
    held = sum(tensor.nbytes for tensor in [*network.parameters(), *network.buffers()])
    assert cost("nfdp", input_size=(64, 64)).memory_mb * 1e6 == pytest.approx(held + memory.most)
    assert memory.alive == {}


def test_measuring_leaves_threads_and_mode_as_they_were(tiny):
    network, threads = build(tiny).train(), torch.get_num_threads()
    assert measure_speed(network, threads=threads + 1, repeats=2) > 0
    assert network.training
    assert torch.get_num_threads() == threads
