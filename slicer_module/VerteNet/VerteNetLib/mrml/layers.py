"""Drawings as nodes of the scene: lines and areas in model nodes, words in Markups nodes that nobody can drag."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Optional

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy

from . import colours
from .belongings import own_node
from .colours import Colour
from .grid import PixelGrid
from .points import modifying
from .shapes import Name, Shape

_COLOUR = "Colour"
#: Share of the width of a line that its dark rim is wide.
_RIM = 2.0
#: How dense the plate behind words is: light words on it are read on white pixels too.
_PLATE = 0.85
#: From the lower left corner of a plate to where its words begin, view pixels.
PLATE_EDGE = 2.0


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
        #: What is drawn: how its points are joined and coloured, the points, and the data that holds them.
        self._drawn: Optional[tuple[Any, np.ndarray, Any]] = None
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
            # A display node begins with the range 0 to -1, which VTK complains of wherever it makes a table of it.
            display.SetScalarRangeFlag(slicer.vtkMRMLDisplayNode.UseManualScalarRange)
            display.SetScalarRange(0, len(colours.PALETTE) - 1)
        if rim:
            shown[0].SetScalarVisibility(False)
            shown[0].SetColor(colours.unit(colours.HALO))
            shown[0].SetSliceIntersectionThickness(round(width + _RIM))
            shown[0].SetSliceIntersectionOpacity(0.55 * opacity)
        last = shown[-1]
        last.SetActiveScalar(_COLOUR, vtk.vtkAssignAttribute.CELL_DATA)
        last.SetAndObserveColorNodeID(colours.palette_node(scene).GetID())
        last.SetScalarVisibility(True)

    def show(self, shapes: Sequence[Shape], grid: PixelGrid) -> None:
        """Draw ``shapes`` in place of what was drawn before; where only points moved, only points are exchanged."""
        xy = np.concatenate([shape.xy for shape in shapes]) if shapes else np.empty((0, 2))
        form = [(len(shape.xy), shape.colour, shape.filled) for shape in shapes]
        if self._drawn is not None and self._drawn[0] == form and self.node.GetPolyData() is self._drawn[2]:
            if not np.array_equal(xy, self._drawn[1]):
                points = self._drawn[2].GetPoints()
                vtk_to_numpy(points.GetData())[:] = grid.to_ras(xy)
                points.Modified()
                self._drawn = form, xy, self._drawn[2]
            return
        data = _poly_data(shapes, grid.to_ras(xy))
        self.node.SetAndObservePolyData(data)
        self._drawn = form, xy, data

    def set_visible(self, visible: bool) -> None:
        for i in range(self.node.GetNumberOfDisplayNodes()):
            self.node.GetNthDisplayNode(i).SetVisibility(visible)

    def is_visible(self) -> bool:
        return bool(self.node.GetDisplayNode().GetVisibility())


class NameLayer:
    """Words of one colour on a dark plate, readable on black and on white."""

    def __init__(
        self, scene: Any, role: str, name: str, volume: Any, *, colour: Colour, scale: float, dpi: Callable[[], int]
    ) -> None:
        self._dpi = dpi
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
        words.SetBackgroundOpacity(_PLATE)

    def size(self, text: str) -> tuple[float, float]:
        """Width and height of words with their plate, view pixels."""
        display = self.node.GetDisplayNode()
        return text_size(text, int(display.GetTextScale() * display.GetTextProperty().GetFontSize()), self._dpi())

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


@lru_cache(maxsize=1024)
def text_size(text: str, font_size: int, dpi: int) -> tuple[float, float]:
    """Width and height of bold words with their plate, pixels."""
    words = vtk.vtkTextProperty()
    words.SetBold(True)
    words.SetFontSize(font_size)
    box = [0, 0, 0, 0]
    vtk.vtkTextRenderer.GetInstance().GetBoundingBox(words, text, box, dpi)
    return float(box[1] - box[0] + 2 * PLATE_EDGE), float(box[3] - box[2] + 2 * PLATE_EDGE)


def _poly_data(shapes: Sequence[Shape], positions: np.ndarray) -> Any:
    """``positions``: (n, 3) RAS mm of the points of all shapes, one after another."""
    data = vtk.vtkPolyData()
    points = vtk.vtkPoints()
    points.SetDataTypeToDouble()
    if shapes:
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
