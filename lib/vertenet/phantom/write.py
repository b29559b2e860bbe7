"""Phantoms as files: PNG, JPEG or DICOM, and the truth beside them. Byte-reproducible: no clock, no random UIDs."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np

from ..errors import OptionError
from ..files import write_bytes, write_text
from .truth import Phantom

FORMATS = ("png", "jpeg", "dicom")
MODALITIES = ("DX", "CR", "OT")
_SUFFIX = {"png": ".png", "jpeg": ".jpg", "dicom": ".dcm"}


def write(
    phantom: Phantom,
    directory: str | os.PathLike[str],
    format: str = "png",
    *,
    name: str | None = None,
    modality: str = "DX",
) -> Path:
    """Write an image and ``<name>.truth.json`` beside it.

    Parameters
    ----------
    phantom : Phantom
    directory : path
        Made if it does not exist.
    format : {"png", "jpeg", "dicom"}
        PNG is 16-bit where the phantom is deeper than 8 bits; JPEG uses the phantom's quality (92 otherwise).
    name : str, optional
        File name without suffix; the radiograph's name by default.
    modality : {"DX", "CR", "OT"}
        Kind of DICOM object; OT is a secondary capture.

    Returns
    -------
    Path
        Of the image.

    Raises
    ------
    OptionError
        Unknown format or modality.
    """
    if format not in FORMATS:
        raise OptionError(f"a phantom cannot be written as {format!r}", remedy=f"Choose one of {', '.join(FORMATS)}")
    if modality not in MODALITIES:
        raise OptionError(f"there is no modality {modality!r} here", remedy=f"Choose one of {', '.join(MODALITIES)}")
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    stem = phantom.radiograph.name if name is None else name
    image = folder / (stem + _SUFFIX[format])
    if format == "dicom":
        from .dicom import dicom_bytes

        content = dicom_bytes(phantom, *_levels(phantom), modality)
    else:
        content = _png(phantom) if format == "png" else _jpeg(phantom)
    write_bytes(image, content)
    write_text(folder / f"{stem}.truth.json", phantom.truth.to_json() + "\n")
    return image


def _levels(phantom: Phantom) -> tuple[np.ndarray, int]:
    """The stored integers of the phantom, and their bits."""
    bits = 8 if phantom.truth.switches.jpeg else phantom.truth.switches.bits
    top = 2**bits - 1
    pixels = np.rint(phantom.radiograph.pixels.astype(np.float64) * (top / 255))
    return pixels.astype(np.uint8 if bits == 8 else np.uint16), bits


def _png(phantom: Phantom) -> bytes:
    from PIL import Image

    pixels, bits = _levels(phantom)
    if bits == 12:  # PNG has no 12 bits; the full range of 16 keeps white white
        pixels = np.rint(phantom.radiograph.pixels.astype(np.float64) * (65535 / 255)).astype(np.uint16)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _jpeg(phantom: Phantom) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    pixels = np.rint(phantom.radiograph.pixels).astype(np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG", quality=phantom.truth.switches.jpeg or 92)
    return buffer.getvalue()
