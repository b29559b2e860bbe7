"""The study: tuned on one set, tested on the other, and the choice of the factor."""

from __future__ import annotations

import numpy as np
import pytest

from tests.measure.scenes import COLUMNS, radiograph, straight_spine, tissue
from vertenet.errors import OptionError
from vertenet.evaluation.crop_study import AUTHORS, OURS, Confusion, CropItem, choose_factor, confusion, study_crop
from vertenet.measure import CropState

CLEAN = tissue()
SPINE = straight_spine()


def item(name: str, reach: float, *, cropped: bool, fill: float = 0.0, person: str = "") -> CropItem:
    """An image that shows the corridor up to ``reach`` guide lengths, black or white beyond it."""
    pixels = CLEAN.copy()
    pixels[:, int(180 + 80 * reach) :] = fill
    image = radiograph(pixels)
    return CropItem(name, person or name, cropped, lambda: (image, SPINE), {"fill": "white" if fill else "black"})


def items(prefix: str, limit: float, fill: float = 0.0) -> list[CropItem]:
    """Images around a limit of reach below which an expert says cropped."""
    reaches = np.array([-0.15, -0.06, 0.06, 0.15]) + limit
    return [item(f"{prefix}{i}", reach, cropped=reach < limit, fill=fill) for i, reach in enumerate(reaches)]


def test_the_factor_is_chosen_on_the_tuning_set_even_where_it_is_wrong_for_the_test_set():
    study = study_crop(items("tuning", 1.1), items("test", 1.3), (1.1, 1.3))
    assert study.chosen[OURS] == 1.1
    tuned, tested = (confusion(answers, OURS, 1.1) for answers in (study.tuning, study.test))
    assert tuned.accuracy.value == 1
    assert tested.sensitivity.value < 1
    assert confusion(study.test, OURS, 1.3).accuracy.value == 1


def test_ours_against_the_authors_rule_is_a_paired_test_of_the_images_only_one_gets_right():
    study = study_crop(items("tuning", 1.1), items("a", 1.1) + items("b", 1.1, fill=255.0), [1.1])
    found = study.paired
    # White regions are what only ours finds: two of them are cropped.
    assert (found.only_ours, found.only_authors) == (2, 0)
    assert found.p == pytest.approx(0.5)
    white = [answers for answers in study.test if answers.item.groups["fill"] == "white"]
    assert confusion(white, AUTHORS, study.chosen[AUTHORS]).sensitivity.value == 0


@pytest.mark.parametrize(
    ("right", "chosen"),
    [
        ([4, 5, 5, 5, 4], 1.0),
        ([4, 5, 5, 4, 4], 0.9),
        ([5, 5, 5, 5, 5], 1.0),
        ([5, 4, 4, 4, 3], 0.8),
        ([3, 3, 3, 3, 4], 1.2),
    ],
)
def test_ties_are_broken_towards_their_middle_and_then_the_smaller(right, chosen):
    factors = (0.8, 0.9, 1.0, 1.1, 1.2)

    class Given:
        """An image of which is known at which factors the rule is right."""

        def __init__(self, number: int) -> None:
            self.item = item(str(number), 1.0, cropped=True)
            self.hits = {factor for factor, hits in zip(factors, right) if number < hits}

        def state(self, rule: str, factor: float) -> CropState:
            return CropState.CROPPED if factor in self.hits else CropState.CLEAR

    assert choose_factor([Given(number) for number in range(5)], OURS, factors) == chosen


def test_the_sets_may_share_no_person_and_need_both_kinds():
    tuning, test = items("tuning", 1.1), items("test", 1.1)
    with pytest.raises(OptionError, match="Ann has images in the tuning set and in the test set"):
        study_crop(
            [*tuning, item("x", 1.0, cropped=True, person="Ann")], [*test, item("y", 1.2, cropped=False, person="Ann")]
        )
    with pytest.raises(OptionError, match="the test set needs images with"):
        study_crop(tuning, [found for found in test if found.cropped])
    with pytest.raises(OptionError, match="positive"):
        study_crop(tuning, test, [1.0, -1.0])


def test_the_study_is_the_same_every_time():
    first, again = (study_crop(items("tuning", 1.1), items("test", 1.2)[1:3], [1.2]) for _ in range(2))
    counts = [[confusion(study.test, rule, 1.2) for rule in (OURS, AUTHORS)] for study in (first, again)]
    assert counts[0] == counts[1]
    assert isinstance(counts[0][0], Confusion)
    assert COLUMNS > 180 + 80 * 1.5  # no border takes part in these scenes
