"""What the panels say: crop, heights, training, session, model, levels."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.slicer_module import mrml_scene  # noqa: F401 (puts the module on the path)
from vertenet.measure import CropResult, CropState
from vertenet.measure.morphometry import SpineMorphometry
from vertenet.radiograph import Spacing, SpacingSource
from vertenet.spine import STANDARD_LEVELS, Corner, Level, Spine, Status, Vertebra

from .conftest import DICOM, PNG, truth

from VerteNetLib.answers import ServerInfo, TrainingProgress  # isort: skip


@pytest.mark.parametrize(
    ("crop", "sentence"),
    [
        (CropResult(CropState.CLEAR), "✔ The aortic corridor from L1 to L4 is inside the image."),
        (
            CropResult(CropState.NOT_ASSESSED, reason="L1 is not complete"),
            "⚠ Crop could not be assessed: L1 is not complete.",
        ),
        (
            CropResult(CropState.CROPPED, segments=("L2", "L3"), fraction=0.124, extent_px=80.0, extent_mm=31.2),
            "✖ Aorta may be cropped at L2, L3: 12 % of the corridor lost, along 80 px = 31 mm of its front edge.",
        ),
        (
            CropResult(CropState.CROPPED, segments=("L4",), extent_px=80.0),
            "✖ Aorta may be cropped at L4, along 80 px of its front edge.",
        ),
    ],
)
def test_the_crop_says_where_and_how_much(shim, crop, sentence):
    from VerteNetLib.widgets.reading_panel import crop_line

    assert crop_line(crop, None) == sentence


def test_the_crop_of_a_cropped_image_is_shown_and_goes_with_the_landmarks(place):
    place.load(PNG)
    label = place.panel.reading.ui.cropLabel
    assert label.isVisible()
    assert "cropped" in label.text
    place.load(DICOM)
    assert "inside the image" in label.text


@pytest.mark.parametrize(
    ("progress", "sentence"),
    [
        (None, "No training yet."),
        (TrainingProgress("none"), "No training yet."),
        (
            TrainingProgress("running", "training", 2, 6, 0.914, 130.0),
            "Training: training, pass 2 of 6, 91 % of landmarks within 4 px, about 2 min left.",
        ),
        (
            TrainingProgress("done", published=True, version="v0002"),
            "Training has ended. ✔ The gate passed it: version v0002 is served now.",
        ),
        (
            TrainingProgress("done", published=False, message="It forgot."),
            "Training has ended. The gate refused it: the model served before stays. It forgot.",
        ),
        (TrainingProgress("failed", message="No labels."), "Training failed. No labels."),
        (TrainingProgress("killed"), "Training was stopped."),
    ],
)
def test_training_says_how_it_goes_and_what_the_gate_said(shim, progress, sentence):
    from VerteNetLib.widgets.training_panel import training_sentence

    assert training_sentence(progress) == sentence


def test_the_session_says_how_far_it_is(shim):
    from VerteNetLib.session_state import Statistics
    from VerteNetLib.widgets.session_panel import statistics_sentence

    assert statistics_sentence(Statistics(0, None, None)) == "0 labelled in this session."
    text = statistics_sentence(Statistics(4, 12, 1.25))
    assert text == "4 labelled in this session, 12 left on the server, 1.2 minutes an image."


def test_the_model_is_named_with_its_hash_and_what_it_had_seen(shim):
    from VerteNetLib.widgets.module_panel import identity_sentence

    info = ServerInfo("VerteNet", "1.0", (), 0, 1, True, "0123456789abcdef", "v0001", True)
    text = identity_sentence(SimpleNamespace(proposal=None, info=info))
    assert text == "VerteNet v0001, SHA-256 0123456789ab. Trained on synthetic images only. Research use only."
    assert identity_sentence(SimpleNamespace(proposal=None, info=None)) == "No model yet. Research use only."


@pytest.mark.parametrize(
    ("steps", "words"), [(1, "1 level(s) nearer to the feet"), (-1, "1 level(s) nearer to the head"), (0, "otherwise")]
)
def test_a_second_reading_is_described_by_what_it_names_otherwise(shim, steps, words):
    from VerteNetLib.widgets.levels_panel import uncertainty

    spine = truth(DICOM)
    assert words in uncertainty(spine, spine.shifted(steps))
    assert "count the vertebrae" in uncertainty(spine, None)


def boxes(hp: dict[Level, float]) -> Spine:
    """Six upright vertebrae 30 px high and 40 px deep, some with another posterior height."""
    xy = np.empty((6, 4, 2))
    for place, level in enumerate(STANDARD_LEVELS):
        top, height = 50.0 * place, hp.get(level, 30.0)
        xy[place] = [[40, top], [0, top], [40, top + 30], [0, top + height]]
    return Spine.from_array(xy)


def test_heights_are_millimetres_only_where_the_size_of_a_pixel_is_known(place):
    from VerteNetLib.widgets.morphometry_table import MorphometryTable

    table = place.panel.measures.ui.morphometryTable
    shown = MorphometryTable(table)
    shown.show(SpineMorphometry.of(boxes({}), Spacing(0.5, 0.5, SpacingSource.USER)))
    texts = [table.item(1, column).text() for column in range(7)]
    assert texts == ["15.0", "–", "15.0", "1.00", "–", "1.00", "not judged"]
    shown.show(SpineMorphometry.of(boxes({}), None))
    assert table.item(1, 0).text() == "30"


def test_a_wedge_is_suggested_and_a_vertebra_without_a_corner_is_not_evaluable(place):
    from VerteNetLib.widgets.morphometry_table import MorphometryTable, summary

    spine = boxes({Level.L2: 45.0})
    corners = dict(spine[Level.L4].points) | {"SA": Corner(status=Status.OUTSIDE)}
    others = tuple(vertebra for vertebra in spine if vertebra.level is not Level.L4)
    found = SpineMorphometry.of(Spine((*others, Vertebra(Level.L4, corners))), None)
    table = place.panel.measures.ui.morphometryTable
    MorphometryTable(table).show(found)
    assert table.item(2, 6).text() == "≥ 2 wedge"
    # 30 of 45 is two thirds, and of a healthy L2 0.91 is to be expected.
    assert "27 %" in table.item(2, 6).toolTip()
    assert "Healthy Ha/Hp 0.91: published norms" in table.item(2, 6).toolTip()
    assert table.item(4, 6).text() == "not eval."
    text = summary(found)
    assert "L4 not evaluable: SA outside the image." in text
    assert "Lordosis L1–L5 0°" in text
    assert "Square pixels are assumed." in text
