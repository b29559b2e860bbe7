"""The refinement stage: what it moves, what it leaves alone, what it says of its errors."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.boxes import COLUMNS, ROWS
from tests.boxes import boxes as truth
from vertenet.errors import ModelError
from vertenet.inference.crops import CROP_DEPTH, CropFrame
from vertenet.inference.refine import DOUBTFUL, REACH, Refiner, refiner_of
from vertenet.learning.crops import POINTS
from vertenet.networks import Card, build, save_weights
from vertenet.radiograph import Radiograph
from vertenet.spine import CORNERS, MIDPOINTS, STANDARD_LEVELS, Corner, CornerName, Level, Spine, Status, Vertebra

CARD = Card("refiner", "refiner", {}, "nothing", True)


class Answers(torch.nn.Module):
    """A network that answers with given points (n, 6, 2), crop pixels, and one expected error, and keeps its input."""

    input_size = (96, 96)

    def __init__(self, points, sigma=1.0):
        super().__init__()
        self.points, self.sigma, self.seen = torch.as_tensor(np.array(points)).float(), torch.as_tensor(sigma), None

    def forward(self, crops):
        self.seen = crops
        return {"points": self.points, "log_sigma": self.sigma.log().expand(self.points.shape[:2])}


def coarse_of(spine, spread=2.0):
    """What a first stage may say of ``spine``: four corners, each a little off, with confidences."""
    rng = np.random.default_rng(3)
    corners = spine.to_array() + rng.uniform(-spread, spread, (6, 4, 2))
    return Spine.from_array(corners, anterior=spine.anterior, confidence=np.full((6, 4), 0.8))


def answers_for(spine, coarse):
    """The points of ``spine`` as the crops around ``coarse`` show them."""
    wanted = [v for v in coarse if np.isfinite(v.to_array()).all()]
    return np.array([CropFrame.around(v.to_array()).from_source(spine[v.level].to_array(POINTS)) for v in wanted])


def radiograph(anterior="right"):
    pixels = np.random.default_rng(0).uniform(0, 255, (ROWS, COLUMNS))
    return Radiograph(pixels, anterior=anterior)


def refine(answers, coarse, sigma=1.0):
    return Refiner(Answers(answers, sigma), CARD)(radiograph(coarse.anterior), coarse)


def with_point(spine, level, name, corner):
    vertebra = replace(spine[level], points={**spine[level].points, name: corner})
    return replace(spine, vertebrae=tuple(vertebra if v.level == level else v for v in spine))


@pytest.mark.parametrize("anterior", ["right", "left"])
def test_points_go_where_the_network_sees_them(anterior):
    spine = truth(anterior)
    coarse = coarse_of(spine)
    refined, _ = refine(answers_for(spine, coarse), coarse)
    np.testing.assert_allclose(refined.to_array(corners=POINTS), spine.to_array(corners=POINTS), atol=1e-3)
    assert refined.anterior == anterior
    assert refined["L1"]["SA"].confidence == 0.8


def test_an_expected_error_is_in_source_pixels():
    coarse = coarse_of(truth())
    _, sigma = refine(answers_for(truth(), coarse), coarse, sigma=1.5)
    assert set(sigma) == {(level, name) for level in STANDARD_LEVELS for name in POINTS}
    for (level, _name), value in sigma.items():
        assert value == pytest.approx(1.5 / CropFrame.around(coarse[level].to_array()).scale)


def test_the_network_sees_each_vertebra_upright_at_its_own_place():
    spine = truth()
    y, x = np.mgrid[:ROWS, :COLUMNS]
    at = spine["L4"]["SA"].xy
    image = Radiograph(255 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 18))
    network = Answers(answers_for(spine, spine))
    Refiner(network, CARD)(image, spine)
    seen = network.seen[STANDARD_LEVELS.index(Level.L4)]
    row, column = np.unravel_index(int(seen[0].argmax()), (96, 96))
    np.testing.assert_allclose([column, row], network.points[4, 0], atol=0.75)
    assert set(network.seen[:, 1].unique().tolist()) <= {0.0, 1.0}


def test_a_corner_that_would_jump_stays_and_its_error_owns_up_to_the_disagreement():
    spine = truth()
    answers = answers_for(spine, spine)
    answers[2, 0] += [(REACH + 0.05) * CROP_DEPTH, 0]
    answers[3, 0] += [(REACH - 0.05) * CROP_DEPTH, 0]
    refined, sigma = refine(answers, spine, sigma=0.1)
    depth = CROP_DEPTH / CropFrame.around(spine["L2"].to_array()).scale
    assert refined["L2"]["SA"] == spine["L2"]["SA"]
    assert sigma[Level.L2, CornerName.SA] == pytest.approx((REACH + 0.05) * depth / 2, rel=1e-3)
    assert refined["L3"]["SA"].x > spine["L3"]["SA"].x + 10
    assert refined["L2"]["SP"].x == pytest.approx(spine["L2"]["SP"].x, abs=1e-3)


def test_a_corner_that_the_refiner_is_unsure_of_stays_and_its_midpoints_are_left_out():
    coarse = coarse_of(truth())
    refined, sigma = refine(answers_for(truth(), coarse), coarse, sigma=(DOUBTFUL + 0.01) * CROP_DEPTH)
    np.testing.assert_array_equal(refined.to_array(), coarse.to_array())
    assert not any(name in vertebra.points for vertebra in refined for name in MIDPOINTS)
    assert min(sigma.values()) > DOUBTFUL * 50


def test_a_midpoint_far_from_its_endplate_is_left_out():
    spine = truth()
    answers = answers_for(spine, spine)
    answers[1, 4] += [0, -(REACH + 0.1) * CROP_DEPTH]
    refined, sigma = refine(answers, spine)
    assert CornerName.SM not in refined["L1"].points
    assert (Level.L1, CornerName.SM) not in sigma
    assert refined["L1"]["IM"].is_present


@pytest.mark.parametrize("status", [Status.OUTSIDE, Status.UNEVALUABLE])
def test_a_corner_that_is_not_present_keeps_status_and_place_and_its_vertebra_gets_no_midpoints(status):
    spine = truth()
    coarse = coarse_of(spine)
    hidden = replace(coarse["L3"]["IA"], status=status)
    coarse = with_point(coarse, Level.L3, CornerName.IA, hidden)
    refined, sigma = refine(answers_for(spine, coarse), coarse)
    assert refined["L3"]["IA"] == hidden
    assert (Level.L3, CornerName.IA) not in sigma
    assert not set(MIDPOINTS) & set(refined["L3"].points)
    np.testing.assert_allclose(refined["L3"]["SA"].xy, spine["L3"]["SA"].xy, atol=1e-3)


def test_a_vertebra_that_lacks_a_corner_or_is_missing_stays_as_it_is():
    spine = truth()
    coarse = with_point(coarse_of(spine), Level.L2, CornerName.SP, Corner.missing())
    coarse = replace(coarse, vertebrae=(*coarse.vertebrae[:-1], Vertebra(Level.L5)))
    refined, sigma = refine(answers_for(spine, coarse), coarse)
    assert refined["L2"] == coarse["L2"]
    assert refined["L5"].is_missing
    assert {level for level, _ in sigma} == {Level.T12, Level.L1, Level.L3, Level.L4}


def test_a_point_that_leaves_the_image_is_called_outside():
    spine = truth().map_points(lambda p: p - [0, 36])
    answers = answers_for(spine, spine)
    answers[0, 0, 1] -= 8
    refined, sigma = refine(answers, spine)
    assert spine["T12"]["SA"].is_present
    assert refined["T12"]["SA"].status is Status.OUTSIDE
    assert refined["T12"]["SA"].x is not None
    assert (Level.T12, CornerName.SA) not in sigma


def test_a_spine_without_vertebrae_is_given_back():
    empty = Spine((), "right").select(STANDARD_LEVELS)
    refined, sigma = refine(np.empty((0, 6, 2)), empty)
    assert refined == empty
    assert sigma == {}


def test_weights_from_a_file_keep_levels_and_statuses_and_move_nothing_beyond_their_reach(tmp_path):
    torch.manual_seed(0)
    network = build("refiner", width=4, decoder=8)
    path = refiner_of(tmp_path / "tiny.safetensors")
    save_weights(network, path, Card.of(network, name="tiny", training_data="nothing", synthetic_only=True))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tiny.refiner.json", "tiny.refiner.safetensors"]
    coarse = with_point(coarse_of(truth()), Level.T12, CornerName.SA, Corner(170, -5, Status.OUTSIDE))
    refined, sigma = Refiner.load(path)(radiograph(), coarse)
    assert refined.levels == coarse.levels
    for vertebra in coarse:
        for name in CORNERS:
            assert refined[vertebra.level][name].status == vertebra[name].status
    moved = np.linalg.norm(refined.to_array() - coarse.to_array(), axis=-1)
    assert moved.max() < (REACH + 0.01) * 65
    assert all(value > 0 for value in sigma.values())


def test_other_weights_are_refused(tmp_path):
    torch.manual_seed(0)
    network = build("vertenet-lite", input_size=(256, 256), parts=((), (), ()))
    path = tmp_path / "whole.safetensors"
    save_weights(network, path, Card.of(network, name="w", training_data="nothing", synthetic_only=True))
    with pytest.raises(ModelError, match="not of a refiner"):
        Refiner.load(path)
    with pytest.raises(ModelError, match="no such weight file"):
        Refiner.load(tmp_path / "none.safetensors")
