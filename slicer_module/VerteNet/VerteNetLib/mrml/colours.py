"""Colours of what is drawn (sRGB, 0 to 255): the same for a level wherever it appears."""

from __future__ import annotations

from typing import Any

from vertenet.measure import SEGMENTS
from vertenet.spine import Level

Colour = tuple[int, int, int]

LEVELS: dict[Level, Colour] = {
    Level.T11: (176, 190, 197),
    Level.T12: (255, 143, 208),
    Level.L1: (255, 169, 77),
    Level.L2: (255, 225, 77),
    Level.L3: (126, 227, 107),
    Level.L4: (90, 209, 255),
    Level.L5: (183, 155, 255),
    Level.L6: (255, 138, 128),
    Level.S1: (207, 216, 220),
}
DISC_GUIDE: Colour = (60, 220, 245)
THIRD_GUIDE: Colour = (150, 200, 215)
CORRIDOR: Colour = (245, 245, 245)
LOST: Colour = (255, 59, 48)
#: Of a vertebra whose corners contradict each other.
FAULTY: Colour = (255, 90, 90)
#: The half of a segment whose wall is graded now.
CELL: Colour = (255, 240, 60)
#: Another naming or reading of the same image.
OTHER: Colour = (255, 200, 120)
HALO: Colour = (0, 0, 0)
NAMES: Colour = (245, 245, 245)
WARNING: Colour = (255, 110, 100)
CAUTION: Colour = (255, 190, 90)


#: Shades of a segment's upper, middle and lower third.
_SHADES = (1.0, 0.72, 0.5)
#: One colour for each third of each AAC segment, from head to foot.
BANDS: tuple[Colour, ...] = tuple(
    tuple(round(part * shade) for part in LEVELS[segment]) for segment in SEGMENTS for shade in _SHADES
)
#: Every colour of a line or an area. Models count their cells' colours by it.
PALETTE: tuple[Colour, ...] = tuple(
    dict.fromkeys((*LEVELS.values(), *BANDS, DISC_GUIDE, THIRD_GUIDE, CORRIDOR, LOST, FAULTY, CELL, OTHER))
)
_TABLE = "VerteNet"


def palette_node(scene: Any) -> Any:
    """The scene's one colour table of `PALETTE`; made where there is none.

    Models could carry colours themselves, but then VTK complains at every drawing that they have no range.
    """
    node = scene.GetSingletonNode(_TABLE, "vtkMRMLColorTableNode")
    if node is not None:
        return node
    node = scene.CreateNodeByClass("vtkMRMLColorTableNode")
    node.UnRegister(None)
    node.SetName("VerteNet colours")
    node.SetSingletonTag(_TABLE)
    node.SetHideFromEditors(True)
    node.SetTypeToUser()
    node.SetNumberOfColors(len(PALETTE))
    for number, colour in enumerate(PALETTE):
        node.SetColor(number, str(number), *unit(colour))
    return scene.AddNode(node)


def unit(colour: Colour) -> tuple[float, ...]:
    """The same as VTK wants it, 0 to 1."""
    return tuple(part / 255 for part in colour)
