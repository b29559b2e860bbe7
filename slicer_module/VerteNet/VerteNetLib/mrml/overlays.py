"""What follows from the landmarks, drawn while they are dragged: guides, AAC bands, corridor, crop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional

import numpy as np

from vertenet.measure import CropResult, CropState, Guide, intervertebral_guides
from vertenet.measure.aac import Wall
from vertenet.measure.consistency import crop_of, doubted_levels, trusted
from vertenet.radiograph import Radiograph
from vertenet.spine import Level, Spine

from ..i18n import _
from ..interfaces import Unsubscribe
from ..listeners import Listeners
from . import colours, wording
from .belongings import remove_node
from .image import VolumeImage
from .labels import Field, Obstacles, Place, find_place, name_boxes, without_crowded_thirds
from .landmarks import MarkupsLandmarks
from .layers import PLATE_EDGE, NameLayer, ShapeLayer
from .shapes import Drawing, Name, Shape, draw, other_names, other_reading, outline
from .view import SliceView

#: What can be shown or hidden, and the layers that it consists of, from the lowest to the topmost.
KINDS = {
    "bands": ("bands",),
    "crop": ("lost area", "lost edge", "crop warning"),
    "corridor": ("corridor",),
    "guides": ("guides",),
    "levels": ("levels",),
    "cell": ("cell",),
    "other": ("other outlines", "other names"),
    "labels": ("level names", "guide names"),
}


class SceneOverlays:
    """`interfaces.Overlays` on nodes of the scene that belong to the image and are saved with it.

    Parameters
    ----------
    scene : vtkMRMLScene
    landmarks : MarkupsLandmarks
    view : SliceView
        In which words must find room.
    """

    def __init__(self, scene: Any, landmarks: MarkupsLandmarks, view: SliceView) -> None:
        self._scene, self._landmarks, self._view = scene, landmarks, view
        self._listeners = Listeners()
        self._image: Optional[VolumeImage] = None
        #: Kinds that the reader has hidden, on every image; None before anything was chosen or drawn.
        self._hidden: Optional[frozenset[str]] = None
        self._forget()
        self._unsubscribe = landmarks.subscribe(self.refresh)

    def attach(self, image: VolumeImage) -> None:
        """Draw over ``image`` from now on."""
        self.detach()
        self._image = image
        self.refresh()

    def detach(self) -> None:
        """Let go of the image; what is drawn stays in the scene."""
        self._image = None
        self._forget()

    def remove(self) -> None:
        """Take what is drawn out of the scene."""
        for layer in self._layers.values():
            remove_node(self._scene, layer.node)
        self.detach()

    def close(self) -> None:
        self.detach()
        self._unsubscribe()

    def set_visible(self, kind: str, visible: bool) -> None:
        hidden = self._hidden or frozenset()
        self._hidden = hidden - {kind} if visible else hidden | {kind}
        for layer in KINDS[kind]:
            if layer in self._layers:
                self._layers[layer].set_visible(visible)
        self._listeners.tell()

    def is_visible(self, kind: str) -> bool:
        return kind not in (self._hidden or ())

    def guides(self) -> Mapping[str, Guide]:
        return self._guides

    def crop(self) -> Optional[CropResult]:
        return self._crop

    def mark_cell(self, cell: Optional[tuple[Level, Wall]]) -> None:
        self._cell = cell
        if self._layers:
            self._show_cell()

    def cell_area(self, cell: tuple[Level, Wall]) -> Optional[np.ndarray]:
        area, spine = self._drawing.cells.get(cell), self._landmarks.spine()
        if area is None or spine is None or cell[0] not in spine:
            return None
        located = [corner.xy for corner in spine[cell[0]].points.values() if corner.is_present]
        other = [self._drawing.cells[cell[0], wall] for wall in Wall if (cell[0], wall) in self._drawing.cells]
        return np.concatenate([*other, np.array(located).reshape(-1, 2)])

    def compare(self, spine: Optional[Spine], *, outlines: bool = False) -> None:
        self._other = spine, outlines
        if self._layers:
            self._show_other()

    def subscribe(self, changed: Callable[[], None]) -> Unsubscribe:
        return self._listeners.subscribe(changed)

    def refresh(self) -> None:
        """Compute and draw again, from where the landmarks are now."""
        if self._image is None:
            return
        spine = self._landmarks.spine()
        if spine is None:
            self._drawing, self._guides, self._crop = Drawing(), {}, None
            if self._layers:
                self._show()
        else:
            self._draw(self._image.radiograph(), spine)
        self._listeners.tell()

    def follow_view(self) -> None:
        """Find room for words again, in another part of the image, size or direction of the view."""
        if self._image is None or not self._layers:
            return
        if self._view.reading_direction() != self._direction:
            self.refresh()
        else:
            self._write(self._landmarks.spine())

    def _draw(self, radiograph: Radiograph, spine: Spine) -> None:
        doubts, blanked = self._landmarks.doubts(), self._image.blanked()
        self._guides = intervertebral_guides(trusted(spine, doubts))
        self._crop = crop_of(radiograph, spine, doubts, blanked=blanked)
        self._direction = self._view.reading_direction()
        self._drawing = draw(
            radiograph,
            spine,
            self._guides,
            self._crop,
            blanked,
            doubted=doubted_levels(doubts),
            reading_direction=self._direction,
        )
        if not self._layers:
            self._make_layers()
        warning = colours.WARNING if self._crop.state is CropState.CROPPED else colours.CAUTION
        self._layers["crop warning"].set_colour(warning)
        self._show()

    def _show(self) -> None:
        grid, layers, drawing = self._image.grid, self._layers, self._drawing
        layers["bands"].show(drawing.bands, grid)
        layers["lost area"].show(drawing.lost_area, grid)
        layers["lost edge"].show(drawing.lost_edge, grid)
        layers["corridor"].show(drawing.corridor, grid)
        layers["guides"].show(drawing.guides, grid)
        layers["levels"].show(drawing.levels, grid)
        self._show_cell()
        self._show_other()
        self._write(self._landmarks.spine())

    def _show_cell(self) -> None:
        area = None if self._cell is None else self._drawing.cells.get(self._cell)
        shapes = [] if area is None else [Shape(area, colours.CELL)]
        self._layers["cell"].show(shapes, self._image.grid)

    def _show_other(self) -> None:
        (spine, outlines), grid = self._other, self._image.grid
        shown = spine is not None and self._landmarks.spine() is not None
        self._layers["other outlines"].show(other_reading(spine) if shown and outlines else [], grid)
        self._layers["other names"].show(other_names(spine, self._direction) if shown else [], grid)

    def _write(self, spine: Optional[Spine]) -> None:
        """Words, as far as the view has room for them."""
        grid, layers, drawing, field = self._image.grid, self._layers, self._drawing, self._view.field()
        guide_names = without_crowded_thirds(drawing.guide_names, field, layers["guide names"].size)
        layers["level names"].show(drawing.level_names, grid)
        layers["guide names"].show(guide_names, grid)
        layers["crop warning"].show(() if spine is None else self._warning(spine, guide_names, field), grid)

    def _warning(self, spine: Spine, guide_names: Sequence[Name], field: Field) -> tuple[Name, ...]:
        """What is said of the crop, where it hides neither landmarks nor bands."""
        layers, drawing = self._layers, self._drawing
        texts = wording.in_lines(wording.crop_warning(self._crop, self._image.spacing))
        if not texts:
            self._place = None
            return ()
        located = [corner.xy for _name, corner in spine.named_points() if corner.is_present]
        around = [*(band.xy[:4] for band in drawing.bands), *(outline(v) for v in spine if v.is_complete)]
        obstacles = Obstacles(
            field.to_view(np.array(located).reshape(-1, 2)),
            field.to_view(np.array(around).reshape(-1, 4, 2)),
            np.concatenate(
                [
                    name_boxes(drawing.level_names, field, layers["level names"].size),
                    name_boxes(guide_names, field, layers["guide names"].size),
                ]
            ),
        )
        sizes = [layers["crop warning"].size(text) for text in texts]
        view = field.width, field.height
        self._place = find_place(sizes, obstacles, view, self._upper_left(field), self._place)
        x, y = field.to_pixels(np.array([self._place.x, self._place.y]) + PLATE_EDGE)
        return (Name(float(x), float(y), texts[self._place.shape]),)

    def _upper_left(self, field: Field) -> tuple[float, float]:
        """Of what is seen of the image, view pixels."""
        grid = self._image.grid
        corners = field.to_view(np.array([(0, 0), (grid.columns, 0), (0, grid.rows), (grid.columns, grid.rows)]))
        return max(float(corners[:, 0].min()), 0.0), min(float(corners[:, 1].max()), float(field.height))

    def follow_volume(self) -> None:
        """Stay on the image when its parent transform is exchanged."""
        for layer in self._layers.values():
            layer.node.SetAndObserveTransformNodeID(self._image.volume.GetTransformNodeID())

    def _forget(self) -> None:
        self._layers: dict[str, Any] = {}
        self._guides: Mapping[str, Guide] = {}
        self._crop: Optional[CropResult] = None
        self._drawing = Drawing()
        #: The cell that is marked, and the second reading that is drawn, with outlines or names alone.
        self._cell: Optional[tuple[Level, Wall]] = None
        self._other: tuple[Optional[Spine], bool] = (None, False)
        self._direction = 1
        #: Of the crop warning.
        self._place: Optional[Place] = None

    def _make_layers(self) -> None:
        scene, volume = self._scene, self._image.volume

        def area(role: str, name: str, opacity: float) -> ShapeLayer:
            return ShapeLayer(scene, role, name, volume, width=1, opacity=opacity, rim=False)

        def lines(role: str, name: str, width: float, opacity: float = 1.0) -> ShapeLayer:
            return ShapeLayer(scene, role, name, volume, width=width, opacity=opacity, rim=True)

        def names(role: str, name: str, colour: colours.Colour, scale: float) -> NameLayer:
            dpi = self._view.dots_per_inch
            return NameLayer(scene, role, name, volume, colour=colour, scale=scale, dpi=dpi)

        self._layers = {
            "bands": lines("bands", _("AAC segments"), 1),
            "lost area": area("lost area", _("Lost part of the aortic corridor"), 0.45),
            "corridor": lines("corridor", _("Aortic corridor"), 2),
            "lost edge": lines("lost edge", _("Lost edge of the aortic corridor"), 3),
            "guides": lines("guides", _("Intervertebral guides"), 2),
            "levels": lines("levels", _("Vertebral outlines"), 1),
            "other outlines": lines("other outlines", _("Outlines of the other reading"), 1),
            "cell": lines("cell", _("Cell that is graded"), 3),
            "level names": names("level names", _("Vertebral levels"), colours.NAMES, 3.0),
            "other names": names("other names", _("Levels of the other reading"), colours.OTHER, 2.6),
            "guide names": names("guide names", _("Names of guides"), colours.DISC_GUIDE, 2.2),
            "crop warning": names("crop warning", _("Crop warning"), colours.WARNING, 3.2),
        }
        self._landmarks.take_place_button()
        if self._hidden is None:  # a scene that was saved says what its reader had hidden
            hidden = {kind for kind, layers in KINDS.items() if not self._layers[layers[0]].is_visible()}
            self._hidden = frozenset(hidden)
        for kind, layers in KINDS.items():
            for layer in layers:
                self._layers[layer].set_visible(kind not in self._hidden)
