"""The DICOM grey pipeline: stored values, Modality LUT, VOI LUT or window, polarity (PS3.3 C.11.1, C.11.2, C.7.6.3)."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixel_data_handlers.util import apply_modality_lut, apply_voi

from .intensity import as_display, spread
from .tags import numbers, text


def to_display(ds: Dataset, stored: np.ndarray, warnings: list[str]) -> np.ndarray:
    """Display values of a grey DICOM image, bone bright.

    Parameters
    ----------
    ds : Dataset
    stored : (rows, columns) integers as stored
    warnings : list of str
        Sentences are appended where something in the file had to be passed over.

    Returns
    -------
    (rows, columns) float32, 0 to 255. The first VOI LUT goes before the first window, as the standard lets a viewer
    choose; without either, 8-bit values stay as they are and deeper ones are spread over their robust range.
    MONOCHROME1 is inverted. Padding is black.
    """
    stored = _sign_extended(ds, stored)
    padding = _padding(ds, stored)
    values = apply_modality_lut(stored, ds)
    display = _voi(ds, values, warnings)
    if display is None:
        transformed = values is not stored
        plain = stored.dtype == np.uint8 and not transformed
        display = as_display(stored) if plain else spread(values, counted=~padding)
    if text(ds, "PhotometricInterpretation") == "MONOCHROME1":
        display = 255.0 - display
    display[padding] = 0.0
    return display.astype(np.float32)


def _sign_extended(ds: Dataset, stored: np.ndarray) -> np.ndarray:
    """Stored values without the bits above BitsStored, which may hold anything (old overlays live there)."""
    spare = stored.dtype.itemsize * 8 - int(ds.get("BitsStored") or ds.BitsAllocated)
    return stored if spare <= 0 else (stored << spare) >> spare


def _padding(ds: Dataset, stored: np.ndarray) -> np.ndarray:
    """(rows, columns) bool: pixels that PixelPaddingValue (and RangeLimit) call padding; never the whole image."""
    value = numbers(ds, "PixelPaddingValue")
    limit = numbers(ds, "PixelPaddingRangeLimit") or value
    if not value:
        return np.zeros(stored.shape, bool)
    low, high = sorted((value[0], limit[0]))
    padding = (stored >= low) & (stored <= high)
    return np.zeros(stored.shape, bool) if padding.all() else padding


def _voi(ds: Dataset, values: np.ndarray, warnings: list[str]) -> np.ndarray | None:
    """Values through the file's VOI LUT or window, 0 to 255; None where it has neither."""
    if ds.get("VOILUTSequence"):
        return _through_lut(ds, values)
    centre, width = numbers(ds, "WindowCenter"), numbers(ds, "WindowWidth")
    if not centre or not width:
        return None
    function = text(ds, "VOILUTFunction") or "LINEAR"
    least = 1.0 if function == "LINEAR" else np.nextafter(0.0, 1.0)
    if width[0] < least or function not in WINDOW_FUNCTIONS:
        warnings.append(
            f"The window (width {width[0]:g}, function {function}) is not a valid one; the range of the data is shown"
        )
        return None
    return WINDOW_FUNCTIONS[function](values.astype(np.float64), centre[0], width[0])


def _through_lut(ds: Dataset, values: np.ndarray) -> np.ndarray:
    """Values through the first VOI LUT, over the range of the table.

    The number of bits that a table declares is not used: tables of 12-bit values declared as 16 are common.
    """
    entries, first = (int(n) for n in ds.VOILUTSequence[0].LUTDescriptor[:2])
    table = apply_voi(np.arange(first, first + (entries or 1 << 16)), ds).astype(np.float64)
    low, high = table.min(), table.max()
    mapped = apply_voi(np.rint(values).astype(np.int64), ds).astype(np.float64)
    return (mapped - low) * (255.0 / (high - low)) if high > low else np.zeros(values.shape)


def linear(x: np.ndarray, centre: float, width: float) -> np.ndarray:
    """PS3.3 C.11.2.1.2.1, output 0 to 255; at width 1 a threshold."""
    if width == 1.0:
        return np.where(x > centre - 0.5, 255.0, 0.0)
    return np.clip((x - (centre - 0.5)) / (width - 1.0) + 0.5, 0.0, 1.0) * 255.0


def linear_exact(x: np.ndarray, centre: float, width: float) -> np.ndarray:
    """PS3.3 C.11.2.1.3.2, output 0 to 255."""
    return np.clip((x - centre) / width + 0.5, 0.0, 1.0) * 255.0


def sigmoid(x: np.ndarray, centre: float, width: float) -> np.ndarray:
    """PS3.3 C.11.2.1.3.1, output 0 to 255."""
    # Beyond +-700 the exponential overflows and the answer is 0 or 255 anyway.
    return 255.0 / (1.0 + np.exp(np.clip(-4.0 * (x - centre) / width, -700.0, 700.0)))


WINDOW_FUNCTIONS = {"LINEAR": linear, "LINEAR_EXACT": linear_exact, "SIGMOID": sigmoid}
