"""The scene as far as this module uses it: one image, its landmarks and its overlays."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Optional

import slicer

from vertenet.errors import ImageReadError
from vertenet.radiograph import Radiograph, Spacing

from ..interfaces import LoadedImage
from .belongings import show_only
from .image import VolumeImage, volume_of
from .landmarks import MarkupsLandmarks
from .overlays import SceneOverlays
from .screen import red_view
from .signals import Observers
from .view import SliceView
from .volumes import source_file


class SlicerStage:
    """`interfaces.Stage` on a MRML scene.

    Parameters
    ----------
    scene : vtkMRMLScene
    application_logic : vtkMRMLApplicationLogic
        For selection and interaction mode.
    slice_logic : vtkMRMLSliceLogic
        Of the one view that shows the image.
    window : vtkRenderWindow
        Of the same view, for pictures of it.
    """

    def __init__(self, scene: Any, application_logic: Any, slice_logic: Any, window: Any) -> None:
        self._scene = scene
        self._image: Optional[VolumeImage] = None
        self.landmarks = MarkupsLandmarks(scene, application_logic)
        self.view = SliceView(scene, slice_logic, window, self.landmarks)
        self.overlays = SceneOverlays(scene, self.landmarks, self.view)
        self.view.on_change = self.overlays.follow_view
        self._observers = Observers()
        #: What is to be ended with the stage.
        self._closing = ExitStack()

    @classmethod
    def in_application(cls) -> SlicerStage:
        """The stage in the running application, with its red slice view."""
        closing = ExitStack()
        stage = cls(slicer.mrmlScene, slicer.app.applicationLogic(), *red_view(closing))
        stage._closing = closing
        return stage

    @property
    def image(self) -> Optional[LoadedImage]:
        return None if self._image is None else self._image.loaded()

    def load(self, path: Path, name: str) -> LoadedImage:
        return self._take(VolumeImage.load(self._scene, Path(path), name))

    def adopt(self, volume_id: str) -> LoadedImage:
        """Landmarks and overlays that the scene holds of the volume are taken up again."""
        return self._take(VolumeImage.adopt(volume_of(self._scene, volume_id)))

    def holds(self, volume_id: str) -> bool:
        return self._scene.GetNodeByID(volume_id) is not None

    def source_file(self) -> Optional[Path]:
        return None if self._image is None else source_file(self._image.volume)

    def write_pixels(self, path: Path) -> None:
        self._required().write_pixels(path)

    def set_spacing(self, spacing: Optional[Spacing]) -> None:
        self._required().set_spacing(spacing)
        self.overlays.refresh()

    def radiograph(self) -> Radiograph:
        return self._required().radiograph()

    def release(self) -> None:
        self._observers.remove_all()
        self.overlays.detach()
        self.landmarks.detach()
        self.view.detach()
        self._image = None

    def close(self) -> None:
        """Stop following the scene; for when the module's panel goes away."""
        self.release()
        self.overlays.close()
        self._closing.close()

    def _take(self, image: VolumeImage) -> LoadedImage:
        self.release()
        self._image = image
        show_only(self._scene, image.volume)
        self.view.attach(image)
        self.overlays.attach(image)
        self.landmarks.attach(image)
        event = slicer.vtkMRMLTransformableNode.TransformModifiedEvent
        self._observers.add(image.volume, event, self._volume_moved)
        self._observers.add(self._scene, slicer.vtkMRMLScene.NodeRemovedEvent, self._node_removed)
        self._observers.add(self._scene, slicer.vtkMRMLScene.StartCloseEvent, self.release)
        return image.loaded()

    def _volume_moved(self) -> None:
        self.overlays.follow_volume()
        self.view.measure()

    def _node_removed(self) -> None:
        """An image that is deleted takes what is drawn over it along; its landmarks stay, for they are work."""
        if self._image is not None and not self._scene.IsNodePresent(self._image.volume):
            self._observers.remove_all()  # what is removed next would call this again, and again
            self.overlays.remove()
            self.release()

    def _required(self) -> VolumeImage:
        if self._image is None:
            raise ImageReadError("no image is open", remedy="Load or choose an image first")
        return self._image
