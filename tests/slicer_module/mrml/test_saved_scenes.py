"""A scene that was saved and loaded again holds the whole work, once."""

from __future__ import annotations

import slicer
from VerteNetLib.mrml.overlays import KINDS

from vertenet.measure import GUIDE_NAMES
from vertenet.radiograph import Spacing, SpacingSource
from vertenet.spine import Status, Transition

from ..mrml_scene import MrmlScene
from .conftest import sample, truth_of

POINTS, MODEL = "vtkMRMLMarkupsFiducialNode", "vtkMRMLModelNode"


def roles(world) -> list[str]:
    nodes = [*world.nodes(POINTS), *world.nodes(MODEL)]
    return sorted(role for role in (node.GetAttribute("VerteNet.role") for node in nodes) if role)


def test_everything_is_there_again_and_nothing_twice(tmp_path):
    with MrmlScene() as world:
        stage = world.stage()
        stage.load(sample(11), "Case 11")
        stage.landmarks.show(truth_of(sample(11)))
        stage.landmarks.set_transition(Transition.SACRALISED_L5)
        stage.landmarks.mark(["T12-SA"], Status.OUTSIDE)
        stage.landmarks.mark(["T12-SP"], Status.UNEVALUABLE)
        stage.set_spacing(Spacing(0.41, 0.43, SpacingSource.USER, note="ruler"))
        stage.overlays.set_visible("bands", False)
        before = stage.landmarks.spine(), stage.overlays.crop(), stage.image, stage.radiograph().pixels.copy()
        made = roles(world)
        world.save(tmp_path / "scene")
        stage.close()
    with MrmlScene() as world:
        world.open(tmp_path / "scene")
        assert roles(world) == made
        stage = world.stage()
        image = stage.adopt(world.scene.GetFirstNodeByName("Case 11").GetID())
        spine, crop, was, pixels = before
        assert stage.landmarks.spine() == spine
        assert stage.overlays.crop() == crop
        assert (image.spacing, image.warnings) == (was.spacing, was.warnings)
        assert (stage.radiograph().pixels == pixels).all()
        assert tuple(stage.overlays.guides()) == GUIDE_NAMES
        assert [kind for kind in KINDS if not stage.overlays.is_visible(kind)] == ["bands"]
        assert roles(world) == made
        tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(world.scene)
        item = tree.GetItemByDataNode(world.nodes(POINTS, "landmarks")[0])
        assert tree.GetItemDataNode(tree.GetItemParent(item)).GetName() == "Case 11"
        stage.landmarks.shift_levels(1)
        stage.landmarks.undo()
        assert stage.landmarks.spine() == spine
        stage.close()


def test_a_closed_scene_is_let_go_of_and_the_next_image_is_worked_on(tmp_path):
    with MrmlScene() as world:
        stage = world.stage()
        stage.load(sample(2), "one")
        stage.landmarks.show(truth_of(sample(2)))
        world.clear()
        assert (stage.image, stage.landmarks.spine(), stage.overlays.crop()) == (None, None, None)
        stage.load(sample(1), "two")
        stage.landmarks.show(truth_of(sample(1)))
        assert len(stage.overlays.guides()) == 13
        stage.close()


def test_loading_an_image_removes_nothing_from_the_scene():
    with MrmlScene() as world:
        stage = world.stage()
        theirs = world.scene.AddNewNodeByClass(POINTS, "of somebody else")
        theirs.AddControlPoint(1, 2, 3)
        stage.load(sample(2), "one")
        stage.landmarks.show(truth_of(sample(2)))
        stage.load(sample(1), "two")
        assert world.scene.IsNodePresent(theirs)
        assert tuple(theirs.GetNthControlPointPosition(0)) == (1, 2, 3)
        assert {node.GetName() for node in world.nodes("vtkMRMLScalarVolumeNode")} == {"one", "two"}
        stage.close()
