import math

import numpy as np
import pytest
import torch

from vertenet.inference.decode import find_candidates, top_six
from vertenet.learning.samples import BODIES
from vertenet.learning.targets import gaussian_radius, make_targets
from vertenet.networks import LEVEL_NAMES
from vertenet.spine import UPPER_THORACIC, Level

GRID = (128, 64)
NAMES = LEVEL_NAMES


def corners():
    """(1, 6, 4, 2) cells: vertebrae that are neither upright nor alike."""
    xy = torch.empty(1, 6, 4, 2)
    for i in range(6):
        x, y = 30.4 + 0.7 * i, 20.3 + 15.6 * i
        xy[0, i] = torch.tensor([[x + 8, y - 5], [x - 8, y - 6.5], [x + 8.5, y + 5.2], [x - 7.5, y + 6.1]])
    return xy


def centres(xy):
    middle = xy.mean(dim=2)
    return torch.cat([middle[:, :1] - torch.tensor([0.0, 15.0]), middle, middle[:, -1:] + torch.tensor([0, 15.0])], 1)


def iou(h, w, dx1, dy1, dx2, dy2):
    overlap = max(0, min(w, w + dx2) - max(0, dx1)) * max(0, min(h, h + dy2) - max(0, dy1))
    return overlap / (h * w + (w + dx2 - dx1) * (h + dy2 - dy1) - overlap)


@pytest.mark.parametrize(("h", "w"), [(11.0, 15.5), (30.0, 30.0), (8.0, 40.0)])
def test_the_radius_keeps_every_displaced_box_above_the_iou_and_is_the_largest_that_does(h, w):
    r = float(gaussian_radius(torch.tensor(h), torch.tensor(w)))

    def worst(r):
        return min(iou(h, w, r, r, r, r), iou(h, w, r, r, -r, -r), iou(h, w, -r, -r, r, r))

    assert worst(r) == pytest.approx(0.7, abs=1e-4)
    assert worst(1.05 * r) < 0.7


def test_targets_decode_back_to_the_corners_they_were_made_from():
    xy = corners()
    targets = make_targets(xy, centres(xy), GRID)
    maps = {"hm": targets.hm, "reg": targets.reg, "wh": targets.wh, "level": targets.level}
    maps = {key: value[0].numpy() for key, value in maps.items()}
    np.testing.assert_allclose(top_six(maps, 4).to_array(), 4 * xy[0].numpy()[:, [0, 1, 2, 3]], atol=1e-3)
    found = find_candidates(maps, 4, NAMES)
    assert [max(c.level_scores, key=c.level_scores.get).value for c in found] == list(NAMES[1:])
    np.testing.assert_allclose([c.corners for c in found[1:7]], 4 * xy[0].numpy(), atol=1e-3)


def test_each_heatmap_peak_is_exactly_one_at_its_integer_cell():
    xy = corners()
    targets = make_targets(xy, centres(xy), GRID)
    assert int(targets.hm.eq(1).sum()) == 6
    assert targets.level.eq(1).sum(dim=(2, 3)).tolist() == [[0] + [1] * 8]
    column, row = xy[0, 2].mean(dim=0).floor().int().tolist()
    assert targets.hm[0, 0, row, column] == 1
    assert targets.weight[0, 0, row, column] == 1


def test_an_unknown_vertebra_teaches_nothing_and_breaks_nothing():
    xy = corners()
    xy[0, 3] = math.nan
    known = centres(corners())
    known[0, 4] = math.nan
    targets = make_targets(xy, known, GRID)
    assert int(targets.hm.eq(1).sum()) == 5
    assert targets.level[0, 5].max() == 0
    for tensor in (targets.hm, targets.level, targets.reg, targets.wh, targets.weight):
        assert torch.isfinite(tensor).all()


def test_every_body_above_t11_is_taught_in_one_map_with_its_corners():
    six = corners()
    xy = torch.full((1, len(BODIES), 4, 2), math.nan)
    xy[0, :6] = six[0]
    for rank, level in enumerate((Level.T9, Level.T10)):
        xy[0, BODIES.index(level)] = six[0, 0] - torch.tensor([0.0, 18.0 - 9.0 * rank])
    targets = make_targets(xy, centres(six), GRID)
    middle = xy[0, [BODIES.index(level) for level in (Level.T9, Level.T10)]].mean(dim=1)
    for column, row in middle.floor().int().tolist():
        assert targets.level[0, 0, row, column] == 1
        assert 0 < targets.weight[0, 0, row, column] < 1
        found = middle.new_tensor([column, row]) + targets.reg[0, :, row, column]
        assert (middle - found).abs().max(dim=1).values.min() < 1e-4
    assert targets.hm[0, 0, : int(middle[1, 1]) + 1].max() < 1
    assert len(UPPER_THORACIC) == 10


def test_spread_zero_is_the_authors_rule_of_one_cell_a_vertebra():
    xy = corners()
    assert int(make_targets(xy, centres(xy), GRID, spread=0).weight.gt(0).sum()) == 6
