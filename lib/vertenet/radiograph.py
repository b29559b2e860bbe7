"""Radiograph: one grey lateral image, what a pixel measures and how we know, and which way the patient faces.

Reading files is the business of `vertenet.imaging`; this object knows no format.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ImageReadError, OptionError
from .spine import Side


class SpacingSource(str, Enum):
    """Where a pixel's size comes from; a measurement in millimetres is only as good as this."""

    PIXEL_SPACING = "PixelSpacing"
    IMAGER_PIXEL_SPACING = "ImagerPixelSpacing"
    NOMINAL_SCANNED = "NominalScannedPixelSpacing"
    VOLUME_HEADER = "volume header"
    USER = "given by user"
    PHANTOM = "phantom"

    __str__ = str.__str__


@dataclass(frozen=True)
class Spacing:
    """Size of a pixel in the patient, in millimetres.

    Attributes
    ----------
    row : float
        Distance between the centres of neighbouring rows (along y), mm.
    column : float
        Distance between the centres of neighbouring columns (along x), mm.
    source : SpacingSource
    magnification : float
        The factor by which ImagerPixelSpacing was divided (EstimatedRadiographicMagnificationFactor); 1 elsewhere.
    note : str
        What a reader should know of it ("at the detector: no magnification given").
    """

    row: float
    column: float
    source: SpacingSource
    magnification: float = 1.0
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", SpacingSource(self.source))
        for name in ("row", "column", "magnification"):
            value = float(getattr(self, name))
            object.__setattr__(self, name, value)
            if not (math.isfinite(value) and value > 0):
                raise OptionError(f"{name} of a pixel spacing is {value}, but it must be a positive number")

    @property
    def is_isotropic(self) -> bool:
        return math.isclose(self.row, self.column, rel_tol=1e-3)

    def length(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
        """Distance in mm between two points given in source pixels (x, y)."""
        dx, dy = np.subtract(b, a)
        return math.hypot(dx * self.column, dy * self.row)

    def to_dict(self) -> dict[str, Any]:
        return {
            "row_mm": self.row,
            "column_mm": self.column,
            "source": self.source.value,
            "magnification": self.magnification,
            "note": self.note,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Spacing:
        return cls(
            data["row_mm"],
            data["column_mm"],
            SpacingSource(data["source"]),
            data.get("magnification", 1.0),
            data.get("note", ""),
        )


@dataclass(frozen=True, eq=False)
class ViewerGeometry:
    """Where a viewer that follows ITK (3D Slicer) puts the pixel centres: pixel (x, y) to patient LPS in mm.

    This is the geometry that Markups files live in. It is *not* a measurement: for a PNG it is 1 mm a pixel by
    convention, whatever the true size. Millimetres that are reported come from `Radiograph.spacing` alone.

    Attributes
    ----------
    origin : (3,) float64
        LPS position of the centre of pixel (0, 0).
    column_step, row_step : (3,) float64
        LPS displacement for one pixel to the right (x + 1) and one pixel down (y + 1).
    """

    origin: NDArray[np.float64]
    column_step: NDArray[np.float64]
    row_step: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("origin", "column_step", "row_step"):
            vector = np.array(getattr(self, name), dtype=np.float64).reshape(3)
            vector.flags.writeable = False
            object.__setattr__(self, name, vector)

    @classmethod
    def identity(cls, column_mm: float = 1.0, row_mm: float = 1.0) -> ViewerGeometry:
        """LPS identity directions from the origin, as ITK reads a file that states no position."""
        return cls(np.zeros(3), np.array([column_mm, 0.0, 0.0]), np.array([0.0, row_mm, 0.0]))

    def to_lps(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) source pixels to (n, 3) LPS mm."""
        xy = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
        return np.asarray(self.origin + xy[:, :1] * self.column_step + xy[:, 1:] * self.row_step)

    def to_pixels(self, lps: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 3) LPS mm to (n, 2) source pixels; a displacement out of the image plane is projected away."""
        basis = np.column_stack([self.column_step, self.row_step])
        offset = np.asarray(lps, dtype=np.float64).reshape(-1, 3) - self.origin
        return np.asarray(np.linalg.lstsq(basis, offset.T, rcond=None)[0].T)


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One grey image as a reader sees it.

    Attributes
    ----------
    pixels : (rows, columns) float32
        Display values, 0 (black) to 255 (white), bone bright: MONOCHROME1 and inverted windows are already turned
        round. Fractions are kept, so 12 and 16 bit images lose nothing that matters. Read-only.
    spacing : Spacing or None
        None: unknown, and then nothing may be given in millimetres.
    anterior : {"left", "right"} or None
        Side of the image that the front of the body faces; None: unknown.
    name : str
        What to call the image in messages and results; a file's name or a server's id, never a patient's name.
    metadata : mapping of str to str
        Identifiers worth keeping with a result (SOPInstanceUID, Modality, Manufacturer ...), free of patient data.
    warnings : tuple of str
        Sentences about how the file was read that a person should see.
    geometry : ViewerGeometry
        Pixel to LPS as 3D Slicer would load the same file; identity directions unless the reader says otherwise.
    """

    pixels: NDArray[np.float32]
    spacing: Spacing | None = None
    anterior: Side | None = None
    name: str = "image"
    metadata: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    geometry: ViewerGeometry = field(default_factory=ViewerGeometry.identity)

    def __post_init__(self) -> None:
        pixels = np.asarray(self.pixels)
        if pixels.ndim != 2 or 0 in pixels.shape:
            raise ImageReadError(
                f"the pixels have shape {pixels.shape}, but one grey image is needed", subject=self.name
            )
        pixels = np.array(pixels, dtype=np.float32, order="C")
        if not np.isfinite(pixels).all():
            raise ImageReadError("the image holds values that are not finite numbers", subject=self.name)
        if pixels.min() < 0 or pixels.max() > 255:
            raise ImageReadError("display values must lie between 0 and 255", subject=self.name)
        pixels.flags.writeable = False
        object.__setattr__(self, "pixels", pixels)
        if self.anterior not in (None, "left", "right"):
            raise OptionError(f"anterior is {self.anterior!r}, but only 'left', 'right' and unknown exist")

    @property
    def rows(self) -> int:
        return self.pixels.shape[0]

    @property
    def columns(self) -> int:
        return self.pixels.shape[1]

    def mirrored(self) -> Radiograph:
        """The image mirrored left to right, its anterior side with it."""
        sides: dict[Side | None, Side | None] = {"left": "right", "right": "left", None: None}
        flipped = ViewerGeometry(
            self.geometry.to_lps(np.array([[self.columns - 1.0, 0.0]]))[0],
            -self.geometry.column_step,
            self.geometry.row_step,
        )
        return replace(self, pixels=self.pixels[:, ::-1], anterior=sides[self.anterior], geometry=flipped)

    def with_anterior(self, side: Side | None) -> Radiograph:
        return replace(self, anterior=side)

    def with_spacing(self, spacing: Spacing | None) -> Radiograph:
        return replace(self, spacing=spacing)
