"""How far a height may be off, from the error radii of its two ends; and heights beside those of an earlier reading."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..reading import Reading
from ..spine import Level

PLACES = {"anterior": ("SA", "IA"), "middle": ("SM", "IM"), "posterior": ("SP", "IP")}


@dataclass(frozen=True)
class Height:
    """A height with its error, in ``unit``; error None where the ends have no radius.

    The error is that of two ends that each lie within their radius in 90 of 100 cases and err independently of one
    another, so the root of the sum of the squares.
    """

    value: float
    unit: str
    error: float | None

    def __str__(self) -> str:
        return (
            f"{self.value:.1f} {self.unit}"
            if self.error is None
            else f"{self.value:.1f} ± {self.error:.1f} {self.unit}"
        )


def height_of(reading: Reading, level: Level, place: str) -> Height | None:
    """The anterior, middle or posterior height of a vertebra, or None where it was not measured."""
    if reading.morphometry is None or level not in reading.morphometry.vertebrae:
        return None
    found = reading.morphometry.vertebrae[level]
    px, mm = getattr(found.px, place), None if found.mm is None else getattr(found.mm, place)
    if px is None:
        return None
    points = reading.spine[level].points
    radii = [None if points.get(end) is None else points[end].radius for end in PLACES[place]]
    error = None if None in radii else math.hypot(*radii)
    if mm is None:
        return Height(px, "px", error)
    return Height(mm, "mm", None if error is None or px == 0 else error * mm / px)


def change_words(now: Height | None, before: Height | None) -> str:
    """By how many percent a height changed, and whether that is beyond the errors of both; empty where unknown."""
    if now is None or before is None or now.unit != "mm" or before.unit != "mm" or before.value == 0:
        return ""
    percent = 100 * (now.value - before.value) / before.value
    text = f"{percent:+.0f} %"
    if now.error is None or before.error is None:
        return text
    within = abs(now.value - before.value) <= math.hypot(now.error, before.error)
    return f"{text} (within error)" if within else text
