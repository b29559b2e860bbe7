"""The standing lumbar film: a whole pelvis below the spine, bright as film shows it."""

from __future__ import annotations

import numpy as np
import pytest

from vertenet.phantom import PhantomTruth, difficulties, films, generate, scanners
from vertenet.phantom.anatomy import sample_column
from vertenet.phantom.switches import Switches
from vertenet.spine import Level, Status, Transition


@pytest.mark.parametrize("difficulty", difficulties())
@pytest.mark.parametrize("film", films())
def test_a_film_generates_at_every_difficulty(film, difficulty):
    radiograph, truth = generate(5, scanner=film, difficulty=difficulty)
    assert radiograph.pixels.shape == (truth.rows, truth.columns)
    assert radiograph.pixels.std() > 10
    assert PhantomTruth.from_json(truth.to_json()) == truth


def test_no_film_is_drawn_among_the_densitometers():
    assert set(films()).isdisjoint(scanners())


@pytest.mark.parametrize("seed", range(6))
def test_the_field_reaches_far_below_l5_and_nothing_is_blanked(seed):
    low, high = films()["lumbar-film"].reach.below_mm
    _, truth = generate(seed, "lumbar-film", "training", clipped_bottom=False)
    last = max((v for v in truth.anatomy if v.level in (Level("L4"), Level("L5"))), key=lambda v: v.level.value)
    lowest = np.nanmax(last.to_array()[:, 1])
    below = (truth.rows - 0.5 - lowest) * truth.spacing.row
    assert low - 25 <= below <= high + 45  # the corridor, or a fourth lumbar vertebra alone, may end elsewhere
    assert truth.crop.blanked == ()
    assert truth.switches.blanking is None
    assert truth.crop.colour is None
    assert all(c.status is not Status.UNEVALUABLE for _, c in truth.anatomy.named_points())


@pytest.mark.parametrize("seed", range(6))
def test_the_field_begins_just_above_t12(seed):
    low, high = films()["lumbar-film"].reach.above_mm
    _, truth = generate(seed, "lumbar-film", "training", clipped_top=False, clipped_bottom=False, lstv=Transition.NONE)
    above = (np.nanmin(truth.anatomy["T12"].to_array()[:, 1]) + 0.5) * truth.spacing.row
    assert low - 3 <= above <= high + 3  # midpoints of a hollow endplate, and whole rows


def test_the_pelvis_is_brighter_than_the_belly_in_front_of_the_lumbar_spine():
    brighter = 0
    for seed in range(8):
        radiograph, truth = generate(seed, "lumbar-film", "easy", crop=None, clipped_bottom=False)
        s1, l2 = (truth.anatomy[level].to_array()[:4] for level in ("S1", "L2"))
        unit = np.ptp(l2[:, 0])
        belly = _mean(radiograph.pixels, l2.mean(0) + np.array([0.9, 0]) * unit, unit / 4)
        pelvis = _mean(radiograph.pixels, s1.mean(0) + np.array([0.3, 1.2]) * unit, unit / 4)
        brighter += pelvis > belly + 20
    assert brighter == 8


def test_a_standing_spine_is_more_lordotic_than_the_same_one_lying():
    lying, standing = (sample_column(3, Switches(), upright) for upright in (False, True))

    def lordosis(column) -> float:
        first, last = (column[level].forward for level in ("L1", "S1"))
        return float(np.degrees(np.arccos(np.clip(first @ last, -1, 1))))

    assert lordosis(standing) > lordosis(lying) + 2


def _mean(pixels: np.ndarray, centre: np.ndarray, radius: float) -> float:
    x, y, r = (round(float(v)) for v in (*centre, radius))
    return float(pixels[max(y - r, 0) : y + r, max(x - r, 0) : x + r].mean())
