"""What the series say: the number of images needed, by hand; rows that survive their file."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertenet.server.simulation.experiment import Row, read_rows, write_rows
from vertenet.server.simulation.findings import draw, images_needed, saving

LABELS = np.array([0, 5, 10, 15, 20])


def series(strategy: str, seed: int, errors) -> list[Row]:
    return [Row(strategy, seed, int(n), "v0001", True, e, e, e, 1.0) for n, e in zip(LABELS, errors)]


@pytest.mark.parametrize(
    ("errors", "target", "needed"),
    [
        ([0.5, 0.4, 0.3, 0.2, 0.1], 0.2, 15.0),
        ([0.5, 0.4, 0.3, 0.2, 0.1], 0.25, 12.5),
        ([0.5, 0.1, 0.3, 0.2, 0.1], 0.25, 12.5),  # better for a moment is not there yet
        ([0.5, 0.4, 0.3, 0.2, 0.15], 0.1, None),
        ([0.1, 0.1, 0.1, 0.1, 0.1], 0.1, 0.0),
    ],
)
def test_the_images_needed_are_those_after_which_the_error_stays_down(errors, target, needed):
    found = images_needed(LABELS, np.array(errors), target)
    assert found == (needed if needed is None else pytest.approx(needed))


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5), st.floats(0, 1))
def test_after_the_images_needed_no_error_is_above_the_target(errors, target):
    errors = np.array(errors)
    needed = images_needed(LABELS, errors, target)
    if needed is None:
        assert errors[-1] > target
    else:
        assert (errors[needed + 1e-9 <= LABELS] <= target + 1e-12).all()


def test_a_strategy_that_is_done_at_half_saves_half():
    rows = [
        row
        for seed in range(5)
        for row in (
            *series("random", seed, [0.5, 0.45, 0.4, 0.35, 0.2]),
            *series("hybrid", seed, [0.5, 0.3, 0.2, 0.15, 0.1]),
        )
    ]
    found = saving(rows, "hybrid")
    assert found.target == pytest.approx(0.2)
    assert found.needed == pytest.approx((10.0,) * 5)
    assert found.median_saving == pytest.approx(0.5)
    assert saving(rows, "random").median_saving == pytest.approx(0.0)


def test_a_strategy_that_never_gets_there_saves_nothing_that_can_be_told():
    rows = series("random", 0, [0.5, 0.4, 0.3, 0.2, 0.1]) + series("hybrid", 0, [0.5] * 5)
    assert saving(rows, "hybrid").needed == (None,)
    assert saving(rows, "hybrid").median_saving is None
    with pytest.raises(ValueError, match="diversity"):
        saving(rows, "diversity")


def test_rows_survive_their_file_and_are_drawn(tmp_path):
    rows = [*series("random", 0, LABELS / 40), *series("hybrid", 0, LABELS / 50)]
    rows[0] = Row("random", 0, 0, "v0000", False, 0.5, 1.0, 0.1, 0.25, 'Refused: "worse", by far.\nTruly.')
    write_rows(rows, tmp_path / "rows.csv")
    assert read_rows(tmp_path / "rows.csv") == rows
    draw(rows, tmp_path / "curves.png", "a scanner")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
