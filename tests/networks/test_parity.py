"""The network is the same function as the authors', through their checkpoint format."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

from vertenet.networks import load_authors_checkpoint

from . import authors


@pytest.fixture(scope="module")
def maps(authors_file) -> dict[str, np.ndarray]:
    module = load_authors_checkpoint(authors_file)
    with torch.no_grad():
        return {name: value[0].numpy() for name, value in module(authors.image()).items()}


def reference() -> dict[str, tuple[np.ndarray, np.ndarray, float]]:
    """Places, values and standard deviation of each map: all of it where VERTENET_PARITY names the full file."""
    full = os.environ.get("VERTENET_PARITY")
    with np.load(full or authors.SAMPLE) as stored:
        if full:
            return {n: (np.arange(stored[n].size), stored[n].ravel(), stored[n].std()) for n in authors.MAPS}
        return {n: (stored[f"{n}_places"], stored[f"{n}_values"], stored[f"{n}_std"]) for n in authors.MAPS}


def test_maps_have_the_published_shapes(maps):
    assert {name: value.shape for name, value in maps.items()} == {
        "hm": (1, 256, 128),
        "reg": (2, 256, 128),
        "wh": (8, 256, 128),
    }


def test_maps_agree_with_those_of_the_authors_network(maps):
    for name, (places, values, std) in reference().items():
        distance = np.abs(maps[name].ravel()[places] - values) / std
        print(
            f"{name}: {values.size} values, 99.9 % within {np.quantile(distance, 0.999):.2e}, all {distance.max():.2e}"
        )
        assert np.quantile(distance, 0.999) < 1e-3, name
        assert distance.max() < 1e-2, name


def test_spread_of_the_maps_is_that_of_the_authors_network(maps):
    for name, (_, _, std) in reference().items():
        assert maps[name].std() == pytest.approx(std, rel=1e-4)
