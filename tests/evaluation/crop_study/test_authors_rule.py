"""The baseline has the faults it is there to have, each shown on an image on which our rule has the answer."""

from __future__ import annotations

import numpy as np
import pytest

from tests.measure.scenes import COLUMNS, EDGE, radiograph, staircase, straight_spine, tissue
from vertenet.evaluation.crop_study.authors_rule import authors_crop
from vertenet.measure import CropState, detect_crop
from vertenet.radiograph import Radiograph
from vertenet.spine import Spine, Vertebra

CLEAN = tissue()
STEPS = staircase([160] * 6, height=90)


def both(image: Radiograph, spine: Spine) -> tuple[CropState, CropState]:
    """Our answer and theirs at the factor 1.2."""
    return detect_crop(image, spine, 1.2).state, authors_crop(image, spine, 1.2)


def test_a_whole_aorta_a_black_step_and_a_field_too_narrow_are_answered_alike():
    assert both(radiograph(CLEAN), straight_spine()) == (CropState.CLEAR, CropState.CLEAR)
    black = radiograph(np.where(STEPS, 0, CLEAN))
    assert both(black, straight_spine()) == (CropState.CROPPED, CropState.CROPPED)
    narrow = radiograph(CLEAN[:, : int(EDGE) - 8])
    assert both(narrow, straight_spine()) == (CropState.CROPPED, CropState.CROPPED)


@pytest.mark.parametrize("factor", [0.8, 1.2, 1.5])
def test_the_factor_moves_the_edge_that_it_looks_along(factor):
    beyond = radiograph(CLEAN[:, : int(180 + 80 * factor)])
    within = radiograph(CLEAN[:, : int(180 + 80 * factor) + 2])
    assert authors_crop(beyond, straight_spine(), factor) is CropState.CROPPED
    assert authors_crop(within, straight_spine(), factor) is CropState.CLEAR


def test_a_mirrored_image_gets_the_same_answer():
    for pixels in (CLEAN, np.where(STEPS, 0, CLEAN), CLEAN[:, : int(EDGE) - 8]):
        image = radiograph(pixels)
        mirrored = authors_crop(image.mirrored(), straight_spine().mirrored(image.columns), 1.2)
        assert mirrored is authors_crop(image, straight_spine(), 1.2)


def test_a_white_step_is_not_seen():
    white = radiograph(np.where(STEPS, 255, CLEAN))
    assert both(white, straight_spine()) == (CropState.CROPPED, CropState.CLEAR)


def test_a_black_step_that_compression_lifted_from_zero_is_not_seen():
    lifted = radiograph(np.where(STEPS, 2, CLEAN))
    assert both(lifted, straight_spine()) == (CropState.CROPPED, CropState.CLEAR)


def test_a_field_that_ends_above_the_last_disc_is_not_seen():
    short = radiograph(CLEAN[:600])
    assert both(short, straight_spine()) == (CropState.CROPPED, CropState.CLEAR)


def test_a_missing_vertebra_is_taken_for_a_whole_aorta():
    spine = Spine(tuple(Vertebra("L3") if vertebra.level == "L3" else vertebra for vertebra in straight_spine()))
    assert both(radiograph(CLEAN), spine) == (CropState.NOT_ASSESSED, CropState.CLEAR)


def test_landmarks_in_disorder_are_taken_for_a_whole_aorta():
    xy = straight_spine().to_array()
    assert authors_crop(radiograph(CLEAN), Spine.from_array(xy[[0, 1, 3, 2, 4, 5]]), 1.2) is CropState.CLEAR


def test_zeros_count_in_each_of_three_channels_so_three_samples_are_not_enough_and_four_are():
    # 500 samples over the 400 px from T12/L1 to L4/L5: 0.8 px apart.
    for rows, expected in ((2, CropState.CLEAR), (3, CropState.CROPPED), (8, CropState.CROPPED)):
        pixels = CLEAN.copy()
        pixels[400 : 400 + rows, COLUMNS // 2 :] = 0
        assert authors_crop(radiograph(pixels), straight_spine(), 1.2) is expected
