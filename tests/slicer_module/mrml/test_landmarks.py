"""24 points in one Markups node, edited with a mouse, keys and other modules."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from VerteNetLib.mrml.grid import PixelGrid
from VerteNetLib.mrml.points import PointNodes

from vertenet.annotation import markups
from vertenet.spine import CORNERS, STANDARD_LEVELS, Corner, Spine, Status, Transition

from .conftest import sample, truth_of

NODE = "vtkMRMLMarkupsFiducialNode"
PLACE = slicer.vtkMRMLInteractionNode.Place


def main_node(world):
    (node,) = world.nodes(NODE, "landmarks")
    return node


def mouse_mode(world) -> int:
    return world.application_logic.GetInteractionNode().GetCurrentInteractionMode()


def drag(world, stage, name: str, dx: int, dy: int) -> None:
    world.render()
    start = world.to_display(stage.landmarks.position(name))
    world.drag(start, (start[0] + dx, start[1] + dy))


def predicted() -> Spine:
    """As a model gives it: confidences, radii, an uncertain level, points missing, outside and unevaluable."""
    truth = truth_of(sample(2))
    xy = truth.to_array()
    confidence = np.linspace(0.3, 1.0, xy.shape[0] * xy.shape[1]).reshape(xy.shape[:2])
    spine = Spine.from_array(xy, confidence=confidence, transition=Transition.SACRALISED_L5)
    vertebrae = []
    for vertebra in spine:
        points = {**vertebra.points, "SM": truth[vertebra.level]["SM"], "IM": Corner(status=Status.UNEVALUABLE)}
        if vertebra.level == "L4":
            points["SA"] = Corner(12.5, -3.25, Status.OUTSIDE, 0.2, 7.5)
            points["IA"] = Corner.missing()
            points["SP"] = Corner(status=Status.UNEVALUABLE)
        vertebrae.append(type(vertebra)(vertebra.level, points, 0.75))
    return Spine(tuple(vertebrae), "right", Transition.SACRALISED_L5)


@pytest.mark.parametrize(
    "spine",
    [
        predicted(),
        truth_of(sample(2)),
        predicted().select(["T11", "T12", "L1", "S1"]),
        predicted().select(["L2", "L3"]),
    ],
    ids=["prediction", "truth", "other levels", "two levels"],
)
def test_a_spine_is_in_the_nodes_exactly(world, stage, spine):
    stage.load(sample(2), "image")
    stage.landmarks.show(spine)
    assert stage.landmarks.spine() == spine
    # What the node says, not what the editor remembers.
    stage.adopt(stage.image.volume_id)
    assert stage.landmarks.spine() == spine


def test_24_named_points_are_in_one_node_and_fixed_in_number(world, editing):
    node = main_node(world)
    names = [node.GetNthControlPointLabel(n) for n in range(node.GetNumberOfControlPoints())]
    assert names == [f"{level}-{corner}" for level in STANDARD_LEVELS for corner in CORNERS]
    assert node.GetFixedNumberOfControlPoints()
    (further,) = world.nodes(NODE, "further landmarks")
    assert further.GetNumberOfControlPoints() == 12


def test_confidence_is_told_by_selection_and_absence_by_status(world, stage):
    stage.load(sample(2), "image")
    spine = predicted()
    stage.landmarks.show(spine)
    node = main_node(world)
    for number, (level, corner) in enumerate((level, corner) for level in STANDARD_LEVELS for corner in CORNERS):
        point = spine[level][corner]
        status = node.GetNthControlPointPositionStatus(number)
        assert (status == node.PositionDefined) == point.is_present
        assert (status == node.PositionMissing) == (not point.is_present)
        if point.is_present:
            assert bool(node.GetNthControlPointSelected(number)) == (point.confidence >= markups.CONFIDENT)
    display = node.GetDisplayNode()
    assert display.GetColor() != display.GetSelectedColor()


def test_a_dragged_point_is_a_persons_and_one_undo_takes_the_whole_drag_back(world, stage):
    stage.load(sample(2), "image")
    before = predicted()
    stage.landmarks.show(before)
    told = []
    stage.landmarks.subscribe(lambda: told.append(stage.landmarks.spine()["L1"]["SA"].xy))
    drag(world, stage, "L1-SA", 20, -12)
    after = stage.landmarks.spine()
    moved = after["L1"]["SA"]
    assert moved.confidence is None
    assert moved.x > before["L1"]["SA"].x + 10
    assert moved.y > before["L1"]["SA"].y + 6
    assert len({tuple(xy) for xy in told}) >= 4, "changes are told while the point is dragged"
    assert stage.landmarks.selected() == "L1-SA"
    node = main_node(world)
    assert node.GetNthControlPointSelected(4), "a person's point is confident"
    changed = [name for (name, was), (_, now) in zip(before.named_points(), after.named_points()) if was != now]
    assert changed == ["L1-SA"]
    stage.landmarks.undo()
    assert stage.landmarks.spine() == before
    assert stage.landmarks.last_change() == 0
    stage.landmarks.redo()
    assert stage.landmarks.spine()["L1"]["SA"].xy == pytest.approx(moved.xy)


def test_a_midpoint_left_behind_becomes_missing_when_the_mouse_is_let_go_and_undo_brings_it_back(world, editing):
    before = editing.landmarks.spine()
    drag(world, editing, "L2-SA", 0, 100)
    assert editing.landmarks.spine()["L2"]["SM"] == Corner.missing()
    assert editing.landmarks.spine()["L2"]["IM"] == before["L2"]["IM"]
    editing.landmarks.undo()
    assert editing.landmarks.spine() == before


def test_locked_points_move_for_nobody(world, editing):
    before = editing.landmarks.spine()
    editing.landmarks.set_locked(True)
    assert editing.landmarks.is_locked()
    drag(world, editing, "L1-SA", 20, 10)
    editing.landmarks.mark(["L1-SA"], Status.MISSING)
    editing.landmarks.shift_levels(1)
    assert editing.landmarks.place_next_missing() is None
    assert editing.landmarks.spine() == before
    editing.landmarks.set_locked(False)
    drag(world, editing, "L1-SA", 20, 10)
    assert editing.landmarks.spine() != before


@pytest.mark.parametrize("status", [Status.MISSING, Status.OUTSIDE, Status.UNEVALUABLE])
def test_a_point_is_marked_and_the_mark_undone(world, editing, status):
    before = editing.landmarks.spine()
    editing.landmarks.mark(["L3-IA", "L3-IP"], status)
    assert editing.landmarks.spine()["L3"]["IP"] == Corner(status=status)
    assert editing.landmarks.position("L3-IA") is None
    editing.landmarks.undo()
    assert editing.landmarks.spine() == before


def test_missing_points_are_placed_one_after_the_other(world, editing):
    editing.landmarks.mark(["L1-SA", "L4-IP"], Status.MISSING)
    editing.landmarks.mark(["L2-SA"], Status.OUTSIDE)
    for expected in ("L1-SA", "L4-IP"):
        assert editing.landmarks.place_next_missing() == expected
        assert mouse_mode(world) == PLACE
        world.move(300, 400)
        assert not editing.landmarks.spine()[expected[:2]][expected[-2:]].is_present, "a preview is no landmark"
        world.click(300, 400)
        assert mouse_mode(world) != PLACE
        assert editing.landmarks.spine()[expected[:2]][expected[-2:]].is_present
    assert editing.landmarks.place_next_missing() is None
    assert editing.landmarks.spine()["L2"]["SA"].status is Status.OUTSIDE, "the reader said so, and was not asked again"


def test_starting_by_hand_asks_for_all_24_in_order(world, stage):
    stage.load(sample(2), "image")
    stage.landmarks.show(Spine(()).select(STANDARD_LEVELS))
    expected = [f"{level}-{corner}" for level in STANDARD_LEVELS for corner in CORNERS]
    truth = dict(truth_of(sample(2)).named_points())
    world.render()
    for name in expected:
        assert stage.landmarks.place_next_missing() == name
        ras = stage.image.geometry.to_lps(truth[name].xy)[0] * (-1, -1, 1)
        world.click(*world.to_display(ras))
    assert stage.landmarks.place_next_missing() is None
    placed = stage.landmarks.spine()
    assert np.abs(placed.to_array() - truth_of(sample(2)).to_array()).max() < 1.5, "a view pixel is about a pixel"
    assert len(stage.overlays.guides()) == 13


@pytest.mark.parametrize("way", ["cancel", "escape", "another edit", "lock"])
def test_placing_that_is_broken_off_leaves_everything_as_it_was(world, editing, way):
    before = editing.landmarks.spine()
    editing.landmarks.place("L2-SA")
    world.move(100, 100)
    if way == "cancel":
        editing.landmarks.cancel_placing()
    elif way == "escape":
        interaction = world.application_logic.GetInteractionNode()
        interaction.SetCurrentInteractionMode(slicer.vtkMRMLInteractionNode.ViewTransform)
    elif way == "lock":
        editing.landmarks.set_locked(True)
    else:
        editing.landmarks.mark(["L5-SA"], Status.MISSING)
        editing.landmarks.undo()
    assert editing.landmarks.spine() == before
    assert mouse_mode(world) != PLACE


def test_placing_a_point_again_is_one_step_back(world, editing):
    before = editing.landmarks.spine()
    editing.landmarks.place("L2-SA")
    world.click(300, 420)
    assert editing.landmarks.spine()["L2"]["SA"] != before["L2"]["SA"]
    editing.landmarks.undo()
    assert editing.landmarks.spine() == before


def test_a_midpoint_that_nobody_gave_can_be_placed(world, stage):
    stage.load(sample(2), "image")
    stage.landmarks.show(truth_of(sample(2)).select(STANDARD_LEVELS).map_points(lambda xy: xy))
    stage.landmarks.show(Spine.from_array(truth_of(sample(2)).to_array()))
    stage.landmarks.place("L3-SM")
    corners = stage.landmarks.spine()["L3"]
    middle = (corners["SA"].xy + corners["SP"].xy) / 2
    world.render()
    world.click(*world.to_display(stage.image.geometry.to_lps(middle)[0] * (-1, -1, 1)))
    assert stage.landmarks.spine()["L3"]["SM"].xy == pytest.approx(middle, abs=1.5)
    assert main_node(world).GetNumberOfControlPoints() == 24


@pytest.mark.parametrize("steps", [1, -1])
def test_levels_shift_with_one_call_and_back_with_one_undo(world, editing, steps):
    before = editing.landmarks.spine()
    editing.landmarks.shift_levels(steps)
    source, target = ("L2", "L3") if steps > 0 else ("L3", "L2")
    assert editing.landmarks.spine()[target].points == before[source].points
    assert main_node(world).GetNumberOfControlPoints() == 24
    editing.landmarks.undo()
    assert editing.landmarks.spine() == before
    editing.landmarks.redo()
    editing.landmarks.shift_levels(-steps)
    assert editing.landmarks.spine() == before


def test_the_other_reading_replaces_this_one_and_undo_brings_it_back(editing):
    before, other = editing.landmarks.spine(), predicted()
    editing.landmarks.replace(other)
    assert editing.landmarks.spine() == other
    editing.landmarks.undo()
    assert editing.landmarks.spine() == before


def test_transitional_anatomy_is_marked_and_undone(editing):
    editing.landmarks.set_transition(Transition.LUMBARISED_S1)
    assert editing.landmarks.spine().transition is Transition.LUMBARISED_S1
    editing.landmarks.undo()
    assert editing.landmarks.spine().transition is not Transition.LUMBARISED_S1


def test_a_drag_that_makes_a_vertebra_impossible_is_told(world, editing):
    assert not editing.landmarks.faults()
    a, b = (np.array(world.to_display(editing.landmarks.position(name))) for name in ("L3-SA", "L3-IA"))
    drag(world, editing, "L3-SA", *(1.4 * (b - a)).astype(int))
    (sentence,) = editing.landmarks.faults()
    assert "L3-SA and L3-IA seem to be swapped" in sentence
    editing.landmarks.undo()
    assert not editing.landmarks.faults()


def test_a_change_by_another_module_counts_and_can_be_undone(world, editing):
    before = editing.landmarks.spine()
    main_node(world).SetNthControlPointPosition(0, -10, -20, 0)
    assert editing.landmarks.spine()["T12"]["SA"] != before["T12"]["SA"]
    editing.landmarks.undo()
    assert editing.landmarks.spine() == before


def test_landmarks_deleted_in_another_module_are_gone_here_and_can_be_shown_again(world, editing):
    spine = editing.landmarks.spine()
    world.scene.RemoveNode(main_node(world))
    assert editing.landmarks.spine() is None
    assert not world.nodes(NODE, "further landmarks")
    editing.landmarks.show(spine)
    assert editing.landmarks.spine() == spine


def test_clear_takes_the_landmarks_out_of_the_scene(world, editing):
    editing.landmarks.clear()
    assert editing.landmarks.spine() is None
    assert not world.nodes(NODE, "landmarks")
    assert not editing.overlays.guides()


def test_an_editor_without_landmarks_does_nothing(stage):
    stage.load(sample(1), "image")
    editor = stage.landmarks
    editor.mark(["L1-SA"], Status.MISSING)
    editor.shift_levels(1)
    editor.select("L1-SA")
    for travel in (editor.undo, editor.redo, editor.cancel_placing, editor.clear):
        travel()
    editor.set_locked(True)
    assert (editor.spine(), editor.selected(), editor.faults(), editor.is_locked()) == (None, None, (), False)
    assert editor.place_next_missing() is None


def test_who_unsubscribed_hears_nothing(editing):
    told = []
    stop = editing.landmarks.subscribe(lambda: told.append(1))
    editing.landmarks.select("L1-SA")
    assert editing.landmarks.selected() == "L1-SA"
    heard = len(told)
    assert heard
    stop()
    editing.landmarks.shift_levels(1)
    assert len(told) == heard


def test_landmarks_of_two_images_do_not_mix(world, stage):
    first = stage.load(sample(2), "first")
    stage.landmarks.show(truth_of(sample(2)))
    stage.load(sample(1), "second")
    assert stage.landmarks.spine() is None
    stage.landmarks.show(truth_of(sample(1)))
    stage.adopt(first.volume_id)
    assert stage.landmarks.spine() == truth_of(sample(2))


def test_points_that_are_followed_one_by_one_are_read_as_if_all_were(world, editing):
    """What is read after each step of a drag, beside what a reader of the nodes who saw none of it makes of them."""
    grid = PixelGrid.of(world.scene.GetNodeByID(editing.image.volume_id))
    main, (further,) = main_node(world), world.nodes(NODE, "further landmarks")
    afresh = lambda: PointNodes(main, further, grid, editing.image.name).read()  # noqa: E731
    for step in range(1, 5):
        for number in (0, 7, 23):
            x, y, z = main.GetNthControlPointPosition(number)
            main.SetNthControlPointPosition(number, x + 0.7 * step, y - 0.4 * step, z)
            assert editing.landmarks.spine() == afresh()
    main.SetNthControlPointPositionMissing(7)
    assert editing.landmarks.spine() == afresh()
    main.SetNthControlPointPosition(7, 1, 2, 0)
    main.SetNthControlPointLabel(7, "something else")
    main.SetNthControlPointPosition(8, 3, 4, 0)
    assert editing.landmarks.spine() == afresh()
