"""What follows from the landmarks, drawn while they are dragged: guides, AAC bands, corridor, crop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Optional

from vertenet.measure import CropResult, CropState, Guide, detect_crop, intervertebral_guides
from vertenet.radiograph import Radiograph
from vertenet.spine import Spine

from ..i18n import _
from ..interfaces import Unsubscribe
from . import colours, wording
from .belongings import remove_node
from .image import VolumeImage
from .landmarks import MarkupsLandmarks
from .layers import NameLayer, ShapeLayer
from .shapes import Drawing, Name, draw
from .signals import Listeners

#: What can be shown or hidden, and the layers that it consists of, from the lowest to the topmost.
KINDS = {
    "bands": ("bands",),
    "crop": ("lost area", "lost edge", "crop warning"),
    "corridor": ("corridor",),
    "guides": ("guides",),
    "levels": ("levels",),
    "labels": ("level names", "guide names"),
}
#: Where the crop warning stands, in shares of the image's width and height.
_WARNING_AT = (0.02, 0.14)


class SceneOverlays:
    """`interfaces.Overlays` on nodes of the scene that belong to the image and are saved with it.

    Parameters
    ----------
    scene : vtkMRMLScene
    landmarks : MarkupsLandmarks
    reading_direction : callable
        1 where words in the view run towards higher x of the image, else -1.
    """

    def __init__(self, scene: Any, landmarks: MarkupsLandmarks, reading_direction: Callable[[], int]) -> None:
        self._scene, self._landmarks = scene, landmarks
        self._reading_direction = reading_direction
        self._listeners = Listeners()
        self._image: Optional[VolumeImage] = None
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
        self._hidden = self._hidden - {kind} if visible else self._hidden | {kind}
        for layer in KINDS[kind]:
            if layer in self._layers:
                self._layers[layer].set_visible(visible)
        self._listeners.tell()

    def is_visible(self, kind: str) -> bool:
        return kind not in self._hidden

    def guides(self) -> Mapping[str, Guide]:
        return self._guides

    def crop(self) -> Optional[CropResult]:
        return self._crop

    def subscribe(self, changed: Callable[[], None]) -> Unsubscribe:
        return self._listeners.subscribe(changed)

    def refresh(self) -> None:
        """Compute and draw again, from where the landmarks are now."""
        if self._image is None:
            return
        spine = self._landmarks.spine()
        if spine is None:
            if self._layers:
                self._show(Drawing(), ())
            self._guides, self._crop = {}, None
        else:
            self._draw(self._image.radiograph(), spine)
        self._listeners.tell()

    def _draw(self, radiograph: Radiograph, spine: Spine) -> None:
        blanked = self._image.blanked()
        self._guides = intervertebral_guides(spine)
        self._crop = detect_crop(radiograph, spine, blanked=blanked)
        direction = self._reading_direction()
        drawing = draw(radiograph, spine, self._guides, self._crop, blanked, reading_direction=direction)
        sentence = wording.crop_sentence(self._crop, radiograph.spacing)
        x, y = _WARNING_AT
        at = (x if direction > 0 else 1 - x) * radiograph.columns, y * radiograph.rows
        if not self._layers:
            self._make_layers()
        warning = colours.WARNING if self._crop.state is CropState.CROPPED else colours.CAUTION
        self._layers["crop warning"].set_colour(warning)
        self._show(drawing, (Name(*at, wording.in_lines(sentence)),) if sentence else ())

    def _show(self, drawing: Drawing, warning: tuple[Name, ...]) -> None:
        grid, layers = self._image.grid, self._layers
        layers["bands"].show(drawing.bands, grid)
        layers["lost area"].show(drawing.lost_area, grid)
        layers["lost edge"].show(drawing.lost_edge, grid)
        layers["corridor"].show(drawing.corridor, grid)
        layers["guides"].show(drawing.guides, grid)
        layers["levels"].show(drawing.levels, grid)
        layers["level names"].show(drawing.level_names, grid)
        layers["guide names"].show(drawing.guide_names, grid)
        layers["crop warning"].show(warning, grid)

    def follow_volume(self) -> None:
        """Stay on the image when its parent transform is exchanged."""
        for layer in self._layers.values():
            layer.node.SetAndObserveTransformNodeID(self._image.volume.GetTransformNodeID())

    def _forget(self) -> None:
        self._layers: dict[str, Any] = {}
        self._guides: Mapping[str, Guide] = {}
        self._crop: Optional[CropResult] = None
        self._hidden: frozenset[str] = frozenset()

    def _make_layers(self) -> None:
        scene, volume = self._scene, self._image.volume

        def area(role: str, name: str, opacity: float) -> ShapeLayer:
            return ShapeLayer(scene, role, name, volume, width=1, opacity=opacity, rim=False)

        def lines(role: str, name: str, width: float, opacity: float = 1.0) -> ShapeLayer:
            return ShapeLayer(scene, role, name, volume, width=width, opacity=opacity, rim=True)

        def names(role: str, name: str, colour: colours.Colour, scale: float) -> NameLayer:
            return NameLayer(scene, role, name, volume, colour=colour, scale=scale)

        self._layers = {
            "bands": area("bands", _("AAC segments"), 0.3),
            "lost area": area("lost area", _("Lost part of the aortic corridor"), 0.45),
            "corridor": lines("corridor", _("Aortic corridor"), 2),
            "lost edge": lines("lost edge", _("Lost edge of the aortic corridor"), 3),
            "guides": lines("guides", _("Intervertebral guides"), 2),
            "levels": lines("levels", _("Vertebral outlines"), 1),
            "level names": names("level names", _("Vertebral levels"), colours.NAMES, 3.0),
            "guide names": names("guide names", _("Names of guides"), colours.DISC_GUIDE, 2.2),
            "crop warning": names("crop warning", _("Crop warning"), colours.WARNING, 3.2),
        }
        hidden = {kind for kind, layers in KINDS.items() if not self._layers[layers[0]].is_visible()}
        self._hidden = frozenset(hidden)
