"""Crop detection against phantoms, whose truth comes from geometry (at large: `vertenet crop-study`)."""

from __future__ import annotations

import pytest

from vertenet.measure import CropState, detect_crop
from vertenet.phantom import generate

#: The profiles with small images, single and dual energy: the others take four times as long to draw.
PROFILES = ("hologic-horizon", "hologic-4500a", "ge-prodigy-se", "ge-prodigy-de")


@pytest.mark.parametrize("scanner", PROFILES)
@pytest.mark.parametrize("colour", ["black", "white"])
@pytest.mark.parametrize("seed", range(3))
def test_a_blanked_aorta_is_found_and_one_left_whole_is_not(scanner, colour, seed):
    lstv = {"lstv": "none"}  # with four lumbar vertebrae there is no L4/L5 guide, and no answer
    radiograph, truth = generate(seed, scanner=scanner, crop=colour, **lstv)
    crop = detect_crop(radiograph, truth.spine)
    assert crop.state is CropState.CROPPED
    assert crop.causes == truth.crop.causes
    assert crop.fraction is None or crop.fraction == pytest.approx(truth.crop.fraction, abs=0.04)
    radiograph, truth = generate(seed, scanner=scanner, crop=None, blanking=colour, **lstv)
    assert truth.crop.colour == colour
    assert detect_crop(radiograph, truth.spine).state is CropState.CLEAR


@pytest.mark.parametrize("scanner", PROFILES)
def test_a_field_that_cuts_the_aorta_is_found_on_either_side(scanner):
    for seed, anterior in ((1, "right"), (2, "left")):
        radiograph, truth = generate(seed, scanner=scanner, crop="border", anterior=anterior, lstv="none")
        crop = detect_crop(radiograph, truth.spine)
        assert crop.state is CropState.CROPPED
        assert "border" in crop.causes
        assert crop.fraction is None or crop.fraction == pytest.approx(truth.crop.fraction, abs=0.04)
        if crop.fraction is not None:
            assert crop.extent_px == pytest.approx(truth.crop.extent_px, abs=0.15 * truth.crop.extent_px + 12)
            assert set(truth.crop.segments) == set(crop.segments)


def test_four_lumbar_vertebrae_are_answered_with_the_reason():
    radiograph, truth = generate(4, scanner="ge-prodigy-se", crop=None, lstv="sacralised-L5")
    crop = detect_crop(radiograph, truth.spine)
    assert crop.state is CropState.NOT_ASSESSED
    assert "L4/L5" in crop.reason
