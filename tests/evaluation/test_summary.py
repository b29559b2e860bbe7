"""Figures of a long table, each against its definition worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from vertenet.evaluation.landmark_table import landmark_rows
from vertenet.evaluation.summary import BY_NAME, grouped, risk_coverage, summarise
from vertenet.spine import STANDARD_LEVELS, Level, Spine

from .spines import boxes, moved, reading_of


def table_of(*predictions, **options):
    """An image a prediction, each of its own person."""
    parts = []
    for i, (spine, how) in enumerate(predictions):
        reading = None if spine is None else reading_of(spine, **how)
        parts.append(landmark_rows(reading, boxes(), image=f"{i}", scanner="ab"[i % 2], **options))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def cohort():
    """Three images: 5 source px off, one level off and uncertain, and one that could not be read."""
    return table_of(
        (moved(boxes(), 3.0, 4.0), {}),
        (boxes().shifted(1), {"certain": False, "margin": 1.0}),
        (None, {}),
    )


def test_errors_are_those_of_the_points_that_were_found(cohort):
    first = cohort[cohort["image"] == "0"]
    figures = summarise(first)
    assert figures["mean_px"] == pytest.approx(7.0)
    assert figures["median_px"] == pytest.approx(7.0)
    assert figures["p95_px"] == pytest.approx(8.0)
    assert figures["euclidean_mean_px"] == pytest.approx(10.0)
    assert figures["mean_mm"] == pytest.approx(2.5)
    assert figures["sdr_2mm"] == 0.0
    assert figures["sdr_4mm"] == 1.0
    assert figures["sdr_5px"] == 0.0
    assert figures["sdr_10px"] == pytest.approx(1.0)
    assert figures["beyond_half_height"] == 0.0
    assert figures["latency_s"] == 0.5
    assert np.isnan(figures["coverage_90"])


def test_a_point_that_was_not_found_counts_against_every_share(cohort):
    figures = summarise(cohort)
    assert figures["found"] == pytest.approx((24 + 20 + 0) / 72)
    # The image that could not be read has no pixel size: shares in mm are of the other two.
    assert figures["sdr_4mm"] == pytest.approx(24 / 48)
    assert figures["sdr_10px"] == pytest.approx(24 / 72)
    assert figures["beyond_half_height"] == pytest.approx(20 / 44)


def test_naming_is_told_apart_from_localisation(cohort):
    figures = summarise(cohort)
    assert figures["levels_right"] == pytest.approx(1 / 3)
    assert figures["levels_right_low"] == pytest.approx(0.0615, abs=1e-3)
    assert figures["shifted"] == pytest.approx(1 / 3)
    assert figures["abstained"] == pytest.approx(2 / 3)
    assert figures["refused"] == pytest.approx(1 / 3)
    assert figures["levels_right_answered"] == 1.0
    assert figures["vertebrae_right"] == pytest.approx(24 / 72)
    shifted = summarise(cohort[cohort["image"] == "1"])
    assert shifted["aligned_mean_px"] == 0.0
    assert shifted["mean_px"] == pytest.approx(60.0)  # 120 px a pitch in y, none in x


def test_coverage_is_the_share_of_true_points_inside_their_radius(cohort):
    table = cohort.assign(radius_90=np.where(cohort["level"] == "T12", 4.0, 6.0))
    assert summarise(table[table["image"] == "0"])["coverage_90"] == pytest.approx(20 / 24)
    wrong = table.assign(level_right=table["level_right"] & (table["level"] != "T12"))
    assert summarise(wrong[wrong["image"] == "0"])["coverage_90_named"] == 1.0


def test_groups_have_the_figures_of_their_rows():
    table = table_of((moved(boxes(), 1.0, 0.0), {}), (moved(boxes(), 0.0, 2.0), {}), grades={Level.L1: 2, Level.L2: 0})
    scanners = grouped(table, "scanner", ["mean_px"]).set_index("scanner")
    assert scanners["mean_px"].to_dict() == pytest.approx({"a": 1.0, "b": 2.0})
    assert grouped(table, "level", ["mean_px"])["level"].tolist() == [str(level) for level in STANDARD_LEVELS]
    grades = grouped(table, "grade", ["mean_px", "found"]).set_index("grade")
    assert grades["landmarks"].to_dict() == {"0": 8, "2": 8, "unknown": 32}
    assert np.isnan(scanners["mean_px_low"]).all()  # one person each
    assert grades["found_low"].notna().all()


def test_methods_are_compared_on_the_points_that_both_found():
    first = table_of((moved(boxes(), 1.0, 1.0), {}), (moved(boxes(), 1.0, 1.0), {}))
    xy = boxes().to_array()
    xy[3:] = np.nan
    second = table_of((Spine.from_array(xy), {}), (moved(boxes(), 3.0, 3.0), {}))
    found = BY_NAME["mean_px"].difference(first, second)
    # 12 points at 2 against 0, 24 at 2 against 6
    assert found.value == pytest.approx(2.0 - 24 * 6 / 36)
    assert BY_NAME["levels_right"].difference(first, second).value == pytest.approx(0.5)


def test_the_surest_images_are_answered_first():
    table = table_of(
        (boxes().shifted(1), {"certain": False, "margin": 0.5}),
        (boxes(), {"margin": 9.0}),
        (boxes(), {"margin": None}),  # no rival at all
        (None, {}),
    )
    curve = risk_coverage(table)
    assert curve["answered"].tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve["level_errors"].tolist() == pytest.approx([0, 0, 1 / 3, 0.5])
    assert risk_coverage(table_of((boxes(), {"margin": None}))).empty
