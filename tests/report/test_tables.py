"""results.csv: a row an image, an empty cell for what is not known."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from tests.report.cases import cropped, unsure
from vertenet.measure import Aac24
from vertenet.reading import Quality
from vertenet.report import RESULT_COLUMNS, results_row, write_results_csv
from vertenet.report.dictionary import RESULTS, described, general
from vertenet.spine import Corner, Spine, Status, Vertebra


def written(tmp_path, rows):
    path = tmp_path / "results.csv"
    write_results_csv(rows, path)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_reading_becomes_a_row_that_survives_the_file_exactly(tmp_path):
    _, reading = cropped()
    (row,) = written(tmp_path, [results_row(reading, name="a.png")])
    assert row["image"] == "a.png"
    assert row["error"] == ""
    assert row["levels_certain"] == "yes"
    assert float(row["L3-IA_x"]) == reading.spine["L3"]["IA"].x
    assert (row["crop_state"], row["crop_segments"], row["crop_causes"]) == ("cropped", "L1 L2", "blanked")
    assert float(row["crop_fraction"]) == reading.crop.fraction
    assert float(row["crop_extent_mm"]) == reading.crop.extent_mm
    assert row["model_sha256"] == reading.model.sha256
    assert row["synthetic_only"] == "yes"
    assert row["notice"].startswith("Research use only")


def test_what_is_not_known_is_an_empty_cell_and_never_zero(tmp_path):
    _, reading = unsure()
    (row,) = written(tmp_path, [results_row(reading)])
    assert row["image"] == "image"
    assert row["levels_certain"] == "no"
    for name in ("L3-SA_x", "L3-SA_y", "crop_fraction", "crop_extent_px", "crop_extent_mm", "spacing_row_mm"):
        assert row[name] == "", name
    assert row["crop_state"] == "could not be assessed"
    assert "L2/L3 (L3 missing)" in row["crop_reason"]
    assert "Pixel spacing unknown" in row["warnings"]


def test_a_corner_that_is_not_present_has_no_position_in_the_table():
    _, reading = cropped()
    l5 = Vertebra("L5", {**reading.spine["L5"].points, "IA": Corner(1, 2, Status.OUTSIDE)})
    spine = Spine((*reading.spine.vertebrae[:-1], l5))
    row = results_row(type(reading)(reading.image, spine, reading.guides, reading.crop, reading.levels))
    assert row["L5-IA_x"] is None
    assert row["L5-IP_x"] is not None
    assert row["model"] is None


def test_a_failed_image_keeps_its_row_and_its_sentence(tmp_path):
    sentence = 'b.dcm: the file ends early, "so to say",\nin the middle. Copy it again.'
    rows = written(tmp_path, [results_row(cropped()[1]), results_row(None, name="b.dcm", error=sentence)])
    assert rows[1]["error"] == sentence
    assert rows[1]["T12-SA_x"] == ""
    assert len(rows) == 2


def test_every_row_has_every_column_and_every_column_is_documented():
    for row in (results_row(cropped()[1]), results_row(unsure()[1]), results_row(None, name="x", error="y")):
        assert tuple(row) == RESULT_COLUMNS
    assert {general(column) for column in RESULT_COLUMNS} == {column.name for column in RESULTS}
    assert [column.name for column in described(RESULT_COLUMNS)] == list(RESULT_COLUMNS)
    with pytest.raises(KeyError):
        described(["surprise"])
    assert len([column for column in RESULT_COLUMNS if column[-2:] in ("_x", "_y")]) == 48


def test_heights_lordosis_and_aac_have_cells_of_their_own(tmp_path):
    _, reading = cropped()
    scored = replace(reading, aac=Aac24((0, 1, 2, 3, 0, 0, 0, "unreadable")), reader="Anna", notes="Gas, L3")
    (row,) = written(tmp_path, [results_row(scored)])
    assert (row["L3_anterior_px"], row["L3_posterior_mm"], row["L3_middle_mm"]) == ("75.0", "37.5", "")
    assert (row["L3_wedge"], row["L3_mid_wedge"], row["L3_crush"]) == ("1.0", "", "1.0")
    assert (row["L3_genant_grade"], row["L3_genant_type"]) == ("0", "")
    assert row["L3_genant_remark"].startswith("biconcave not judged: ")
    assert (row["lordosis_L1-L5_deg"], row["lordosis_T12-S1_deg"]) == ("0.0", "")
    assert row["lordosis_T12-S1_reason"] == "S1 is not marked"
    assert (row["aac_L1_posterior"], row["aac_L4_posterior"], row["aac_total"]) == ("1", "unreadable", "")
    assert (row["aac_least"], row["aac_most"], row["aac_risk"]) == ("6", "9", "high")
    assert (row["reader"], row["notes"]) == ("Anna", "Gas, L3")


def test_a_vertebra_that_is_not_evaluable_says_so_in_its_row(tmp_path):
    _, reading = unsure()
    (row,) = written(tmp_path, [results_row(reading)])
    assert (row["L3_anterior_px"], row["L3_genant_grade"]) == ("", "")
    assert row["L3_genant_remark"] == "not evaluable: not found"
    assert row["L2_anterior_mm"] == ""
    assert row["aac_total"] == row["aac_L1_anterior"] == ""


def test_a_row_with_a_surprise_is_refused(tmp_path):
    with pytest.raises(ValueError, match="surprise"):
        write_results_csv([{"surprise": 1}], tmp_path / "results.csv")
    assert not list(tmp_path.iterdir())


def test_quality_and_radii_have_cells_of_their_own(tmp_path):
    _, reading = cropped()
    (row,) = written(tmp_path, [results_row(reading)])
    assert row["quality_typical"] == row["quality_score"] == row["L3-SA_radius"] == ""
    points = {**reading.spine["L3"].points, "SA": replace(reading.spine["L3"]["SA"], radius=3.25)}
    spine = Spine(tuple(Vertebra("L3", points) if v.level == "L3" else v for v in reading.spine))
    judged = replace(reading, spine=spine, quality=Quality(True, 0.25, ("one", "two")))
    (row,) = written(tmp_path, [results_row(judged)])
    assert (row["quality_typical"], row["quality_score"], row["quality_reasons"]) == ("yes", "0.25", "one | two")
    assert (row["L3-SA_radius"], row["L3-SP_radius"]) == ("3.25", "")
