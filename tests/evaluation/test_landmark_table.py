"""Every column of the long table, on spines with answers known by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertenet.errors import AnnotationError
from vertenet.evaluation.landmark_table import COLUMNS, landmark_rows, read_tables
from vertenet.reading import Quality
from vertenet.spine import CORNERS, STANDARD_LEVELS, Corner, CornerName, Level, Spine

from .spines import SHAPE, boxes, moved, reading_of


def rows_of(predicted, truth=None, **options):
    return landmark_rows(reading_of(predicted, **options), truth or boxes(), image="a.png")


def test_a_landmark_has_its_error_in_every_unit():
    rows = rows_of(moved(boxes(), 3.0, 4.0))
    assert len(rows) == 24
    assert tuple(rows.columns) == COLUMNS
    np.testing.assert_allclose(rows["dx"], 6.0)
    np.testing.assert_allclose(rows["dy"], 8.0)
    np.testing.assert_allclose(rows["error_px"], 10.0)
    np.testing.assert_allclose(rows["error_source_px"], 5.0)
    np.testing.assert_allclose(rows["error_mm"], 2.5)
    np.testing.assert_allclose(rows["error_heights"], 5.0 / 40.0)
    assert rows["level_right"].all()
    assert rows["found"].all()


def test_dx_points_to_the_front_of_the_body_whichever_way_the_image_faces():
    truth, predicted = (spine.mirrored(SHAPE[1]) for spine in (boxes(), moved(boxes(), 3.0, 4.0)))
    rows = rows_of(predicted, truth)
    np.testing.assert_allclose(rows["dx"], 6.0)


def test_without_a_pixel_size_there_are_no_millimetres():
    rows = rows_of(boxes(), spacing=None)
    assert rows["error_mm"].isna().all()
    assert rows["error_source_px"].notna().all()


@settings(deadline=None, max_examples=25)
@given(st.integers(-3, 3), st.floats(-5, 5), st.floats(-5, 5))
def test_a_spine_under_wrong_names_has_no_error_once_its_levels_are_aligned(steps, dx, dy):
    shifted = moved(boxes(), dx, dy).shifted(steps)
    rows = rows_of(shifted)
    assert (rows["names_off"] == -steps).all()
    aligned = rows[["aligned_dx", "aligned_dy"]].dropna()
    assert len(aligned) == 4 * (6 - abs(steps))
    np.testing.assert_allclose(aligned, np.tile([2 * dx, 2 * dy], (len(aligned), 1)), atol=1e-9)
    if steps:
        assert rows["shifted"].all()
        assert not rows["level_right"].any()
        assert rows["error_px"].min() > 100  # the pitch is 120 px of the frame


def test_what_was_missed_or_is_not_there_has_no_error_and_says_so():
    truth, predicted = boxes().to_array(), boxes().to_array()
    truth[0, 0], predicted[5] = np.nan, np.nan
    rows = rows_of(Spine.from_array(predicted), Spine.from_array(truth)).set_index(["level", "corner"])
    assert not rows.loc[("T12", "SA"), "required"]
    assert np.isnan(rows.loc[("T12", "SA"), "error_px"])
    assert not rows.loc["L5", "found"].any()
    assert (rows.loc["L5", "status"] == "missing").all()
    assert rows.loc["L5", "required"].all()
    assert not rows["levels_right"].any()


def test_an_image_that_could_not_be_read_counts_with_nothing_found():
    rows = landmark_rows(None, boxes(), image="bad.png", scanner="x", problem="bad.png: damaged.")
    assert rows["required"].all()
    assert not rows["found"].any()
    assert rows["refused"].all()
    assert not rows["levels_right"].any()
    assert set(rows["problem"]) == {"bad.png: damaged."}


def test_radii_come_in_three_coverages_and_refusal_and_grades_are_kept():
    points = {name: Corner(10.0, 20.0, radius=2.0) for name in CORNERS}
    spine = boxes()
    spine = replace(spine, vertebrae=(replace(spine["T12"], points=points), *spine.vertebrae[1:]))
    reading = replace(
        reading_of(spine), radius_scale={"80": 0.5, "90": 1.0, "95": 1.5}, quality=Quality(False, 0.01, ("odd",))
    )
    rows = landmark_rows(reading, boxes(), image="a", grades={Level.L1: 2, Level.L2: 0})
    t12 = rows[rows["level"] == "T12"]
    assert t12[["radius_80", "radius_90", "radius_95"]].to_numpy().tolist() == [[1.0, 2.0, 3.0]] * 4
    assert rows["radius_90"].notna().sum() == 4
    assert rows["refused"].all()
    assert rows["quality"].iloc[0] == 0.01
    grades = rows.drop_duplicates("level").set_index("level")["grade"]
    assert grades["L1"] == 2
    assert grades["L2"] == 0
    assert np.isnan(grades["L3"])


def test_mid_endplate_points_have_rows_where_the_reading_gives_them():
    def with_middle(spine):
        vertebrae = []
        for vertebra in spine:
            corners = vertebra.to_array()
            middle = {CornerName.SM: Corner(*corners[:2].mean(0)), CornerName.IM: Corner(*corners[2:].mean(0))}
            vertebrae.append(replace(vertebra, points={**vertebra.points, **middle}))
        return replace(spine, vertebrae=tuple(vertebrae))

    rows = rows_of(moved(with_middle(boxes()), 1.0, 0.0), with_middle(boxes()))
    assert len(rows) == 36
    np.testing.assert_allclose(rows.loc[rows["corner"] == "SM", "dx"], 2.0)
    assert len(rows_of(boxes(), with_middle(boxes()))) == 24


def test_a_table_comes_back_from_disk_as_it_was(tmp_path):
    rows = rows_of(boxes(levels=STANDARD_LEVELS[:4]).select(STANDARD_LEVELS))
    rows.to_csv(tmp_path / "a.csv", index=False)
    back = read_tables([tmp_path / "a.csv"])
    for name in COLUMNS:
        assert rows[name].tolist() == pytest.approx(back[name].tolist(), nan_ok=True), name
    assert back["found"].dtype == bool
    assert len(read_tables([])) == 0


def test_a_file_that_is_no_such_table_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(AnnotationError, match=r"a\.csv: the table of landmarks has no column 'image'"):
        read_tables([path])
