"""Which side of the image the front of the body faces, as a file states it.

PatientOrientation (0020,0020) names the anatomical direction of the first row to the right and of the first column
downwards (PS3.3 C.7.6.1.1.1): ``A\\F`` has its anterior side on the right, ``P\\F`` on the left.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ImageReadError
from ..spine import Side
from .tags import numbers, text

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_NOT_LATERAL_VIEWS = ("AP", "PA")
#: LPS axes, positive and negative end.
_AXES = ("LR", "PA", "HF")


def dicom_anterior(ds: Dataset, path: Path, warnings: list[str]) -> Side | None:
    """The anterior side that a DICOM file states, or None.

    Raises
    ------
    ImageReadError
        The file says that the image is upside down or lies on its side.
    """
    view = text(ds, "ViewPosition").upper()
    if view in _NOT_LATERAL_VIEWS:
        warnings.append(f"ViewPosition is {view}: this is not a lateral view")
    stated = text(ds, "PatientOrientation").upper().split("\\")
    if len(stated) == 2 and all(stated):
        return side_of(stated[0], stated[1], path, f"PatientOrientation {stated[0]}\\{stated[1]}", warnings)
    cosines = numbers(ds, "ImageOrientationPatient")
    if len(cosines) == 6:
        row, column = direction_letter(np.array(cosines[:3])), direction_letter(np.array(cosines[3:]))
        return side_of(row, column, path, f"ImageOrientationPatient ({row}\\{column})", warnings)
    return None


def side_of(row: str, column: str, path: Path, origin: str, warnings: list[str]) -> Side | None:
    """The anterior side from the directions of rows (to the right) and columns (down); first letters count."""
    row, column = row[:1], column[:1]
    if column == "H" or row in ("H", "F"):
        fault = "upside down" if column == "H" else "lying on its side"
        raise ImageReadError(
            f"the image is stored {fault} ({origin})", subject=path, remedy="Turn it so that the head is up"
        )
    if column == "F" and row in ("A", "P"):
        return "right" if row == "A" else "left"
    warnings.append(f"{origin} is not that of a lateral view, so the anterior side is not taken from it")
    return None


def direction_letter(vector: np.ndarray) -> str:
    """The anatomical direction (L, R, P, A, H or F) that an LPS vector points to most."""
    axis = int(np.argmax(np.abs(vector)))
    return _AXES[axis][0 if vector[axis] > 0 else 1]
