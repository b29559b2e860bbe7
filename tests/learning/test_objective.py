import torch
from torch import nn

from tests.learning.boxes import SIZE, boxes
from vertenet.learning.augmentation import Augmentation
from vertenet.learning.feed import AugmentedImages, Plan, make_loader
from vertenet.learning.objective import Objective
from vertenet.networks.landmarks import LandmarkNetwork


class Points(LandmarkNetwork):
    """Says the same points of every image."""

    def __init__(self):
        super().__init__(SIZE)
        self.points = nn.Parameter(torch.full((6, 4, 2), 60.0))

    def forward(self, x):
        return {"points": self.points.expand(len(x), -1, -1, -1)}

    def loss(self, maps, corners):
        known = self.known(corners)
        return {"points": (maps["points"] - corners)[known].abs().mean()}

    def landmarks(self, maps):
        return maps["points"], torch.ones(maps["points"].shape[:3])


def test_a_landmark_network_is_taught_its_own_loss_whole_or_in_parts():
    dataset = AugmentedImages(boxes(4), Augmentation.none(), 1)
    (batch,) = make_loader(dataset, Plan(4, 4, range(1), seed=1), workers=0, pinned=False)
    network = Points()
    maps = network(batch.images[:, None].expand(-1, 3, -1, -1))
    objective = Objective(network, batch, spread=1)
    whole, parts = objective(maps, slice(0, 4))
    torch.testing.assert_close(whole, network.loss(maps, batch.corners)["points"])
    assert set(parts) == {"points"}
    halves = [objective({"points": maps["points"][part]}, part)[0] for part in (slice(0, 2), slice(2, 4))]
    torch.testing.assert_close(sum(halves), whole)
