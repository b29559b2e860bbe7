"""Why a person should look at an image first: the order of the gallery, and which images count as flagged."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..measure import CropState
from ..reading import Reading
from ..report.words import refused
from ..spine import CORNERS, Status

#: A suggested grade from which on an image is shown before those with nothing to note.
NOTED_GRADE = 2
_PARTICULAR = re.compile(r"\s*\([^()]*\)|\d+(\.\d+)?")


@dataclass(frozen=True)
class Attention:
    """``rank`` is 1 for the most urgent; ``reason`` says why."""

    rank: int
    reason: str


FAILED = Attention(1, "could not be read")


def attention(reading: Reading) -> Attention | None:
    """The most urgent reason to look at an image; None where nothing asks for it."""
    if refused(reading):
        return Attention(2, "refused")
    if not reading.levels.certain:
        return Attention(3, "levels uncertain")
    if lost := _not_found(reading):
        return Attention(4, f"{', '.join(lost)} not found")
    if reading.crop.state is CropState.CROPPED:
        return Attention(5, "aorta cropped")
    if reading.crop.state is CropState.NOT_ASSESSED:
        return Attention(6, "crop could not be assessed")
    if graded := _graded(reading):
        return Attention(7, f"suggested grade {NOTED_GRADE} or more: {', '.join(graded)}")
    return None


def kind_of_problem(sentence: str) -> str:
    """A reason without what is particular to one image, so that equal reasons can be counted: no brackets, no numbers.

    Examples
    --------
    >>> kind_of_problem("the image has 12 x 4000 pixels, but a side needs at least 32")
    'the image has # x # pixels, but a side needs at least #'
    """
    return _PARTICULAR.sub(lambda found: "" if "(" in found[0] else "#", sentence).strip()


def _not_found(reading: Reading) -> list[str]:
    """Vertebrae that were looked for in the image and not found; those beyond it are nobody's fault."""
    return [
        str(vertebra.level)
        for vertebra in reading.spine
        if any(vertebra[name].status is Status.MISSING for name in CORNERS)
    ]


def _graded(reading: Reading) -> list[str]:
    if reading.morphometry is None:
        return []
    found = reading.morphometry.vertebrae.items()
    return [str(level) for level, vertebra in found if vertebra.genant and (vertebra.genant.grade or 0) >= NOTED_GRADE]
