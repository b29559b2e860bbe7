"""Images made worse in known ways, with the truth that moves along: does an error radius notice?

Each is a change that an image may have met before it was read, and that calibration has not seen: a display that
stretched one axis, a scanner's smoothing or sharpening, a picture that was warped.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from scipy import ndimage

from ..errors import OptionError
from ..radiograph import Radiograph
from ..spine import Spine

#: Correlation length of the random warps, pixels.
_WARP_LENGTH = 25.0

Points = Callable[[np.ndarray], np.ndarray]
Perturbation = Callable[[np.ndarray, np.random.Generator], tuple[np.ndarray, Points]]


def perturbed(name: str, radiograph: Radiograph, seed: str) -> tuple[Radiograph, Points]:
    """The image changed in the way called ``name``, and where its points have gone.

    Parameters
    ----------
    name : one of `perturbations`
    radiograph : Radiograph
    seed : str
        Decides what is random; the same text gives the same image.

    Returns
    -------
    radiograph : Radiograph
        Without a pixel size where the change has made it untrue.
    move : callable
        (k, 2) source pixels of the image as it was to those of the changed one; for `vertenet.spine.Spine.map_points`.

    Raises
    ------
    OptionError
        There is no perturbation of that name.
    """
    check_perturbation(name)
    generator = np.random.default_rng(zlib.crc32(f"{name} {seed}".encode()))
    pixels, move = _ALL[name](radiograph.pixels.astype(np.float32), generator)
    spacing = radiograph.spacing if pixels.shape == radiograph.pixels.shape else None
    return replace(radiograph, pixels=np.clip(pixels, 0, 255), spacing=spacing), move


def perturbations() -> tuple[str, ...]:
    """Every perturbation by name.

    >>> perturbations()[:3]
    ('plain', 'stretch-rows', 'stretch-columns')
    """
    return tuple(_ALL)


def check_perturbation(name: str) -> None:
    """Raises `OptionError` where there is no perturbation of that name."""
    if name not in _ALL:
        raise OptionError(f"there is no perturbation {name!r}", remedy=f"Use one of {', '.join(_ALL)}")


def moved(spine: Spine, move: Points, rows: int, columns: int) -> Spine:
    """A true spine where the changed image of that size shows it."""
    return spine.map_points(move).bounded(rows, columns)


def _same(points: np.ndarray) -> np.ndarray:
    return points


def _stretched(rows: float, columns: float) -> Perturbation:
    def change(pixels, generator):
        factor = np.array([columns, rows])
        shape = tuple(round(n * f) for n, f in zip(pixels.shape, (rows, columns)))
        y, x = ((np.arange(n) + 0.5) / f - 0.5 for n, f in zip(shape, (rows, columns)))
        grid = np.meshgrid(y, x, indexing="ij")
        return ndimage.map_coordinates(pixels, grid, order=1, mode="nearest"), lambda p: (p + 0.5) * factor - 0.5

    return change


def _warped(amount: float) -> Perturbation:
    """Every pixel shows what lay a smooth random displacement away, of standard deviation ``amount`` pixels."""

    def change(pixels, generator):
        noise = generator.standard_normal((2, *pixels.shape), dtype=np.float32)
        field = np.stack([ndimage.gaussian_filter(part, _WARP_LENGTH, mode="reflect") for part in noise])
        field *= amount / field.std()
        grid = np.mgrid[: pixels.shape[0], : pixels.shape[1]].astype(np.float32) + field

        def move(points):
            place = np.asarray(points, float)
            for _ in range(30):  # A fixed point: the field changes by little over its own length.
                away = [ndimage.map_coordinates(part, place.T[::-1], order=1, mode="nearest") for part in field[::-1]]
                place = points - np.stack(away, axis=-1)
            return place

        return ndimage.map_coordinates(pixels, grid, order=1, mode="nearest"), move

    return change


def _filtered(function: Callable[[np.ndarray], np.ndarray]) -> Perturbation:
    return lambda pixels, generator: (function(pixels), _same)


def _sharpened(pixels: np.ndarray) -> np.ndarray:
    return pixels + 2.0 * (pixels - ndimage.gaussian_filter(pixels, 3.0))


_ALL = MappingProxyType(
    {
        "plain": _filtered(np.array),
        "stretch-rows": _stretched(1.3, 1.0),
        "stretch-columns": _stretched(1.0, 1.3),
        "median": _filtered(lambda pixels: ndimage.median_filter(pixels, 9)),
        "blur": _filtered(lambda pixels: ndimage.gaussian_filter(pixels, 2.5)),
        "unsharp": _filtered(_sharpened),
        "warp-3": _warped(3.0),
        "warp-6": _warped(6.0),
    }
)
