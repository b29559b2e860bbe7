"""What this module writes on nodes of the scene, so that it finds its own again after a scene was saved and loaded."""

from __future__ import annotations

import json
from typing import Any, Optional

from vertenet.radiograph import Spacing

#: Which part of the work a node is, such as ``landmarks`` or ``guides``.
ROLE = "VerteNet.role"
#: Reference from such a node to the volume that it belongs to.
VOLUME = "VerteNet.volume"
#: Reference from a picture of several values a pixel to the grey volume that is worked on.
GREY_COPY = "VerteNet.greyCopy"
_SPACING = "VerteNet.spacing"
_TAGS = "VerteNet.dicom"
_FORMAT = "VerteNet.format"
_UNKNOWN = "unknown"


def is_known(volume: Any) -> bool:
    """Whether this module has worked on the volume before."""
    return volume.GetAttribute(_SPACING) is not None


def format_of(volume: Any) -> str:
    """The kind of file that the pixels came from, such as ``DICOM``; empty where nobody knows."""
    return volume.GetAttribute(_FORMAT) or ""


def set_format(volume: Any, kind: str) -> None:
    volume.SetAttribute(_FORMAT, kind)


def tags_json(volume: Any) -> Optional[str]:
    """The kept DICOM elements (`dicom_tags`), as DICOM JSON; None for an image of another kind."""
    return volume.GetAttribute(_TAGS)


def set_tags_json(volume: Any, text: str) -> None:
    volume.SetAttribute(_TAGS, text)


def spacing(volume: Any) -> Optional[Spacing]:
    """What a pixel measures in the patient, which is not what the volume's geometry says; None where unknown."""
    text = volume.GetAttribute(_SPACING)
    return None if text in (None, _UNKNOWN) else Spacing.from_dict(json.loads(text))


def set_spacing(volume: Any, value: Optional[Spacing]) -> None:
    volume.SetAttribute(_SPACING, _UNKNOWN if value is None else json.dumps(value.to_dict()))


def find(scene: Any, kind: str, role: str, volume: Any) -> Optional[Any]:
    """The node of a class that plays ``role`` for ``volume``, or None."""
    nodes = scene.GetNodesByClass(kind)
    nodes.UnRegister(None)
    for i in range(nodes.GetNumberOfItems()):
        node = nodes.GetItemAsObject(i)
        if node.GetAttribute(ROLE) == role and node.GetNodeReferenceID(VOLUME) == volume.GetID():
            return node
    return None


def marked(scene: Any) -> list[tuple[Any, str]]:
    """Every node that belongs to an image, with the ID of the image's volume."""
    nodes = scene.GetNodesByClass("vtkMRMLDisplayableNode")
    nodes.UnRegister(None)
    found = [nodes.GetItemAsObject(i) for i in range(nodes.GetNumberOfItems())]
    return [(node, node.GetNodeReferenceID(VOLUME)) for node in found if node.GetAttribute(ROLE)]


def mark(node: Any, role: str, volume: Any) -> None:
    """Say that ``node`` plays ``role`` for ``volume``."""
    node.SetAttribute(ROLE, role)
    node.SetNodeReferenceID(VOLUME, volume.GetID())
