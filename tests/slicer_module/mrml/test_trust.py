"""While landmarks contradict each other nothing is measured from them, in the picture as in the reading."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from VerteNetLib.assessment import assess_work
from VerteNetLib.export import table
from VerteNetLib.mrml import edits
from VerteNetLib.work import Work

from vertenet.errors import AnnotationError
from vertenet.imaging import read
from vertenet.measure import GUIDE_NAMES, CropState, consistency, detect_crop, intervertebral_guides
from vertenet.measure.consistency import check
from vertenet.reading import Reading
from vertenet.spine import CORNERS, STANDARD_LEVELS, Corner, Level, Spine

from . import files
from .conftest import sample, truth_of
from .test_overlays import drawn, layer, loaded, words

#: Guides that rest on L3.
OF_L3 = {"L2 1/3", "L2 2/3", "L2/L3", "L3 1/3", "L3 2/3", "L3/L4", "L4 1/3", "L4 2/3"}


def exchanged(spine: Spine, first: str, second: str) -> Spine:
    corners = [spine[name[:2]][name[-2:]] for name in (first, second)]
    return edits.with_corner(edits.with_corner(spine, first, corners[1]), second, corners[0])


def out_of_order() -> Spine:
    spine = files.spine()
    others = [v for v in spine if v.level not in ("L2", "L3")]
    return replace(spine, vertebrae=(*others, replace(spine["L2"], level="L3"), replace(spine["L3"], level="L2")))


def test_a_good_spine_has_no_faults_and_is_trusted_as_it_is():
    spine = truth_of(sample(2))
    assert consistency.contradictions(spine, "image") == ()
    assert consistency.trusted(spine, ()) is spine


@pytest.mark.parametrize(
    ("exchange", "said"),
    [(("L2-SA", "L2-SP"), "L2-SA and L2-SP seem to be swapped"), (("L2-SA", "L2-IA"), "L2-SA and L2-IA seem")],
)
def test_crossed_corners_are_named(exchange, said):
    (fault,) = consistency.contradictions(exchanged(files.spine(), *exchange), "image")
    assert said in fault.sentence
    assert fault.levels == {Level.L2}


def test_levels_out_of_order_are_named_and_the_others_are_trusted():
    (fault,) = consistency.contradictions(out_of_order(), "image")
    assert "L3 lies above L2" in fault.sentence
    assert fault.levels == {Level.L2, Level.L3}


def test_a_vertebra_that_faces_the_other_way_is_named_and_a_spine_that_does_is_one_fault():
    spine = files.spine()
    turned = exchanged(exchanged(spine, "L4-SA", "L4-SP"), "L4-IA", "L4-IP")
    (fault,) = consistency.contradictions(turned, "image")
    assert fault.levels == {Level.L4}
    assert fault.sentence == "L4-SA and L4-SP, L4-IA and L4-IP seem to be swapped"
    (fault,) = consistency.contradictions(replace(spine, anterior="left"), "image")
    assert fault.levels == set(STANDARD_LEVELS)


@given(
    st.sampled_from(STANDARD_LEVELS),
    st.sampled_from(CORNERS),
    st.floats(-40, 40, allow_nan=False),
    st.floats(-40, 40, allow_nan=False),
)
def test_wherever_a_corner_is_dragged_what_is_trusted_has_no_fault(level, name, dx, dy):
    spine = files.spine()
    corner = spine[level][name]
    spine = edits.with_corner(spine, f"{level.value}-{name.value}", Corner(corner.x + dx, corner.y + dy))
    found = consistency.contradictions(spine, "image")
    try:
        check(spine, "image")
    except AnnotationError:
        assert found
    else:
        assert not found
    rest = consistency.trusted(spine, found)
    check(rest, "image")
    assert [v.level for v in rest] == [v.level for v in spine]
    assert all(rest[v.level] == v for v in spine if v.level not in consistency.doubted_levels(found))


def test_the_reading_says_what_it_does_not_measure_and_why():
    radiograph, spine = read(sample(6)), truth_of(sample(6))
    work = Work("image", (radiograph.rows, radiograph.columns), spine=spine)
    assert detect_crop(radiograph, spine).state is CropState.CROPPED
    good = assess_work(radiograph, spine, work, "A. Reader")
    assert (good.crop.state, set(good.guides)) == (CropState.CROPPED, set(GUIDE_NAMES))
    crossed = exchanged(spine, "L3-SA", "L3-SP")
    reading = assess_work(radiograph, crossed, work, "A. Reader")
    assert reading.spine == crossed, "the reader's landmarks are kept as they are"
    assert reading.crop.state is CropState.NOT_ASSESSED
    assert "L3-SA and L3-SP seem to be swapped" in reading.crop.reason
    assert "L3-SA and L3-SP seem to be swapped" in reading.warnings
    assert not any("not found" in warning for warning in reading.warnings)
    assert set(reading.guides) == set(GUIDE_NAMES) - OF_L3
    broken = reading.morphometry.vertebrae[Level.L3]
    assert (broken.is_evaluable, broken.px.anterior) == (False, None)
    assert "contradict" in broken.reason
    assert reading.morphometry.vertebrae[Level.L1] == good.morphometry.vertebrae[Level.L1]
    assert Reading.from_json(reading.to_json()) == reading
    rows = table(reading)
    assert "could not be assessed" in rows
    assert rows.count("L3-SA and L3-SP seem to be swapped") == 2, "as a warning, and as the reason of the crop"


def test_in_the_picture_nothing_rests_on_a_crossed_vertebra(world, stage):
    loaded(stage, 6)
    assert stage.overlays.crop().state is CropState.CROPPED
    good = stage.landmarks.spine()
    stage.landmarks.replace(exchanged(good, "L3-SA", "L3-SP"))
    (sentence,) = stage.landmarks.faults()
    crop = stage.overlays.crop()
    assert crop.state is CropState.NOT_ASSESSED
    assert sentence.rstrip(".") in crop.reason
    (text,) = words(world, "crop warning")
    assert "could not be assessed: the landmarks contradict each other" in text.replace("\n", " ")
    assert set(stage.overlays.guides()) == set(GUIDE_NAMES) - OF_L3
    assert len(drawn(world, stage, "guides")) == len(GUIDE_NAMES) - len(OF_L3)
    assert len(drawn(world, stage, "bands")) == 3, "those of L1 alone"
    assert all(not drawn(world, stage, role) for role in ("corridor", "lost area", "lost edge"))
    assert "L3 ?" in words(world, "level names")
    sound, crossed = (sum(len(line) == 5 for line in drawn(world, stage, "levels")) for _ in range(2))
    assert sound == crossed == 5, "no closed outline of L3"
    dashes = [line for line in drawn(world, stage, "levels") if len(line) == 2]
    corners = stage.landmarks.spine()["L3"].to_array()
    assert len(dashes) > 8
    assert np.concatenate(dashes).min() >= corners.min()
    stage.landmarks.undo()
    assert stage.overlays.crop() == detect_crop(stage.radiograph(), good)
    assert "L3" in words(world, "level names")
    assert len(drawn(world, stage, "bands")) == 12


def test_a_drag_through_an_impossible_place_hides_and_shows_while_it_lasts(world, stage):
    loaded(stage, 2)
    world.render()
    states = []
    stage.overlays.subscribe(lambda: states.append(stage.overlays.crop().state))
    x, y = world.to_display(stage.landmarks.position("L3-SA"))
    back = world.to_display(stage.landmarks.position("L3-SP"))
    world.press(x, y)
    world.move(back[0] - 12, back[1] + 3)
    assert states[-1] is CropState.NOT_ASSESSED
    world.move(x + 1, y)
    world.release(x + 1, y)
    assert states[-1] is CropState.CLEAR
    assert stage.overlays.guides() == intervertebral_guides(stage.landmarks.spine())


def test_guides_that_cross_over_the_aorta_have_no_band_between_them(world, stage):
    spine = loaded(stage, 2)
    corner = spine["L3"]["SA"]
    lifted = edits.with_corner(spine, "L3-SA", Corner(corner.x, spine["L2"]["SA"].y + 2))
    stage.landmarks.replace(lifted)
    for band in drawn(world, stage, "bands"):
        corners = band[:4]  # a closed outline
        sides = np.roll(corners, -1, axis=0) - corners
        turns = np.cross(sides, np.roll(sides, -1, axis=0))
        assert (turns > 0).all() or (turns < 0).all()
    assert layer(world, "crop warning").GetNumberOfControlPoints() == (stage.overlays.crop().state != CropState.CLEAR)
