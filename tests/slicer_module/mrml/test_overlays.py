"""Guides, bands, corridor and crop follow the landmarks, say what is known, and belong to the image."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from PIL import Image
from VerteNetLib.mrml import shapes, wording
from VerteNetLib.mrml.overlays import KINDS
from vtk.util.numpy_support import vtk_to_numpy

from vertenet.measure import GUIDE_NAMES, CropResult, CropState, detect_crop, intervertebral_guides
from vertenet.radiograph import Spacing, SpacingSource
from vertenet.spine import Spine, Status, Transition

from .conftest import sample, truth_of

MODEL, POINTS = "vtkMRMLModelNode", "vtkMRMLMarkupsFiducialNode"
MODELS = {"bands", "lost area", "lost edge", "corridor", "guides", "levels", "cell", "other outlines"}
NAMES = {"level names", "guide names", "crop warning", "other names"}


def loaded(stage, number: int) -> Spine:
    spine = truth_of(sample(number))
    stage.load(sample(number), sample(number).stem)
    stage.landmarks.show(spine)
    return spine


def layer(world, role: str):
    (node,) = world.nodes(MODEL if role in MODELS else POINTS, role)
    return node


def words(world, role: str) -> list[str]:
    node = layer(world, role)
    return [node.GetNthControlPointLabel(n) for n in range(node.GetNumberOfControlPoints())]


def drawn(world, stage, role: str) -> list[np.ndarray]:
    """The lines or areas of a layer, source pixels."""
    data = layer(world, role).GetPolyData()
    if not data.GetNumberOfPoints():
        return []
    ras = vtk_to_numpy(data.GetPoints().GetData())
    xy = stage.image.geometry.to_pixels(ras * (-1, -1, 1))
    return [
        xy[[data.GetCell(i).GetPointId(k) for k in range(data.GetCell(i).GetNumberOfPoints())]]
        for i in range(data.GetNumberOfCells())
    ]


def test_13_guides_run_through_both_midpoints_and_over_the_aorta(world, stage):
    spine = loaded(stage, 2)
    assert tuple(stage.overlays.guides()) == GUIDE_NAMES
    lines = drawn(world, stage, "guides")
    assert len(lines) == 13
    for line, guide in zip(lines, intervertebral_guides(spine).values()):
        along = (line[1] - line[0]) / np.linalg.norm(line[1] - line[0])
        for point in (guide.posterior, guide.anterior):
            offset = point - line[0]
            assert abs(along[0] * offset[1] - along[1] * offset[0]) < 0.01, "the midpoint is on the line"
        reach = (line[1] - guide.anterior) @ along
        assert 0.8 * guide.length < reach < 1.8 * guide.length
    assert words(world, "guide names") == list(GUIDE_NAMES)
    assert words(world, "level names") == ["T12", "L1", "L2", "L3", "L4", "L5"]


def test_bands_are_the_thirds_of_l1_to_l4_in_distinct_colours(world, stage):
    loaded(stage, 2)
    bands = drawn(world, stage, "bands")
    assert len(bands) == 12
    colours = vtk_to_numpy(layer(world, "bands").GetPolyData().GetCellData().GetScalars())
    assert len(set(colours)) == 12
    guides = stage.overlays.guides()
    np.testing.assert_allclose(bands[0][0], guides["T12/L1"].anterior, atol=1e-6)
    np.testing.assert_allclose(bands[-1][3], guides["L4/L5"].anterior, atol=1e-6)
    assert layer(world, "bands").GetPolyData().GetNumberOfPolys() == 0, "outlines: nothing lies over the image"


@pytest.mark.parametrize("number", [5, 6, 7])
def test_a_cropped_aorta_is_red_and_said_in_words_where_and_how_much(world, stage, number):
    loaded(stage, number)
    crop = stage.overlays.crop()
    assert crop.state is CropState.CROPPED
    (text,) = words(world, "crop warning")
    for segment in crop.segments:
        assert segment in text
    assert f"{100 * crop.fraction:.0f} % of" in text.replace("\n", " ")
    assert f"{crop.extent_px:.0f} px" in text.replace("\n", " ")
    edge = np.concatenate(drawn(world, stage, "lost edge"))
    np.testing.assert_allclose(np.sort(edge[:, 1]), np.sort(crop.edge[crop.lost][:, 1]), atol=1e-6)
    area = sum(polygon_area(polygon) for polygon in drawn(world, stage, "lost area"))
    whole = sum(polygon_area(polygon) for polygon in drawn(world, stage, "bands"))
    assert area / whole == pytest.approx(crop.fraction, abs=0.04)


def polygon_area(xy: np.ndarray) -> float:
    x, y = xy.T
    return abs(float(x @ np.roll(y, 1) - y @ np.roll(x, 1))) / 2


def test_nothing_lost_is_not_warned_of_and_nothing_known_is_never_clear(world, stage):
    loaded(stage, 2)
    assert stage.overlays.crop().state is CropState.CLEAR
    assert words(world, "crop warning") == []
    stage.landmarks.mark(["L2-IA"], Status.UNEVALUABLE)
    assert stage.overlays.crop().state is CropState.NOT_ASSESSED
    (text,) = words(world, "crop warning")
    assert "could not be assessed" in text.replace("\n", " ")
    assert "L2-IA unevaluable" in text.replace("\n", " ")
    assert len(stage.overlays.guides()) == 8
    assert len(drawn(world, stage, "guides")) == 8
    stage.landmarks.undo()
    assert words(world, "crop warning") == []


def test_millimetres_are_given_with_their_source_and_only_where_known(world, stage):
    loaded(stage, 7)
    unknown = words(world, "crop warning")[0].replace("\n", " ")
    assert " px of its front edge" in unknown
    assert "mm" not in unknown
    stage.set_spacing(Spacing(0.5, 0.5, SpacingSource.USER))
    text = words(world, "crop warning")[0].replace("\n", " ")
    assert f"{stage.overlays.crop().extent_mm:.0f} mm (given by user)" in text


def test_overlays_follow_a_drag_step_by_step(world, stage):
    spine = loaded(stage, 2)
    seen = []
    stage.overlays.subscribe(lambda: seen.append(stage.overlays.guides()["L2/L3"].anterior.copy()))
    world.render()
    start = world.to_display(stage.landmarks.position("L3-SA"))
    world.drag(start, (start[0] + 25, start[1] + 9), steps=6)
    assert len({tuple(point) for point in seen}) >= 5
    fresh = intervertebral_guides(stage.landmarks.spine())
    assert stage.overlays.guides() == fresh
    assert stage.overlays.crop() == detect_crop(stage.radiograph(), stage.landmarks.spine())
    assert not np.allclose(fresh["L2/L3"].anterior, intervertebral_guides(spine)["L2/L3"].anterior)
    line = drawn(world, stage, "guides")[GUIDE_NAMES.index("L2/L3")]
    assert np.allclose(np.cross(line[1] - line[0], fresh["L2/L3"].anterior - line[0]), 0, atol=1e-6)


def test_a_drag_beyond_the_border_of_the_aorta_warns_while_it_lasts(world, stage):
    loaded(stage, 7)
    before = stage.overlays.crop()
    for name in ("L4-IA", "L5-SA"):
        node = next(iter(world.nodes(POINTS, "landmarks")))
        number = node.GetControlPointIndexByLabel(name)
        x, y, z = node.GetNthControlPointPosition(number)
        node.SetNthControlPointPosition(number, x - 15, y, z)
    assert stage.overlays.crop().fraction > before.fraction


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_hidden_and_shown_by_itself(world, stage, kind):
    loaded(stage, 6)

    def visible() -> set[str]:
        nodes = [node for role in (*MODELS, *NAMES) for node in [layer(world, role)]]
        return {node.GetAttribute("VerteNet.role") for node in nodes if node.GetDisplayNode().GetVisibility()}

    assert stage.overlays.is_visible(kind)
    stage.overlays.set_visible(kind, False)
    assert not stage.overlays.is_visible(kind)
    assert visible() == (MODELS | NAMES) - set(KINDS[kind])
    stage.landmarks.shift_levels(1)
    assert visible() == (MODELS | NAMES) - set(KINDS[kind]), "an update shows nothing that was hidden"
    stage.overlays.set_visible(kind, True)
    assert visible() == MODELS | NAMES


def test_transitional_anatomy_is_written_beside_its_level(world, stage):
    loaded(stage, 2)
    stage.landmarks.set_transition(Transition.SACRALISED_L5)
    assert words(world, "level names")[-1] == "L5 sacralised"
    stage.landmarks.set_transition(Transition.LUMBARISED_S1)
    assert words(world, "level names")[-1] == "S1 lumbarised"


def test_words_cannot_be_dragged(world, stage):
    loaded(stage, 6)
    world.render()
    node = layer(world, "crop warning")
    before = node.GetNthControlPointPosition(0)
    start = world.to_display(before)
    world.drag((start[0] + 3, start[1] + 3), (start[0] + 40, start[1] + 40))
    assert node.GetNthControlPointPosition(0) == before


def test_overlays_lie_below_the_image_in_the_data_tree(world, stage):
    loaded(stage, 2)
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(world.scene)
    image = tree.GetItemByDataNode(world.scene.GetNodeByID(stage.image.volume_id))
    for role in (*MODELS, *NAMES, "landmarks", "further landmarks"):
        node = layer(world, role)
        assert tree.GetItemParent(tree.GetItemByDataNode(node)) == image, role


def test_a_deleted_image_takes_its_overlays_along_and_leaves_the_landmarks(world, stage, capfd):
    loaded(stage, 2)
    other = stage.landmarks.spine()
    world.scene.RemoveNode(world.scene.GetNodeByID(stage.image.volume_id))
    assert stage.image is None
    assert not world.nodes(MODEL, "guides")
    assert not world.nodes(POINTS, "guide names")
    assert len(world.nodes(POINTS, "landmarks")) == 1
    loaded(stage, 1)
    assert stage.landmarks.spine() != other
    assert "Traceback" not in capfd.readouterr().err, "VTK prints what an observer raises"


@pytest.mark.parametrize("number", [2, 6])
def test_no_colour_table_has_a_range_that_vtk_complains_of_also_while_the_scene_closes(world, stage, capfd, number):
    loaded(stage, number)
    world.render()
    for role in MODELS:
        node = layer(world, role)
        for display in (node.GetNthDisplayNode(n) for n in range(node.GetNumberOfDisplayNodes())):
            assert display.GetScalarRange()[0] < display.GetScalarRange()[1]
    stage.landmarks.clear()
    world.render()
    loaded(stage, number)
    world.clear()
    world.render()
    assert "table range" not in capfd.readouterr().err


def test_what_is_moved_in_place_is_drawn_as_if_it_were_new(world, stage, tmp_path):
    loaded(stage, 6)
    world.render()
    data = {role: layer(world, role).GetPolyData() for role in ("guides", "bands", "levels")}
    start = world.to_display(stage.landmarks.position("L3-SA"))
    world.drag(start, (start[0] + 9, start[1] + 4), steps=3)
    assert all(layer(world, role).GetPolyData() is was for role, was in data.items())
    world.move(5, 5)  # off the point, which is highlighted under the mouse
    stage.view.capture(tmp_path / "moved.png")
    for role in MODELS:
        copy = type(layer(world, role).GetPolyData())()
        copy.DeepCopy(layer(world, role).GetPolyData())
        layer(world, role).SetAndObservePolyData(copy)
    stage.view.capture(tmp_path / "new.png")
    moved, new = (np.asarray(Image.open(tmp_path / name), dtype=int) for name in ("moved.png", "new.png"))
    assert np.abs(moved - new).max() <= 1


def test_overlays_of_another_image_stay_as_they_are(world, stage):
    loaded(stage, 2)
    first = stage.image.volume_id
    before = drawn(world, stage, "guides")
    loaded(stage, 1)
    assert len(world.nodes(MODEL, "guides")) == 2
    stage.adopt(first)
    node = next(n for n in world.nodes(MODEL, "guides") if n.GetNodeReferenceID("VerteNet.volume") == first)
    assert node.GetPolyData().GetNumberOfCells() == len(before)


def test_what_belongs_to_another_image_is_not_shown_over_this_one(world, stage):
    loaded(stage, 2)
    first = stage.image.volume_id
    stage.overlays.set_visible("bands", False)
    loaded(stage, 1)

    def shown(volume_id: str) -> set[str]:
        nodes = [node for kind in (MODEL, POINTS) for node in world.nodes(kind) if node.GetAttribute("VerteNet.role")]
        mine = [node for node in nodes if node.GetNodeReferenceID("VerteNet.volume") == volume_id]
        return {node.GetAttribute("VerteNet.role") for node in mine if node.GetDisplayNode().GetVisibility()}

    everything = MODELS | NAMES | {"landmarks", "further landmarks"}
    assert shown(stage.image.volume_id) == everything - {"bands"}, "what is hidden is hidden on every image"
    assert shown(first) == set()
    second = stage.image.volume_id
    stage.adopt(first)
    assert shown(first) == everything - {"bands"}, "what the reader hid stays hidden"
    assert shown(second) == set()
    assert not stage.overlays.is_visible("bands")


def test_without_landmarks_nothing_is_drawn(world, stage):
    loaded(stage, 6)
    stage.landmarks.clear()
    assert (stage.overlays.crop(), dict(stage.overlays.guides())) == (None, {})
    assert all(not drawn(world, stage, role) for role in MODELS)
    assert all(not words(world, role) for role in NAMES)


def test_after_release_nothing_follows(world, stage):
    loaded(stage, 2)
    before = drawn(world, stage, "guides")
    geometry = stage.image.geometry
    stage.release()
    assert (stage.image, stage.landmarks.spine()) == (None, None)
    node = layer(world, "landmarks")
    node.SetNthControlPointPosition(5, 0, 0, 0)
    data = layer(world, "guides").GetPolyData()
    xy = geometry.to_pixels(vtk_to_numpy(data.GetPoints().GetData()) * (-1, -1, 1))
    np.testing.assert_allclose(xy, np.concatenate(before), atol=1e-6)


def test_landmarks_of_another_image_are_drawn_as_far_as_they_make_sense(world, stage):
    loaded(stage, 2)
    stage.landmarks.show(stage.landmarks.spine().map_points(lambda xy: xy[:, ::-1] * 3))
    assert stage.overlays.crop().state is CropState.NOT_ASSESSED
    (text,) = words(world, "crop warning")
    assert "could not be assessed" in text.replace("\n", " ")


def test_words_keep_off_the_vertebrae_whichever_way_they_run():
    for number in (2, 10):
        radiograph_spine = truth_of(sample(number))
        for direction in (1, -1):
            names = shapes._level_names(radiograph_spine, 1 if number == 2 else -1, direction)
            for name, vertebra in zip(names, radiograph_spine):
                xs = vertebra.to_array()[:, 0]
                assert not xs.min() < name.x < xs.max()


def test_the_sentence_says_what_is_not_assessed_elsewhere():
    crop = CropResult(CropState.CROPPED, segments=("L3",), causes=("border", "blanked"), reason="no guide at L1/L2")
    text = wording.crop_warning(crop, None)
    assert "border of the image and blanked region" in text
    assert "not assessed elsewhere: no guide at L1/L2." in text
