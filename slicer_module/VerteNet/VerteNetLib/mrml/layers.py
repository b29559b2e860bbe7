"""Drawings as nodes of the scene: lines and areas in model nodes, words in Markups nodes that nobody can drag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray

from . import colours
from .belongings import own_node
from .colours import Colour
from .grid import PixelGrid
from .points import modifying
from .shapes import Name, Shape

_COLOUR = "Colour"
#: Share of the width of a line that its dark rim is wide.
_RIM = 2.0


class ShapeLayer:
    """Lines or areas of one kind in a model node, drawn in the plane of the image.

    Parameters
    ----------
    scene : vtkMRMLScene
    role, name : str
        What the node is for, and what it is called.
    volume : vtkMRMLScalarVolumeNode
        The image's.
    width : float
        Of lines, view pixels.
    opacity : float
        Of lines or areas.
    rim : bool
        Draw lines over a wider dark line, so that they are seen on bright pixels too.
    """

    def __init__(
        self, scene: Any, role: str, name: str, volume: Any, *, width: float, opacity: float, rim: bool
    ) -> None:
        self.node = own_node(scene, "vtkMRMLModelNode", role, name, volume)
        self._empty = False
        if rim and self.node.GetNumberOfDisplayNodes() < 2:
            extra = scene.AddNewNodeByClass("vtkMRMLModelDisplayNode")
            self.node.AddAndObserveDisplayNodeID(extra.GetID())
        shown = [self.node.GetNthDisplayNode(i) for i in range(self.node.GetNumberOfDisplayNodes())]
        for display in shown:
            display.SetVisibility2D(True)
            display.SetSliceDisplayModeToProjection()
            display.SetVisibility3D(False)
            display.SetOpacity(opacity)
            display.SetSliceIntersectionOpacity(opacity)
            display.SetSliceIntersectionThickness(round(width))
        if rim:
            shown[0].SetScalarVisibility(False)
            shown[0].SetColor(colours.unit(colours.HALO))
            shown[0].SetSliceIntersectionThickness(round(width + _RIM))
            shown[0].SetSliceIntersectionOpacity(0.55 * opacity)
        last = shown[-1]
        last.SetActiveScalar(_COLOUR, vtk.vtkAssignAttribute.CELL_DATA)
        last.SetAndObserveColorNodeID(colours.palette_node(scene).GetID())
        last.SetScalarRangeFlag(slicer.vtkMRMLDisplayNode.UseManualScalarRange)
        last.SetScalarRange(0, len(colours.PALETTE) - 1)
        last.SetScalarVisibility(True)

    def show(self, shapes: Sequence[Shape], grid: PixelGrid) -> None:
        """Draw ``shapes`` in place of what was drawn before."""
        if self._empty and not shapes:
            return
        self._empty = not shapes
        self.node.SetAndObservePolyData(_poly_data(shapes, grid))

    def set_visible(self, visible: bool) -> None:
        for i in range(self.node.GetNumberOfDisplayNodes()):
            self.node.GetNthDisplayNode(i).SetVisibility(visible)

    def is_visible(self) -> bool:
        return bool(self.node.GetDisplayNode().GetVisibility())


class NameLayer:
    """Words of one colour on a dark plate, readable on black and on white."""

    def __init__(self, scene: Any, role: str, name: str, volume: Any, *, colour: Colour, scale: float) -> None:
        self.node = own_node(scene, "vtkMRMLMarkupsFiducialNode", role, name, volume)
        self._shown: Sequence[Name] = ()
        self.node.SetLocked(True)
        self.node.SetSelectable(False)
        display = self.node.GetDisplayNode()
        display.SetVisibility3D(False)
        display.SetSliceProjection(True)
        display.SetSliceProjectionUseFiducialColor(True)
        display.SetSliceProjectionOpacity(1.0)
        display.SetGlyphTypeFromString("Vertex2D")
        display.SetGlyphScale(0.01)
        display.SetTextScale(scale)
        display.SetPropertiesLabelVisibility(False)
        display.SetPointLabelsVisibility(True)
        self.set_colour(colour)
        words = display.GetTextProperty()
        words.SetBold(True)
        words.SetShadow(False)
        words.SetBackgroundColor(0.0, 0.0, 0.0)
        words.SetBackgroundOpacity(0.72)

    def set_colour(self, colour: Colour) -> None:
        self.node.GetDisplayNode().SetSelectedColor(*colours.unit(colour))

    def show(self, names: Sequence[Name], grid: PixelGrid) -> None:
        """Write ``names`` in place of what was written before."""
        names = tuple(names)
        if names == self._shown and self.node.GetNumberOfControlPoints() == len(names):
            return
        self._shown = names
        positions = grid.to_ras(np.array([(name.x, name.y) for name in names]).reshape(-1, 2))
        with modifying(self.node):
            if self.node.GetNumberOfControlPoints() != len(names):
                self.node.RemoveAllControlPoints()
                for _ in names:
                    self.node.AddControlPoint(0.0, 0.0, 0.0)
            for number, (name, position) in enumerate(zip(names, positions)):
                self.node.SetNthControlPointPosition(number, *position)
                if self.node.GetNthControlPointLabel(number) != name.text:
                    self.node.SetNthControlPointLabel(number, name.text)

    def set_visible(self, visible: bool) -> None:
        self.node.GetDisplayNode().SetVisibility(visible)

    def is_visible(self) -> bool:
        return bool(self.node.GetDisplayNode().GetVisibility())


def _poly_data(shapes: Sequence[Shape], grid: PixelGrid) -> Any:
    data = vtk.vtkPolyData()
    points = vtk.vtkPoints()
    points.SetDataTypeToDouble()
    if shapes:
        positions = grid.to_ras(np.concatenate([shape.xy for shape in shapes]))
        points.SetData(numpy_to_vtk(np.ascontiguousarray(positions), deep=True))
    data.SetPoints(points)
    offsets = np.concatenate([[0], np.cumsum([len(shape.xy) for shape in shapes])]).astype(np.int64)
    # Cell data count lines first, then areas; a layer holds only one of both.
    cells = vtk.vtkCellArray()
    cells.SetData(
        numpy_to_vtkIdTypeArray(offsets, deep=True), numpy_to_vtkIdTypeArray(np.arange(offsets[-1]), deep=True)
    )
    if any(shape.filled for shape in shapes):
        data.SetPolys(cells)
    else:
        data.SetLines(cells)
    entries = np.array([colours.PALETTE.index(shape.colour) for shape in shapes], dtype=np.int32)
    scalars = numpy_to_vtk(entries, deep=True)
    scalars.SetName(_COLOUR)
    data.GetCellData().SetScalars(scalars)
    return data
