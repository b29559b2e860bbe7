"""Small images and options for cohorts of tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tests.imaging import dicom_files
from vertenet.cohort import ReadingOptions


def options(folder: Path, **others) -> ReadingOptions:
    """Of weights that nobody loads."""
    weights = folder / "weights.safetensors"
    if not weights.exists():
        weights.write_bytes(b"weights")
    return ReadingOptions(str(weights), key=b"a key of the tests", **others)


def grey(seed: int, bright: bool = True) -> np.ndarray:
    """(160, 80) uint8; what `tests.cohort.readers` call certain begins bright."""
    pixels = np.random.default_rng(seed).integers(20, 90, (160, 80)).astype(np.uint8)
    pixels[0, 0] = 250 if bright else 10
    return pixels


def png(path: Path, seed: int = 0, bright: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(grey(seed, bright)).save(path, "PNG")
    return path


def dcm(path: Path, seed: int = 0, **elements) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    elements = {"SOPInstanceUID": f"1.2.840.99.{seed + 1}", "StudyDate": "20240315", **elements}
    return dicom_files.save(dicom_files.dataset(grey(seed), **elements), path)


def many(folder: Path, count: int) -> list[str]:
    """A cohort in nested folders: PNG and DICOM, dotted UIDs without endings, one in twenty damaged."""
    made = []
    for number in range(count):
        where = folder / f"site{number % 3}" / f"1.2.{number % 5}"
        if number % 20 == 7:
            where.mkdir(parents=True, exist_ok=True)
            path = where / f"1.2.840.{number}.dcm"
            path.write_bytes(b"\0" * 128 + b"DICM and no more")
        elif number % 2:
            path = dcm(where / f"1.2.840.113619.2.55.{number}", number)
        else:
            path = png(where / f"scan{number}.png", number, bright=number % 4 == 0)
        made.append(str(path))
    return made
