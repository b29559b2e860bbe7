"""Reading DICOM elements that may be absent, empty or malformed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def text(ds: Dataset, keyword: str) -> str:
    """The element as stripped text; empty where it is absent. Several values keep DICOM's backslash between them."""
    value = ds.get(keyword)
    if value is None:
        return ""
    parts = [value] if isinstance(value, (str, int, float)) else list(value)
    return "\\".join(str(part).strip() for part in parts)


def numbers(ds: Dataset, keyword: str) -> tuple[float, ...]:
    """The element's finite numbers; empty where it is absent, empty or not numeric."""
    try:
        value = ds.get(keyword)
        if value is None or isinstance(value, (str, bytes)):
            return ()
        values = tuple(float(part) for part in (value if hasattr(value, "__len__") else [value]))
    except (TypeError, ValueError):  # pydicom converts on access, and raises these for text that is no number
        return ()
    return values if all(math.isfinite(number) for number in values) else ()
