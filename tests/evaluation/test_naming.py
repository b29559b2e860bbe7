"""Names judged on boxes whose answer is known: whole truth, partial truth, centres alone."""

import numpy as np
import pytest

from vertenet.evaluation.landmark_table import landmark_rows
from vertenet.evaluation.naming import outcome_of
from vertenet.evaluation.summary import summarise
from vertenet.measure.matching import judge_names
from vertenet.reading import Quality
from vertenet.spine import STANDARD_LEVELS, Corner, Level, Spine, Status, Vertebra

from .spines import HEIGHT, PITCH, boxes, moved, reading_of

NOTHING = Spine((), "right")


def centres(spine=None, levels=STANDARD_LEVELS):
    spine = boxes() if spine is None else spine
    return {level: tuple(spine[level].centre) for level in levels}


def only(spine, **corners):
    """The spine with some vertebrae reduced to the corners named, ``L5="SA SP"``."""
    kept = []
    for vertebra in spine:
        names = corners.get(str(vertebra.level), "SA SP IA IP").split()
        kept.append(Vertebra(vertebra.level, {name: vertebra[name] for name in names}))
    return Spine(tuple(kept), spine.anterior)


def test_half_a_height_is_the_limit():
    assert set(judge_names(moved(boxes(), 0, HEIGHT / 2 - 0.1), boxes()).named.values()) == {"right"}
    assert set(judge_names(moved(boxes(), 0, HEIGHT / 2 + 0.1), boxes()).named.values()) == {"wrong"}


def test_the_limit_is_of_the_patient_where_pixels_are_not_square():
    size = np.array([1.0, 0.1])  # bodies are 4 mm high
    assert set(judge_names(moved(boxes(), 1.9, 0), boxes(), size=size).named.values()) == {"right"}
    assert set(judge_names(moved(boxes(), 2.1, 0), boxes(), size=size).named.values()) == {"wrong"}


def test_centres_alone_are_enough_and_say_how_high_a_body_is():
    limit = 0.75 * PITCH / 2
    assert set(judge_names(moved(boxes(), 0, limit - 0.1), NOTHING, centres()).named.values()) == {"right"}
    assert set(judge_names(moved(boxes(), 0, limit + 0.1), NOTHING, centres()).named.values()) == {"wrong"}
    assert set(judge_names(boxes().shifted(1), NOTHING, centres()).named.values()) == {"wrong"}
    apart = judge_names(boxes(), NOTHING, centres(levels=(Level.L1, Level.L4)))
    assert apart.named == {Level.L1: "right", Level.L4: "right"}
    assert apart.heights[0] == pytest.approx(0.75 * PITCH)


def test_a_vertebra_at_the_border_is_judged_by_the_corners_that_are_known():
    truth = only(boxes(), L5="SA SP")
    naming = judge_names(boxes(), truth)
    assert naming.named[Level.L5] == "right"
    assert Level.L5 not in naming.required
    assert judge_names(boxes().shifted(1), truth).named[Level.L5] == "wrong"
    # The other way round: the prediction leaves the image with its lower corners, or found none of them.
    border = {name: Corner(*corner.xy, Status.OUTSIDE) if name[0] == "I" else corner
              for name, corner in boxes()["L5"].points.items()}  # fmt: skip
    outside = Spine((*[v for v in boxes() if v.level != "L5"], Vertebra("L5", border)))
    assert judge_names(outside, boxes()).named[Level.L5] == "right"
    assert judge_names(only(boxes(), L5="SA SP"), NOTHING, centres()).named[Level.L5] == "right"
    assert judge_names(only(boxes(), L5="IA IP"), only(boxes(), L5="SA SP")).named[Level.L5] == "right"


def test_a_level_that_the_truth_does_not_speak_of_is_not_judged():
    truth = boxes().select([level for level in STANDARD_LEVELS if level != "T12"])
    truth = Spine(tuple(v for v in truth if v.level != "T12"))
    naming = judge_names(boxes(), truth)
    assert Level.T12 not in naming.named
    assert outcome_of(naming, refused=False, certain=True) == "right"
    assert landmark_rows(reading_of(boxes()), truth, image="a")["levels_right"].all()


def test_a_neighbours_name_is_wrong_also_where_the_right_one_was_not_given():
    l4_called_l3 = Spine((Vertebra("L3", boxes()["L4"].points),))
    naming = judge_names(l4_called_l3, NOTHING, centres(levels=(Level.L4, Level.L5)))
    assert naming.named == {Level.L4: "wrong", Level.L5: "missed"}
    assert outcome_of(naming, refused=False, certain=True) == "wrong"


@pytest.mark.parametrize("truth", [(boxes(), {}), (NOTHING, centres())], ids=["corners", "centres"])
def test_what_became_of_an_image(truth):
    spine, known = truth

    def row(predicted, **options):
        rows = landmark_rows(reading_of(predicted, **options), spine, image="a", centres=known)
        assert rows["outcome"].nunique() == 1
        return rows.iloc[0]

    assert row(boxes())["outcome"] == "right"
    assert row(boxes())["levels_right"]
    assert row(boxes(), certain=False)["outcome"] == "uncertain"
    shifted = row(boxes().shifted(1))
    assert (shifted["outcome"], shifted["levels_right"], shifted["shifted"], shifted["names_off"]) == (
        "wrong", False, True, -1,
    )  # fmt: skip
    assert row(boxes().shifted(1), certain=False)["outcome"] == "uncertain"
    four = boxes().select(STANDARD_LEVELS[:4])
    assert row(four)["outcome"] == "incomplete"
    assert row(boxes(), quality=Quality(False, 0.0, ("no spine",)))["outcome"] == "refused"
    assert row(NOTHING)["outcome"] == "refused"
    assert landmark_rows(None, spine, image="a", centres=known)["outcome"].eq("refused").all()


def test_figures_count_vertebrae_that_have_nothing_but_a_centre():
    """Four of six are found; corners are known of two of those."""
    truth = Spine(tuple(v for v in boxes() if v.level in ("L1", "L2")))
    known = centres(levels=(Level.T12, Level.L3, Level.L4, Level.L5))
    rows = landmark_rows(reading_of(moved(boxes(), 3, 4).select(STANDARD_LEVELS[:4])), truth, image="a", centres=known)
    figures = summarise(rows)
    assert figures["vertebrae_right"] == pytest.approx(4 / 6)
    assert figures["named_median_source_px"] == pytest.approx(5.0)
    assert rows["required"].sum() == 8
