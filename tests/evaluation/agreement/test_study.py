"""A whole reader study: who is compared with whom, on which images, and what guides change."""

from __future__ import annotations

import numpy as np
import pytest

from vertenet.errors import OptionError
from vertenet.evaluation.agreement import read_readings, study_agreement
from vertenet.evaluation.agreement.ordinal_model import ASSUMED_SHARES, OrdinalModel
from vertenet.evaluation.agreement.readings import SEGMENTS


def make_readings(tmp_path, agreement, *, images=40, readers=("A", "B"), seed=0, sessions=None):
    """Readings drawn from the latent model, ``agreement`` being the latent correlation under each condition."""
    rng = np.random.default_rng(seed)
    trait = rng.standard_normal((len(SEGMENTS), images))
    lines = ["image,reader,condition,session,region,score"]
    for condition, rho in agreement.items():
        for session in sessions or ("1",):
            for segment, of_segment in zip(SEGMENTS, trait):
                rows = OrdinalModel(ASSUMED_SHARES, rho).draw(of_segment, rng.standard_normal((len(readers), images)))
                for reader, scores in zip(readers, rows):
                    lines += [f"i{i},{reader},{condition},{session},{segment},{s}" for i, s in enumerate(scores)]
    path = tmp_path / "readings.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return read_readings(path)


def test_guides_that_help_are_found_in_every_region_and_none_are_where_they_do_nothing(tmp_path):
    helped = study_agreement(make_readings(tmp_path, {"without": 0.3, "with": 0.97}), resamples=400)
    kappas = [row for row in helped.comparisons if row.statistic == "kappa-quadratic"]
    assert [row.region for row in kappas] == [*SEGMENTS, "AAC-24"]
    assert all(row.interval.low > 0 and row.p < 0.05 for row in kappas)
    assert all(row.p_holm >= row.p for row in kappas[:4])
    assert np.isnan(kappas[4].p_holm)

    idle = study_agreement(make_readings(tmp_path, {"without": 0.8, "with": 0.8}, seed=1), resamples=400)
    assert not any(row.p_holm < 0.05 for row in idle.comparisons)


def test_the_difference_is_that_of_the_two_groups(tmp_path):
    study = study_agreement(make_readings(tmp_path, {"without": 0.6, "with": 0.9}), resamples=200)
    row = next(row for row in study.comparisons if (row.region, row.statistic) == ("L2", "kappa-linear"))
    values = [study.group(condition, "L2").statistics["kappa-linear"].value for condition in ("with", "without")]
    assert (row.value, row.baseline_value) == pytest.approx(tuple(values))
    assert row.difference == pytest.approx(values[0] - values[1])


def test_a_study_is_the_same_every_time_and_another_seed_moves_only_the_bootstrap(tmp_path):
    readings = make_readings(tmp_path, {"": 0.8}, images=25)
    first, again, other = (study_agreement(readings, resamples=200, seed=seed) for seed in (0, 0, 1))
    found = [study.group("", "L1").statistics["kappa-quadratic"] for study in (first, again, other)]
    assert found[0] == found[1]
    assert found[0].value == found[2].value
    assert found[0].intervals["BCa"] != found[2].intervals["BCa"]
    assert first.comparisons == ()


def test_three_readers_are_compared_together_and_in_pairs(tmp_path):
    study = study_agreement(make_readings(tmp_path, {"": 0.8}, readers=("A", "B", "C"), images=20), resamples=100)
    line_ups = {group.readers for group in study.groups}
    assert line_ups == {("A", "B", "C"), ("A", "B"), ("A", "C"), ("B", "C")}
    together = study.group("", "L1")
    assert together.readers == ("A", "B", "C")
    assert together.matrix.scores.shape == (3, 20)


def test_two_sessions_of_one_reader_show_how_well_a_reading_is_repeated(tmp_path):
    readings = make_readings(tmp_path, {"": 0.8}, images=20, sessions=("1", "2"))
    study = study_agreement(readings, resamples=100)
    within = [group for group in study.groups if group.within]
    assert {group.readers for group in within} == {
        ("A (session 1)", "A (session 2)"),
        ("B (session 1)", "B (session 2)"),
    }
    alone = study_agreement(readings.restricted_to(["A"]), resamples=100)
    assert all(group.within for group in alone.groups)
    np.testing.assert_array_equal(within[0].matrix.scores, alone.groups[0].matrix.scores)


def test_conditions_are_compared_on_the_images_that_were_read_under_both(tmp_path):
    readings = make_readings(tmp_path, {"without": 0.7, "with": 0.9}, images=30)
    text = (tmp_path / "readings.csv").read_text()
    text = text.replace("i3,A,with,1,L1,", "gone,A,with,1,L1,")
    (tmp_path / "fewer.csv").write_text(text)
    fewer = study_agreement(read_readings(tmp_path / "fewer.csv"), resamples=100)
    assert {row.images for row in fewer.comparisons if row.region == "L1"} == {29}
    assert {row.images for row in fewer.comparisons if row.region == "L2"} == {30}
    assert fewer.group("with", "L1").matrix.unread == 2
    assert len(readings.scores) == 480


def test_one_reader_alone_cannot_agree_with_anybody(tmp_path):
    readings = make_readings(tmp_path, {"": 0.8}, images=5).restricted_to(["A"])
    with pytest.raises(OptionError, match="needs two readers"):
        study_agreement(readings, resamples=100)


def test_of_two_conditions_without_a_known_name_the_baseline_must_be_told(tmp_path):
    readings = make_readings(tmp_path, {"plain": 0.6, "guided": 0.9}, images=15)
    with pytest.raises(OptionError, match="--baseline"):
        study_agreement(readings, resamples=100)
    study = study_agreement(readings, baseline="Plain", resamples=100)
    assert {(row.condition, row.baseline) for row in study.comparisons} == {("guided", "plain")}
    with pytest.raises(OptionError, match="no condition 'other'"):
        study_agreement(readings, baseline="other", resamples=100)


def test_readers_of_one_score_each_leave_dashes_not_numbers(tmp_path):
    path = tmp_path / "flat.csv"
    path.write_text("image,reader,region,score\n" + "".join(f"i{i},{r},L1,0\n" for i in range(6) for r in "AB"))
    statistics = study_agreement(read_readings(path), resamples=100).groups[0].statistics
    assert statistics["exact"].value == 1
    for name in ("pearson", "spearman", "kappa-linear", "kappa-quadratic", "ICC2"):
        assert np.isnan(statistics[name].value)
        assert statistics[name].note
