"""Offsets at a few places are those of the dense maps, and a network read at its peaks says what the whole one says."""

import numpy as np
import pytest
import torch

from vertenet.inference.decode import dense, find_candidates, top_six
from vertenet.networks import build
from vertenet.networks.heads import MapHead
from vertenet.networks.peaks import view_of


@pytest.mark.parametrize("kernels", [(3, 1), (5, 1), (7, 7)])
def test_a_head_at_some_places_gives_what_the_dense_map_holds_there_and_around(kernels):
    torch.manual_seed(0)
    head, x = MapHead(5, 6, 3, kernels).eval(), torch.randn(2, 5, 9, 11)
    places = torch.stack([torch.arange(99), torch.arange(99).flip(0)])  # every cell, borders and corners too
    with torch.no_grad():
        whole, found = head(x), head.around(x, places)
    assert found.shape == (2, 99, 3, 3, 3)
    framed = torch.nn.functional.pad(whole, (1, 1, 1, 1), value=torch.nan)
    for b in range(2):
        for n, place in enumerate(places[b].tolist()):
            row, column = divmod(place, 11)
            there = framed[b, :, row : row + 3, column : column + 3]
            known = ~torch.isnan(there)
            torch.testing.assert_close(found[b, n][known], there[known], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["vertenet-lite", "vertenet"])
def test_candidates_of_a_network_read_at_its_peaks_are_those_of_its_dense_maps(name):
    torch.manual_seed(1)
    network = build(name, input_size=(256, 256)).eval()
    torch.nn.init.normal_(network.centre[-1].weight, std=0.3)  # peaks of many heights, as after training
    grey = torch.rand(2, 1, 256, 256) - 0.5
    with torch.inference_mode():
        whole = {n: v.numpy() for n, v in network(grey.expand(-1, 3, -1, -1)).items()}
        peaks = {n: v.numpy() for n, v in view_of(network)(grey).items()}
    for i in range(2):
        ours = dense({n: v[i] for n, v in peaks.items()})
        theirs = {n: v[i] for n, v in whole.items()}
        np.testing.assert_allclose(ours["hm"], theirs["hm"], atol=1e-5)
        found, wanted = (find_candidates(maps, 4, network.level_names) for maps in (ours, theirs))
        assert len(found) == len(wanted) > 6
        for one, other in zip(found, wanted):
            np.testing.assert_allclose(one.corners, other.corners, atol=1e-2)
            assert one.score == pytest.approx(other.score, abs=1e-5)
        spines = [top_six(maps, 4) for maps in (ours, theirs)]
        np.testing.assert_allclose(*(spine.to_array() for spine in spines), atol=1e-2)
