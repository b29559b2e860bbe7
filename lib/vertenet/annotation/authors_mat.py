"""The authors' ground truth: ``<image>.mat`` with the key ``p2``, 24 x 2 (x, y) in source pixels.

Positions only: 24 present corners, T12 first, each vertebra SP, SA, IP, IA. On reading the order is not trusted but
recovered from the geometry.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import AnnotationError
from ..files import beside
from ..spine import CORNERS, Spine
from .makesense import complete_corners, refuse_outside
from .matfile import UnsupportedError, read_matrix
from .names import AUTHORS_CORNERS
from .order import recover
from .record import Annotation, Known, where

KEY = "p2"
_MAGIC = b"MATLAB "


def looks_like(head: bytes) -> bool:
    return head.startswith(_MAGIC)


def read(path: Path, known: Known) -> dict[str, Annotation]:
    """The annotation of the file's image. Raises `AnnotationError`."""
    image = path.name[: -len(path.suffix)]
    subject = where(path, image)
    points = _points(path)
    if points.ndim != 2 or points.shape[1] != 2:
        shape = " x ".join(str(n) for n in points.shape)
        raise AnnotationError(f"{KEY} has {shape} numbers, but 24 x 2 are needed", subject=subject)
    size = known.size(image)
    side = known.side(image)
    corners = recover(points, side, subject)
    refuse_outside(points, size, subject)
    return {image: Annotation(Spine.from_array(corners, anterior=side), image, *(size or (None, None)))}


def write(annotations: Sequence[Annotation], path: Path) -> None:
    """One file for one image. Raises `AnnotationError` for an incomplete spine."""
    from scipy.io import savemat

    (annotation,) = annotations
    corners = complete_corners(annotation, path)[:, [CORNERS.index(name) for name in AUTHORS_CORNERS]]
    with beside(path) as temporary:
        savemat(temporary, {KEY: corners.reshape(24, 2)}, appendmat=False)


def _points(path: Path) -> np.ndarray:
    try:
        return read_matrix(path.read_bytes(), KEY)
    except KeyError as error:
        raise AnnotationError(f"the file has no variable {KEY}", subject=path) from error
    except UnsupportedError as error:
        raise AnnotationError(
            "the file is of MATLAB's version 7.3", subject=path, remedy="Save it with the option -v7"
        ) from error
    except ValueError as error:
        raise AnnotationError(f"the file is not a readable .mat file: {error}", subject=path) from error
    except OSError as error:
        raise AnnotationError(f"the file cannot be read ({error.strerror})", subject=path) from error
