"""Slicer's own Place button puts points into the markups node that is active: never into what is only drawn."""

from __future__ import annotations

from ..mrml_scene import MrmlScene
from .conftest import sample, truth_of


def active(world) -> str:
    node_id = world.application_logic.GetSelectionNode().GetActivePlaceNodeID()
    node = world.scene.GetNodeByID(node_id) if node_id else None
    return node.GetAttribute("VerteNet.role") if node is not None else ""


def test_the_landmarks_are_active_after_overlays_were_made_on_every_image(world, stage):
    for number in (2, 1):
        stage.load(sample(number), f"image {number}")
        stage.landmarks.show(truth_of(sample(number)))
        assert active(world) == "landmarks"
        node = world.scene.GetNodeByID(world.application_logic.GetSelectionNode().GetActivePlaceNodeID())
        assert node.GetNodeReferenceID("VerteNet.volume") == stage.image.volume_id


def test_without_landmarks_nothing_of_ours_is_active(world, stage):
    stage.load(sample(2), "one")
    stage.landmarks.show(truth_of(sample(2)))
    stage.load(sample(1), "two")
    assert active(world) == ""


def test_a_markups_node_of_somebody_else_stays_active(world, stage):
    stage.load(sample(2), "one")
    theirs = world.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "theirs")
    world.application_logic.GetSelectionNode().SetActivePlaceNodeID(theirs.GetID())
    stage.load(sample(1), "two")
    assert world.application_logic.GetSelectionNode().GetActivePlaceNodeID() == theirs.GetID()


def test_the_end_of_the_application_with_an_image_open_is_quiet(capfd):
    with MrmlScene(300, 300) as world:
        stage = world.stage()
        stage.load(sample(2), "one")
        stage.landmarks.show(truth_of(sample(2)))
    assert "Error" not in capfd.readouterr().err
