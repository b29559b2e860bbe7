"""Nodes that belong to an image: made once, found again after a scene was loaded, below the image in the data tree."""

from __future__ import annotations

from typing import Any

import slicer

from . import attributes

#: On the display nodes that are hidden because another image is on the screen.
_ASIDE = "VerteNet.aside"


def own_node(scene: Any, kind: str, role: str, name: str, volume: Any) -> Any:
    """The node of class ``kind`` that plays ``role`` for ``volume``; made, with its display, where there is none."""
    node = attributes.find(scene, kind, role, volume)
    if node is None:
        node = scene.AddNewNodeByClass(kind, name)
        attributes.mark(node, role, volume)
        node.CreateDefaultDisplayNodes()
    node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    _place_below(scene, node, volume)
    return node


def remove_node(scene: Any, node: Any) -> None:
    """Take a node and what it is displayed and stored by out of the scene."""
    helpers = [*_displays(node), node.GetStorageNode()]
    scene.RemoveNode(node)
    for helper in helpers:
        if helper is not None and scene.IsNodePresent(helper):
            scene.RemoveNode(helper)


def show_only(scene: Any, volume: Any) -> None:
    """Hide what belongs to other images, and show what was hidden of this one while another was on the screen.

    What the user has hidden stays hidden.
    """
    for node, owner in attributes.marked(scene):
        for display in _displays(node):
            if owner == volume.GetID() and display.GetAttribute(_ASIDE):
                display.RemoveAttribute(_ASIDE)
                display.SetVisibility(True)
            elif owner != volume.GetID() and display.GetVisibility():
                display.SetAttribute(_ASIDE, "true")
                display.SetVisibility(False)


def _displays(node: Any) -> list[Any]:
    return [node.GetNthDisplayNode(i) for i in range(node.GetNumberOfDisplayNodes())]


def _place_below(scene: Any, node: Any, volume: Any) -> None:
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    parent = hierarchy.GetItemByDataNode(volume)
    if not parent:  # the application has made one already
        parent = hierarchy.CreateItem(hierarchy.GetSceneItemID(), volume)
    item = hierarchy.GetItemByDataNode(node)
    if not item:
        hierarchy.CreateItem(parent, node)
    elif hierarchy.GetItemParent(item) != parent:
        hierarchy.SetItemParent(item, parent)
