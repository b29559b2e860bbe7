"""The image that is worked on: its volume node, its pixels as a reader sees them, and what a pixel measures."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import numpy as np
import vtk

from vertenet.errors import ImageReadError
from vertenet.files import write_bytes
from vertenet.imaging.intensity import as_display
from vertenet.imaging.orientation import dicom_anterior, direction_letter
from vertenet.imaging.sniff import Kind, kind_of
from vertenet.imaging.spacing import dicom_spacing, warn_if_implausible
from vertenet.measure.blanked import blanked_mask
from vertenet.radiograph import Radiograph, Spacing, SpacingSource
from vertenet.spine import Side

from ..i18n import _
from ..interfaces import LoadedImage
from . import attributes, dicom_tags
from .grid import PixelGrid
from .rasters import RASTERS
from .volumes import adopt_volume, grey_copy, grey_values, load_volume, source_file


class VolumeImage:
    """One volume node as an image; made by `load` or `adopt`.

    Attributes
    ----------
    volume : vtkMRMLScalarVolumeNode
    grid : PixelGrid
    warnings : tuple of str
        Sentences about the image that a reader should see.
    """

    def __init__(self, volume: Any) -> None:
        self.volume = volume
        self.grid = PixelGrid.of(volume)
        content = attributes.tags_json(volume)
        self.tags = None if content is None else dicom_tags.from_json(content)
        warnings: list[str] = []
        values = grey_values(self.grid.values(volume), volume.GetName())
        if self.tags is None:
            self._display = as_display(values)
        else:
            self._display = dicom_tags.display_pixels(self.tags, values, warnings)
        self.anterior = self._stated_anterior(warnings)
        stated = self._stated_spacing(warnings)
        if not attributes.is_known(volume):
            attributes.set_spacing(volume, stated)
        self._reading_warnings = tuple(dict.fromkeys(warnings))
        self._radiograph: Optional[Radiograph] = None
        self._blanked: Optional[np.ndarray] = None

    @classmethod
    def load(cls, scene: Any, path: Path, name: str) -> VolumeImage:
        """Read a file into the scene. Raises `ImageReadError`, and then nothing was added."""
        return cls(load_volume(scene, path, name))

    @classmethod
    def adopt(cls, volume: Any) -> VolumeImage:
        """Work on a volume of the scene, of a colour picture on a grey copy beside it.

        Raises `ImageReadError` where it is not one grey slice.
        """
        if volume.IsA("vtkMRMLVectorVolumeNode"):
            volume = grey_copy(volume)
        if not attributes.is_known(volume):
            path = source_file(volume)
            kind = None if path is None else kind_of(path)
            adopt_volume(volume, kind, dicom_tags.read_tags(path) if kind is Kind.DICOM else None)
        return cls(volume)

    @property
    def name(self) -> str:
        return self.volume.GetName()

    @property
    def spacing(self) -> Optional[Spacing]:
        return attributes.spacing(self.volume)

    def set_spacing(self, spacing: Optional[Spacing]) -> None:
        """What a pixel measures; neither the volume's geometry nor any point moves."""
        attributes.set_spacing(self.volume, spacing)
        self._radiograph = None

    @property
    def warnings(self) -> tuple[str, ...]:
        if self.spacing is None:
            unknown = _("The size of a pixel is unknown: lengths are given in pixels until you enter it.")
            return (*self._reading_warnings, unknown)
        return self._reading_warnings

    def loaded(self) -> LoadedImage:
        grid = self.grid
        return LoadedImage(
            name=self.name,
            rows=grid.rows,
            columns=grid.columns,
            spacing=self.spacing,
            volume_id=self.volume.GetID(),
            geometry=grid.geometry,
            warnings=self.warnings,
        )

    def radiograph(self) -> Radiograph:
        """The image as the server reads it from the same file."""
        if self._radiograph is None:
            self._radiograph = Radiograph(
                self._display,
                spacing=self.spacing,
                anterior=self.anterior,
                name=self.name,
                warnings=self.warnings,
                geometry=self.grid.geometry,
            )
        return self._radiograph

    def blanked(self) -> np.ndarray:
        """(rows, columns) bool: not exposed. Found once, since finding it takes longer than a drag may."""
        if self._blanked is None:
            self._blanked = blanked_mask(self._display)
        return self._blanked

    def to_world(self, xy: np.ndarray) -> np.ndarray:
        """(n, 2) source pixels to (n, 3) world RAS mm, parent transforms included."""
        points = self.grid.to_ras(np.asarray(xy, dtype=np.float64))
        parent = self.volume.GetParentTransformNode()
        if parent is None:
            return points
        to_world = vtk.vtkGeneralTransform()
        parent.GetTransformToWorld(to_world)
        return np.array([to_world.TransformPoint(point) for point in points])

    def directions(self) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors of world RAS, parent transforms included, to the right and down the image, at its centre."""
        centre = np.array([self.grid.columns, self.grid.rows]) / 2
        origin, right, down = self.to_world(centre + np.array([(0, 0), (1, 0), (0, 1)]))
        return tuple((end - origin) / np.linalg.norm(end - origin) for end in (right, down))

    def stored_range(self, shown: tuple[float, float]) -> tuple[float, float]:
        """The stored values between which display values rise from ``shown[0]`` to ``shown[1]``."""
        values = grey_values(self.grid.values(self.volume), self.name)
        below, above = values[self._display <= shown[0]], values[self._display >= shown[1]]
        low = below.max() if below.size else values.min()
        high = above.min() if above.size else values.max()
        return float(low), float(high)

    def write_pixels(self, path: Path) -> None:
        """Write display values (8 bits) and pixel size as NRRD, and no other word of file or scene."""
        size = self.spacing or Spacing(1.0, 1.0, SpacingSource.USER)
        header = "\n".join(
            [
                "NRRD0004",
                "type: uint8",
                "dimension: 3",
                f"sizes: {self.grid.columns} {self.grid.rows} 1",
                "encoding: raw",
                "space: left-posterior-superior",
                f"space directions: ({size.column!r},0,0) (0,{size.row!r},0) (0,0,1)",
                "space origin: (0,0,0)",
            ]
        )
        write_bytes(path, header.encode("ascii") + b"\n\n" + np.rint(self._display).astype(np.uint8).tobytes())

    def _stated_spacing(self, warnings: list[str]) -> Optional[Spacing]:
        """What the file says of the size of a pixel, by the server's rules."""
        if self.tags is not None:
            return dicom_spacing(self.tags, None, warnings)
        if attributes.format_of(self.volume) in (kind.value for kind in RASTERS):
            return None
        geometry = self.grid.geometry
        row, column = (float(np.linalg.norm(step)) for step in (geometry.row_step, geometry.column_step))
        if row == column == 1.0:
            warnings.append(_("The image says 1 mm a pixel, which often means unknown: check before trusting mm."))
            if not attributes.format_of(self.volume):
                return None
        spacing = Spacing(row, column, SpacingSource.VOLUME_HEADER)
        warn_if_implausible(spacing, warnings)
        return spacing

    def _stated_anterior(self, warnings: list[str]) -> Optional[Side]:
        if self.tags is not None:
            return dicom_anterior(self.tags, Path(self.name), warnings)
        geometry = self.grid.geometry
        if direction_letter(geometry.row_step) != "F":
            return None
        return {"A": "right", "P": "left"}.get(direction_letter(geometry.column_step))


def volume_of(scene: Any, volume_id: str) -> Any:
    """The volume node of an ID. Raises `ImageReadError` where there is none."""
    node = scene.GetNodeByID(volume_id)
    if node is None or not node.IsA("vtkMRMLScalarVolumeNode"):
        raise ImageReadError("there is no such volume in the scene", remedy="Load or choose an image")
    return node
