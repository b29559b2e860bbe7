"""The one slice view: the image upright and fitted, flipped where wanted, in windows a reader expects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

import numpy as np
import slicer
import vtk

from vertenet.errors import OptionError
from vertenet.files import beside

from .image import VolumeImage
from .labels import Field
from .landmarks import MarkupsLandmarks
from .signals import Observers

PRESETS = ("bone", "soft tissue", "inverted")
_GREY, _INVERTED = "vtkMRMLColorTableNodeGrey", "vtkMRMLColorTableNodeInvertedGrey"
#: Percentiles of the exposed pixels that are black and white for soft tissue, which is darker than bone.
_SOFT_TISSUE = (1.0, 88.0)


#: Around what is zoomed to, its larger side is so much of the view's.
_ROOM = 1.35
_MAGNIFIED = 2.5


class SliceView:
    """`interfaces.ImageView` on a slice logic and its window.

    Parameters
    ----------
    scene : vtkMRMLScene
    slice_logic : vtkMRMLSliceLogic
    window : vtkRenderWindow
    landmarks : MarkupsLandmarks
        To find the points to jump to.
    """

    def __init__(self, scene: Any, slice_logic: Any, window: Any, landmarks: MarkupsLandmarks) -> None:
        self._scene, self._logic, self._window = scene, slice_logic, window
        self._landmarks = landmarks
        self._image: Optional[VolumeImage] = None
        self._flipped = False
        #: Field of view and orientation before the view was magnified; None while it is not.
        self._before: Optional[tuple[Any, Any]] = None
        self._preset = PRESETS[0]
        self._field: Optional[Field] = None
        self._observers = Observers()
        #: Called when the view shows another part of the image, in another size or flipped.
        self.on_change: Callable[[], None] = lambda: None

    def attach(self, image: VolumeImage) -> None:
        """Show ``image`` alone, fitted, in the window that was chosen last."""
        self._image, self._flipped = image, False
        composite = self._logic.GetSliceCompositeNode()
        composite.SetBackgroundVolumeID(image.volume.GetID())
        composite.SetForegroundVolumeID(None)
        composite.SetLabelVolumeID(None)
        layout = self._scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
        if layout is not None:
            layout.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
        self.set_preset(self._preset)
        self.fit()
        self._field = self._measured()
        self._observers.add(self._logic.GetSliceNode(), vtk.vtkCommand.ModifiedEvent, self.measure)

    def detach(self) -> None:
        self._observers.remove_all()
        self._image = self._field = None

    def field(self) -> Optional[Field]:
        """How the view shows the image; None where there is none."""
        return self._field

    def dots_per_inch(self) -> int:
        """By which the window turns sizes of words into pixels."""
        return self._window.GetDPI()

    def fit(self) -> None:
        """The whole image, upright: x to the right (to the left where flipped), y down."""
        self._before = None
        if self._image is None:
            return
        node = self._logic.GetSliceNode()
        node.RotateToVolumePlane(self._image.volume)
        self._turn_upright()
        self._logic.FitSliceToBackground()
        self._logic.SnapSliceOffsetToIJK()

    def set_flipped(self, flipped: bool) -> None:
        if flipped == self._flipped:
            return
        self.magnify(False)
        self._flipped = flipped
        node = self._logic.GetSliceNode()
        matrix = node.GetSliceToRAS()
        for row in range(3):
            matrix.SetElement(row, 0, -matrix.GetElement(row, 0))
        node.UpdateMatrices()

    def is_flipped(self) -> bool:
        return self._flipped

    def reading_direction(self) -> int:
        return -1 if self._flipped else 1

    def set_preset(self, name: str) -> None:
        """Window and colours of this volume and the next ones; ``inverted`` turns those of bone round."""
        if name not in PRESETS:
            raise OptionError(f"there is no window {name!r}", remedy=f"Choose one of {', '.join(PRESETS)}")
        self._preset = name
        if self._image is None:
            return
        display = self._image.volume.GetDisplayNode()
        low, high = self._soft_tissue() if name == "soft tissue" else self._bone()
        display.SetAutoWindowLevel(False)
        display.SetWindowLevelMinMax(low, max(high, low + 1e-6))
        display.SetAndObserveColorNodeID(_INVERTED if name == "inverted" else _GREY)

    def preset(self) -> str:
        return self._preset

    def zoom_to(self, xy: np.ndarray) -> None:
        if self._image is None:
            return
        self._before = None
        shown = self._measured().to_view(xy)
        node = self._logic.GetSliceNode()
        size = np.ptp(shown, axis=0) / np.array(node.GetDimensions()[:2])
        self._enlarge(float(size.max()) * _ROOM, self._image.to_world(_middle(xy)[None])[0])

    def magnify(self, magnified: bool) -> None:
        if self._image is None or magnified == self.is_magnified():
            return
        node = self._logic.GetSliceNode()
        if not magnified:
            (field, matrix), self._before = self._before, None
            node.GetSliceToRAS().DeepCopy(matrix)
            node.UpdateMatrices()
            node.SetFieldOfView(*field)
            return
        matrix = vtk.vtkMatrix4x4()
        matrix.DeepCopy(node.GetSliceToRAS())
        before = node.GetFieldOfView(), matrix
        self._enlarge(1 / _MAGNIFIED, self._under_the_mouse())
        self._before = before

    def is_magnified(self) -> bool:
        return self._before is not None

    def jump_to(self, point: str) -> None:
        """Bring a point to the middle of the view."""
        position = self._landmarks.position(point)
        if position is not None:
            self._logic.GetSliceNode().JumpSliceByCentering(*position)
            self._logic.SnapSliceOffsetToIJK()

    def capture(self, path: Path) -> None:
        self._window.Render()
        grabber = vtk.vtkWindowToImageFilter()
        grabber.SetInput(self._window)
        grabber.SetInputBufferTypeToRGB()
        grabber.ReadFrontBufferOff()
        grabber.Update()
        writer = vtk.vtkPNGWriter()
        writer.SetInputConnection(grabber.GetOutputPort())
        with beside(path) as temporary:
            writer.SetFileName(str(temporary))
            writer.Write()

    def measure(self) -> None:
        """Look again how the image is shown, and tell if that has changed."""
        if self._image is None:
            return
        field = self._measured()
        if field != self._field:
            self._field = field
            self.on_change()

    def _enlarge(self, factor: float, centre: np.ndarray) -> None:
        """Show ``factor`` of the width and height that are shown, around a world position."""
        node = self._logic.GetSliceNode()
        width, height, depth = node.GetFieldOfView()
        node.SetFieldOfView(width * factor, height * factor, depth)
        node.JumpSliceByCentering(*(float(part) for part in centre))
        self._logic.SnapSliceOffsetToIJK()

    def _under_the_mouse(self) -> np.ndarray:
        """World RAS mm; the middle of the view where the mouse was never in it."""
        crosshair, position = self._scene.GetFirstNodeByClass("vtkMRMLCrosshairNode"), [0.0, 0.0, 0.0]
        if crosshair is not None and crosshair.GetCursorPositionRAS(position):
            return np.array(position)
        width, height = self._logic.GetSliceNode().GetDimensions()[:2]
        return np.array(self._logic.GetSliceNode().GetXYToRAS().MultiplyPoint((width / 2, height / 2, 0.0, 1.0))[:3])

    def _measured(self) -> Field:
        node = self._logic.GetSliceNode()
        columns, rows = self._image.grid.columns, self._image.grid.rows
        from_ras = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(node.GetXYToRAS(), from_ras)
        world = self._image.to_world(np.array([(0, 0), (columns, 0), (0, rows)]))
        origin, right, down = (np.array(from_ras.MultiplyPoint((*point, 1.0))[:2]) for point in world)
        matrix = np.column_stack([(right - origin) / columns, (down - origin) / rows, origin])
        return Field(matrix, *node.GetDimensions()[:2])

    def _turn_upright(self) -> None:
        """Lay the view's axes along the image's, whatever way the volume lies in space.

        The nearest anatomical view shows anterior on the left; a reader wants the image as it was exported.
        """
        right, down = self._image.directions()
        normal = np.cross(right, -down)
        node = self._logic.GetSliceNode()
        matrix = node.GetSliceToRAS()
        for column, axis in enumerate((-right if self._flipped else right, -down, normal)):
            for row in range(3):
                matrix.SetElement(row, column, float(axis[row]))
        node.UpdateMatrices()

    def _bone(self) -> tuple[float, float]:
        """The stored values that the server shows as black and as white."""
        return self._image.stored_range((0.0, 255.0))

    def _soft_tissue(self) -> tuple[float, float]:
        exposed = self._image.radiograph().pixels[~self._image.blanked()]
        low, high = np.percentile(exposed, _SOFT_TISSUE)
        return self._image.stored_range((float(low), float(high)))


def _middle(xy: np.ndarray) -> np.ndarray:
    return (xy.min(axis=0) + xy.max(axis=0)) / 2
