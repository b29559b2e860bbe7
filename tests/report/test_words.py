"""Sentences say what was found, and that nothing was where nothing was."""

from __future__ import annotations

from dataclasses import replace

from tests.report.cases import cropped, unsure
from vertenet.measure import CropResult, CropState, crop_sentence
from vertenet.reading import RESEARCH_USE, Quality
from vertenet.report.words import footer, model_words, radius_words, remarks, spacing_words
from vertenet.spine import Corner, Spine, Status, Vertebra


def test_a_crop_is_placed_measured_and_explained():
    _, reading = cropped()
    sentence = crop_sentence(reading.crop, reading.image.spacing)
    assert sentence.startswith("Aorta may be cropped at L1, L2 (blanked region): ")
    assert "24 % of the corridor lost, along 122 px = 61 mm (given by user) of its front edge" in sentence


def test_a_trace_of_a_crop_is_not_rounded_to_nothing():
    crop = CropResult(CropState.CROPPED, segments=("L4",), fraction=0.0004, extent_px=3.0, causes=("border",))
    assert "less than 1 % of the corridor lost, along 3 px of its front edge" in crop_sentence(crop)


def test_without_numbers_a_crop_says_what_was_not_looked_at():
    crop = CropResult(
        CropState.CROPPED,
        segments=("L1",),
        causes=("border", "blanked"),
        reason="no guide at L4/L5",
    )
    expected = "Aorta may be cropped at L1 (border of the image and blanked region); not assessed elsewhere: "
    expected += "no guide at L4/L5"
    assert crop_sentence(crop) == expected


def test_abstentions_are_words():
    _, reading = unsure()
    said = {remark.text: remark.tone for remark in remarks(reading)}
    assert said["Levels uncertain: every name may be one level off"] == "caution"
    assert said["L3 missing"] == "caution"
    assert any(text.startswith("Crop could not be assessed: ") for text in said)
    assert sum("L3 was not found" in text for text in said) == 0  # said once, as "L3 missing"


def test_single_corners_are_named_by_what_is_known_of_them():
    _, reading = cropped()
    l5 = reading.spine["L5"]
    points = {**l5.points, "IA": Corner(status=Status.OUTSIDE), "SP": Corner(1, 2, Status.UNEVALUABLE)}
    spine = Spine((*reading.spine.vertebrae[:-1], Vertebra("L5", points)))
    said = [remark.text for remark in remarks(replace(reading, spine=spine))]
    assert "L5 IA outside the image" in said
    assert "L5 SP not evaluable" in said
    assert not any(text.startswith("L4") for text in said)


def test_a_level_that_is_not_in_the_spine_is_missing():
    _, reading = cropped()
    said = [remark.text for remark in remarks(replace(reading, spine=Spine(reading.spine.vertebrae[1:])))]
    assert "T12 missing" in said


def test_the_footer_carries_use_model_training_and_pixel_size():
    _, reading = cropped()
    assert footer(reading) == [
        RESEARCH_USE,
        "Model vertenet-lite 3fa9c12e, trained on synthetic images only.",
        "Pixel 0.5 mm (given by user).",
    ]
    _, reading = unsure()
    assert spacing_words(reading) == "Pixel size unknown: no millimetres"
    assert model_words(replace(reading, model=None)) == "Landmarks not placed by a model"


def test_a_refusal_comes_first_and_nothing_else_is_said_of_the_spine():
    _, reading = unsure()
    quality = Quality(False, 0.0, ("The image was refused: it looks upside down",))
    empty = Spine(()).select([v.level for v in reading.spine])
    said = remarks(replace(reading, quality=quality, spine=empty, warnings=(*quality.reasons, "Pixel spacing unknown")))
    assert [remark.text for remark in said] == [*quality.reasons, "Nothing was measured", "Pixel spacing unknown"]
    assert said[0].tone == "alarm"


def test_discs_are_explained_where_there_are_some():
    _, reading = cropped()
    assert radius_words(reading) is None
    points = {**reading.spine["L3"].points, "SA": replace(reading.spine["L3"]["SA"], radius=3.0)}
    spine = Spine(tuple(Vertebra("L3", points) if v.level == "L3" else v for v in reading.spine))
    assert "(radius 3.0 px = 1.5 mm in the middle)" in radius_words(replace(reading, spine=spine))
