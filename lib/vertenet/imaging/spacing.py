"""What a DICOM pixel measures, and how we know (PS3.3 10.7.1.3, C.8.11.7, C.8.6.2).

In order: what the user says; PixelSpacing, which is calibrated to the patient where it differs from ImagerPixelSpacing;
ImagerPixelSpacing, which is measured at the detector and shrinks by the magnification; NominalScannedPixelSpacing of
scanned film. Otherwise unknown, and then nothing may be given in millimetres.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..errors import OptionError
from ..radiograph import Spacing, SpacingSource
from .tags import numbers, text

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

#: A pixel outside this range (mm) is readable but hardly true.
PLAUSIBLE_MM = (0.02, 2.0)
AT_DETECTOR = "measured at the detector; no magnification is known, so lengths in the patient are shorter"


def given_spacing(spacing: float | tuple[float, float] | None) -> Spacing | None:
    """The user's pixel size: mm, or (row, column) mm. Raises `OptionError` unless positive numbers."""
    if spacing is None:
        return None
    try:
        row, column = spacing if isinstance(spacing, (tuple, list)) else (spacing, spacing)
        return Spacing(row, column, SpacingSource.USER)
    except (TypeError, ValueError) as error:
        raise OptionError(
            f"the pixel spacing {spacing!r} is neither a number of mm nor a (row, column) pair"
        ) from error


def given_magnification(magnification: float | None) -> float | None:
    """The user's radiographic magnification; raises `OptionError` unless it is a number of at least 1."""
    if magnification is None:
        return None
    if not (isinstance(magnification, (int, float)) and math.isfinite(magnification) and magnification >= 1):
        raise OptionError(f"the magnification is {magnification!r}, but it must be a number of at least 1")
    return float(magnification)


def dicom_spacing(ds: Dataset, magnification: float | None, warnings: list[str]) -> Spacing | None:
    """The spacing that the file's elements support, or None.

    Parameters
    ----------
    ds : Dataset
    magnification : float or None
        Given by the user; goes before EstimatedRadiographicMagnificationFactor. It only concerns sizes at the detector.
    warnings : list of str
        Sentences a person should see are appended.
    """
    pixel = _pair(ds, "PixelSpacing", warnings)
    imager = _pair(ds, "ImagerPixelSpacing", warnings)
    # Equal values say that nobody calibrated: PixelSpacing is then a copy made at the detector (PS3.3 10.7.1.3).
    if pixel and not (imager and _close(pixel, imager)):
        if magnification is not None:
            warnings.append("The magnification was not used: PixelSpacing is already in the patient's plane")
        return _checked(Spacing(*pixel, SpacingSource.PIXEL_SPACING, note=_calibration(ds, imager)), warnings)
    if imager:
        return _checked(_at_patient(ds, imager, magnification, warnings), warnings)
    nominal = _pair(ds, "NominalScannedPixelSpacing", warnings)
    if nominal:
        note = "pixel size on the scanned film; magnification of the exposure is not known"
        return _checked(Spacing(*nominal, SpacingSource.NOMINAL_SCANNED, note=note), warnings)
    aspect = numbers(ds, "PixelAspectRatio")
    if len(aspect) == 2 and aspect[0] != aspect[1]:
        warnings.append(f"Pixels are not square (aspect {aspect[0]:g}:{aspect[1]:g}), and their size is unknown")
    return None


def _at_patient(ds: Dataset, imager: tuple[float, float], magnification: float | None, warnings: list[str]) -> Spacing:
    stated = numbers(ds, "EstimatedRadiographicMagnificationFactor")
    factor = magnification or (stated[0] if stated and stated[0] > 0 else None)
    if factor is None:
        warnings.append("The pixel spacing is that of the detector and no magnification is known: mm are too large")
        return Spacing(*imager, SpacingSource.IMAGER_PIXEL_SPACING, note=AT_DETECTOR)
    origin = "given by user" if magnification else "EstimatedRadiographicMagnificationFactor"
    row, column = (side / factor for side in imager)
    note = f"divided by the magnification {factor:g} ({origin})"
    return Spacing(row, column, SpacingSource.IMAGER_PIXEL_SPACING, magnification=factor, note=note)


def _calibration(ds: Dataset, imager: tuple[float, float] | None) -> str:
    kind = text(ds, "PixelSpacingCalibrationType")
    notes = [f"calibrated ({kind})"] if kind else []
    if imager:
        notes.append(f"differs from ImagerPixelSpacing {imager[0]:g} x {imager[1]:g} mm, which is at the detector")
    return "; ".join(notes)


def _pair(ds: Dataset, keyword: str, warnings: list[str]) -> tuple[float, float] | None:
    """(row, column) mm of a spacing element; None where it is absent, and where it is unusable, which is said."""
    values = numbers(ds, keyword)
    if len(values) == 2 and min(values) > 0:
        return values[0], values[1]
    if ds.get(keyword) not in (None, "", []):
        warnings.append(f"{keyword} is not a pair of positive numbers and was passed over")
    return None


def _close(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return all(math.isclose(x, y, rel_tol=1e-4) for x, y in zip(a, b))


def _checked(spacing: Spacing, warnings: list[str]) -> Spacing:
    warn_if_implausible(spacing, warnings)
    return spacing


def warn_if_implausible(spacing: Spacing, warnings: list[str]) -> None:
    """Append a warning for a pixel size that no lateral spine image has."""
    low, high = PLAUSIBLE_MM
    if not all(low <= side <= high for side in (spacing.row, spacing.column)):
        warnings.append(
            f"A pixel of {spacing.row:g} x {spacing.column:g} mm ({spacing.source}) is hardly possible: do not trust mm"
        )
