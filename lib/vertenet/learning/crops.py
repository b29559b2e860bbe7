"""Vertebrae to learn refinement from: wide upright crops with their true points, cut once and kept on disk.

A crop here is wider than what the network sees (`STORED_SIZE` against `vertenet.inference.crops.CROP_SIZE`) at the same
scale, so that training can turn, scale and shift the network's window within it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import AnnotationError
from ..files import beside
from ..inference.crops import CropFrame
from ..spine import CORNERS, MIDPOINTS, STANDARD_LEVELS, CornerName
from .cases import Case

#: The points of a vertebra in the order of every array of refinement.
POINTS: tuple[CornerName, ...] = CORNERS + MIDPOINTS
#: Side of a stored crop, pixels: holds the network's window turned by 15 degrees, at 1.15 its size, a tenth off centre.
STORED_SIZE = 168
#: The stored grey value that stands for "outside of the image"; grey values themselves are 1 to 255.
OUTSIDE = 0


@dataclass(frozen=True, eq=False)
class Crops:
    """``n`` vertebrae.

    Attributes
    ----------
    images : (n, STORED_SIZE, STORED_SIZE) uint8
        Grey values 1 to 255; `OUTSIDE` beyond the image.
    points : (n, 6, 2) float32
        In the order of `POINTS`, crop pixels; NaN for a point that is not present or that nobody gave.
    persons : (n,) str
        Whose they are.
    """

    images: np.ndarray
    points: np.ndarray
    persons: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index) -> Crops:
        return Crops(self.images[index], self.points[index], self.persons[index])

    @classmethod
    def concatenate(cls, parts: Sequence[Crops]) -> Crops:
        return cls(*(np.concatenate([getattr(part, field) for part in parts]) for field in _FIELDS))

    def split(self, share: float) -> tuple[Crops, Crops]:
        """Crops to train on, and those of about ``share`` of the persons, but at least one, to validate on.

        The same persons in every run, whatever the order of the cases.
        """
        drawn = sorted(set(self.persons.tolist()), key=lambda person: (zlib.crc32(person.encode()), person))
        held = np.isin(self.persons, drawn[: max(1, round(share * len(drawn)))])
        return self[~held], self[held]


def crops_of(case: Case) -> Crops:
    """The vertebrae of one image; one with a corner that has no position at all is left out."""
    radiograph = case.radiograph()
    images, points = [], []
    for level in STANDARD_LEVELS:
        if level not in case.spine or not np.isfinite(case.spine[level].to_array()).all():
            continue
        vertebra = case.spine[level]
        frame = CropFrame.around(vertebra.to_array(), STORED_SIZE)
        values, valid = frame.cut(radiograph.pixels)
        images.append(np.where(valid, np.clip(np.rint(values), 1, 255), OUTSIDE).astype(np.uint8))
        present = [name in vertebra.points and vertebra[name].is_present for name in POINTS]
        points.append(np.where(np.array(present)[:, None], frame.from_source(vertebra.to_array(POINTS)), np.nan))
    return Crops(
        np.array(images, np.uint8).reshape(-1, STORED_SIZE, STORED_SIZE),
        np.array(points, np.float32).reshape(-1, len(POINTS), 2),
        np.full(len(images), case.person),
    )


def gather_crops(
    cases: Sequence[Case], cache: Path | None = None, report: Callable[[int], None] = lambda done: None
) -> Crops:
    """The vertebrae of all ``cases``.

    Parameters
    ----------
    cases : sequence of Case
    cache : Path, optional
        An ``.npz`` file to keep them in; one that was made of cases of the same names is read instead of made anew.
    report : callable
        Called with the number of cases done.

    Raises
    ------
    AnnotationError
        No vertebra has all four corners.
    """
    names = np.array([case.name for case in cases])
    if cache is not None and cache.is_file():
        with np.load(cache) as stored:
            if np.array_equal(stored["names"], names):
                return Crops(stored["images"], stored["points"], stored["persons"])
    parts = []
    for done, case in enumerate(cases, start=1):
        parts.append(crops_of(case))
        report(done)
    if not any(len(part) for part in parts):
        raise AnnotationError("no vertebra has the positions of all four corners")
    crops = Crops.concatenate(parts)
    if cache is not None:
        with beside(cache) as temporary:
            np.savez(temporary, names=names, **{field: getattr(crops, field) for field in _FIELDS})
    return crops


_FIELDS = ("images", "points", "persons")
