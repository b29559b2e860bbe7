"""From a path, or from a network that names its points, to the six standard levels in source pixels."""

import numpy as np
import pytest
import torch

from vertenet.imaging.frame import Frame
from vertenet.inference.decode import Candidate
from vertenet.inference.levels import LevelPath
from vertenet.inference.spines import build_spine, spine_from_maps
from vertenet.networks.landmarks import LandmarkNetwork
from vertenet.spine import CORNERS, LADDER, STANDARD_LEVELS, Level, Status, Transition

BODY = np.array([[50.0, -35], [-50, -35], [50, 35], [-50, 35]])


def path(levels, **others):
    """Candidates a hundred pixels apart and the path that names them so."""
    centres = [np.array([200.0, 100.0 * i + 50]) for i in range(len(levels))]
    found = [Candidate(0.7, centre, centre + BODY) for centre in centres]
    return found, LevelPath(tuple(enumerate(levels)), 0.0, **others)


def test_the_six_levels_are_there_with_the_corners_of_their_candidates():
    found, names = path(LADDER, transition=Transition.NONE)
    spine = build_spine(found, names, (1000, 400))
    assert spine.levels == STANDARD_LEVELS
    assert spine.transition is Transition.NONE
    np.testing.assert_allclose(spine[Level.L3].to_array(), found[LADDER.index(Level.L3)].corners)
    assert spine[Level.L3].confidence == pytest.approx(0.7)


def test_a_level_between_two_others_is_missing_and_one_beyond_the_field_outside():
    found, _ = path(LADDER[2:7])
    names = LevelPath(((0, Level.L1), (1, Level.L2), (3, Level.L4), (4, Level.L5)), 0.0)
    spine = build_spine(found, names, (500, 400))
    assert {corner.status for corner in spine[Level.L3].points.values()} == {Status.MISSING}
    assert {corner.status for corner in spine[Level.T12].points.values()} == {Status.OUTSIDE}


def test_the_l5_that_four_lumbar_vertebrae_lack_is_missing_even_at_the_edge_of_the_field():
    four = (Level.L1, Level.L2, Level.L3, Level.L4, Level.S1)
    found, names = path(four, anatomy=Transition.SACRALISED_L5, transition=Transition.SACRALISED_L5)
    spine = build_spine(found, names, (500, 400))
    assert spine.transition is Transition.SACRALISED_L5
    assert {corner.status for corner in spine[Level.L5].points.values()} == {Status.MISSING}


def test_corners_beyond_the_pixels_keep_their_place_and_are_outside():
    found, names = path((Level.L1, Level.L2, Level.L3))
    spine = build_spine(found, names, (270, 400))
    statuses = {name: spine[Level.L3][name].status for name in CORNERS}
    assert [str(status) for status in statuses.values()] == ["present", "present", "outside", "outside"]
    assert spine[Level.L3]["IA"].y == pytest.approx(285)


class Fixed(LandmarkNetwork):
    """Says the same 24 points of every image."""

    def __init__(self):
        super().__init__((512, 256))
        self.points = torch.arange(48.0).reshape(1, 6, 4, 2) + 40

    def forward(self, x):
        return {"points": self.points.expand(len(x), -1, -1, -1)}

    def loss(self, maps, corners):
        return {"points": (maps["points"] - corners).abs().mean()}

    def landmarks(self, maps):
        return maps["points"], torch.full(maps["points"].shape[:3], 0.6)


def test_a_network_that_names_its_points_is_read_as_it_says_and_never_certain():
    network, shape = Fixed(), (1024, 512)
    maps = {name: value[0].numpy() for name, value in network(torch.zeros(1, 3, 512, 256)).items()}
    spine, levels, warnings = spine_from_maps(maps, shape, network)
    expected = Frame((1024, 512), (512, 256)).to_source(network.points[0].numpy())
    np.testing.assert_allclose(spine.to_array(STANDARD_LEVELS), expected)
    assert spine[Level.L2]["SA"].confidence == pytest.approx(0.6)
    assert not levels.certain
    assert levels.margin is None
    assert any("not decoded" in warning for warning in warnings)
