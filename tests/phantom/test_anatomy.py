"""The column against the published shape statistics, and fractures against their grade."""

from __future__ import annotations

import numpy as np
import pytest

from vertenet.measure.guides import DISCS
from vertenet.phantom import generate
from vertenet.phantom.anatomy import RECUMBENT, sample_column
from vertenet.phantom.switches import Switches
from vertenet.spine import Transition

# 1,755 lateral lumbar radiographs, units of L3 depth: (mean, SD)
DEPTH = {"L1": 0.95, "L2": 0.98, "L4": 1.00, "L5": 0.99}
ANTERIOR = {"L1": (0.66, 0.10), "L2": (0.71, 0.09), "L3": (0.72, 0.09), "L4": (0.71, 0.09), "L5": (0.72, 0.10)}
GAP = {"L1": 0.27, "L2": 0.32, "L3": 0.36, "L4": 0.39, "L5": 0.42}
TILT = {"L1": 10.7, "L2": 9.3, "L3": 3.5, "L4": -6.3, "L5": -19.8}
RATIO = {"L2": 1.10, "L3": 1.08, "L4": 1.00}


@pytest.fixture(scope="module")
def columns():
    return [sample_column(seed, Switches()) for seed in range(300)]


def tilt(body):
    return np.degrees(np.arctan2(-body.forward[1], body.forward[0]))


@pytest.mark.parametrize("level", DEPTH)
def test_depths_follow_the_table(columns, level):
    depth = np.array([c[level].depth / c.unit for c in columns])
    assert depth.mean() == pytest.approx(DEPTH[level], abs=0.015)


@pytest.mark.parametrize("level", ANTERIOR)
def test_anterior_heights_follow_the_table(columns, level):
    height = np.array([c[level].heights[0] / c.unit for c in columns])
    mean, spread = ANTERIOR[level]
    assert height.mean() == pytest.approx(mean, abs=0.025)
    assert height.std() == pytest.approx(spread, abs=0.025)


@pytest.mark.parametrize("level", RATIO)
def test_posterior_to_anterior_height_follows_the_table(columns, level):
    ratio = [c[level].heights[2] / c[level].heights[0] for c in columns]
    assert np.mean(ratio) == pytest.approx(RATIO[level], abs=0.03)


@pytest.mark.parametrize("level", GAP)
def test_anterior_disc_gaps_follow_the_table(columns, level):
    gap = [np.linalg.norm(c.below(level).sa - c[level].ia) / c.unit for c in columns]
    assert np.mean(gap) == pytest.approx(GAP[level], abs=0.03)


@pytest.mark.parametrize("level", TILT)
def test_tilts_follow_the_table_flattened_for_a_recumbent_patient(columns, level):
    angle = np.array([tilt(c[level]) for c in columns])
    assert angle.mean() == pytest.approx(RECUMBENT * TILT[level], abs=1.8)
    assert 6.0 < angle.std() < 10.5


def test_lordosis_has_the_published_mean_and_spread(columns):
    lordosis = np.array([tilt(c["L1"]) - tilt(c["L5"]) for c in columns])
    assert lordosis.mean() == pytest.approx(RECUMBENT * 30, abs=2.5)
    assert lordosis.std() == pytest.approx(13, abs=2.5)


def test_millimetres_are_those_of_adults(columns):
    assert np.mean([c["T12"].depth for c in columns]) == pytest.approx(31, abs=1.5)
    spacing = [np.linalg.norm(c["L3"].centre - c["L2"].centre) for c in columns]
    assert np.mean(spacing) == pytest.approx(34.5, abs=1.5)


def test_bodies_never_overlap(columns):
    for column in columns:
        for upper, lower in zip(column.bodies, column.bodies[1:]):
            disc = upper.ia - upper.ip + lower.sa - lower.sp
            down = np.array([-disc[1], disc[0]]) / np.linalg.norm(disc)
            assert (lower.sa - upper.ia) @ down > 0.8
            assert (lower.sp - upper.ip) @ down > 0.8


def test_normal_wedging_never_reaches_grade_1(columns):
    for column in columns:
        for level in ("T12", "L1", "L2", "L3", "L4", "L5"):
            anterior, _, posterior = column[level].heights
            assert anterior / posterior > 0.8


@pytest.mark.parametrize("kind", ["wedge", "biconcave", "crush"])
@pytest.mark.parametrize(("grade", "low", "high"), [(1, 0.20, 0.25), (2, 0.25, 0.40), (3, 0.40, 0.60)])
def test_a_fracture_loses_the_height_of_its_grade(kind, grade, low, high):
    for seed in range(12):
        deformity = sample_column(seed, Switches(fracture=(("L2", kind, grade),))).deformities["L2"]
        losses = 1 - np.array(deformity.heights_mm) / np.array(deformity.reference_mm)
        assert low < deformity.height_loss < high
        assert deformity.height_loss == pytest.approx(losses.max(), abs=1e-12)
        anterior, middle, posterior = losses
        if kind == "wedge":
            assert anterior == losses.max()
            assert posterior == pytest.approx(0, abs=1e-9)
        elif kind == "biconcave":
            assert middle == losses.max()
            assert abs(anterior) < 1e-9
        else:
            assert low < posterior < high


def test_the_spine_of_the_truth_has_the_fracture_heights():
    _, truth = generate(5, fracture=("L1", "biconcave", 3), motion=0.0, crop=None, clipped_top=False)
    points = truth.spine["L1"].points
    heights = [truth.spacing.length(points[a].xy, points[b].xy) for a, b in (("SA", "IA"), ("SM", "IM"), ("SP", "IP"))]
    assert heights == pytest.approx(truth.fractures["L1"].heights_mm, rel=1e-9)


def test_a_forced_finding_leaves_the_rest_of_the_patient_alone():
    plain, broken = (sample_column(9, Switches(fracture=f)) for f in ((), (("L1", "crush", 3),)))
    for level in ("L3", "L4", "L5"):
        assert plain[level].depth == broken[level].depth
        assert plain[level].heights == pytest.approx(broken[level].heights)


@pytest.mark.parametrize("disc", DISCS)
def test_a_collapsed_disc_is_thin(disc):
    upper, lower = disc

    def middle(column):
        above, below = column[upper.value], column[lower.value]
        return np.linalg.norm((below.sa + below.sp - above.ia - above.ip) / 2)

    for seed in range(8):
        plain, thin = (sample_column(seed, Switches(collapsed_disc=d)) for d in ((), (f"{upper}/{lower}",)))
        assert middle(thin) < 0.12 * thin.unit
        assert middle(thin) < 0.85 * middle(plain)


@pytest.mark.parametrize(
    ("lstv", "expected"),
    [
        ("none", ["T11", "T12", "L1", "L2", "L3", "L4", "L5", "S1"]),
        ("sacralised-L5", ["T11", "T12", "L1", "L2", "L3", "L4", "S1"]),
        ("lumbarised-S1", ["T11", "T12", "L1", "L2", "L3", "L4", "L5", "L6", "S1"]),
    ],
)
def test_transitional_anatomy_has_the_right_levels(lstv, expected):
    _, truth = generate(1, lstv=lstv)
    chest = [f"T{n}" for n in range(1, 11)]
    assert [level.value for level in truth.anatomy.levels] == [*chest, *expected]
    assert truth.transition is Transition(lstv)
    assert truth.spine.transition is Transition(lstv)
    assert len(truth.spine) == 6
    assert truth.spine["L5"].is_missing == (lstv == "sacralised-L5")
