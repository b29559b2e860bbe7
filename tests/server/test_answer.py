from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertenet.annotation import markups
from vertenet.assess import assess
from vertenet.radiograph import Radiograph, Spacing, SpacingSource
from vertenet.reading import Reading
from vertenet.server.answer import answer_json, write_markups
from vertenet.spine import STANDARD_LEVELS, Corner, Spine, Status, Vertebra

BLANK = np.zeros((300, 200), np.float32)


def strict(text: str) -> object:
    def refuse(constant):
        raise AssertionError(f"{constant} in JSON")

    return json.loads(text, parse_constant=refuse)


def test_what_was_not_found_is_null_in_pixels_and_in_millimetres():
    radiograph = Radiograph(BLANK, spacing=Spacing(0.5, 0.25, SpacingSource.USER))
    answer = answer_json(assess(radiograph, Spine(()).select(STANDARD_LEVELS)))
    assert len(answer["landmarks"]) == 24
    for row in answer["landmarks"]:
        assert row["status"] == "missing"
        assert row["x_px"] is row["y_px"] is row["x_mm"] is row["y_mm"] is None
    assert answer["crop"]["state"] == "could not be assessed"
    assert answer["guides"] == []


def test_millimetres_follow_columns_along_x_and_rows_along_y():
    radiograph = Radiograph(BLANK, spacing=Spacing(row=0.5, column=0.25, source=SpacingSource.USER))
    spine = Spine((Vertebra("L1", {"SA": Corner(40.0, 10.0, confidence=0.5)}),))
    row = answer_json(assess(radiograph, spine))["landmarks"][0]
    assert (row["name"], row["x_mm"], row["y_mm"], row["confidence"]) == ("L1-SA", 10.0, 5.0, 0.5)


@given(
    positions=st.lists(
        st.tuples(st.floats(-50, 250), st.floats(-50, 350), st.sampled_from(list(Status))), min_size=24, max_size=24
    ),
    spaced=st.booleans(),
)
def test_the_answer_is_the_reading_and_the_file_is_its_spine(positions, spaced):
    corners = iter(positions)
    vertebrae = tuple(
        Vertebra(level, {name: Corner(*next(corners)) for name in ("SA", "SP", "IA", "IP")})
        for level in STANDARD_LEVELS
    )
    spacing = Spacing(0.4, 0.3, SpacingSource.USER) if spaced else None
    radiograph = Radiograph(BLANK, spacing=spacing, name="a/b c.1.png")
    reading = assess(radiograph, Spine(vertebrae))
    answer = strict(json.dumps(answer_json(reading, ("typo",))))
    assert Reading.from_dict(answer) == reading
    assert answer["ignored_parameters"] == ["typo"]
    assert [(r["x_px"], r["y_px"], r["status"]) for r in answer["landmarks"]] == [(x, y, s) for x, y, s in positions]

    path = Path(write_markups(reading, radiograph))
    try:
        assert path.name.startswith("b_c.1_")
        assert path.name.endswith(".mrk.json")
        assert markups.loads(path.read_text("utf-8"), radiograph.geometry) == reading.spine
    finally:
        path.unlink()


@pytest.mark.parametrize("name", ["1.2.840.113619.2.55.1.dcm", "1.2.840.113619.2.55.1", ".hidden.png"])
def test_a_download_is_called_after_the_whole_name_of_its_image(name):
    spine = Spine((Vertebra(STANDARD_LEVELS[0], {}),))
    radiograph = Radiograph(BLANK, name=name)
    path = Path(write_markups(assess(radiograph, spine), radiograph))
    path.unlink()
    assert path.name.startswith("hidden_" if "hidden" in name else "1.2.840.113619.2.55.1_")
