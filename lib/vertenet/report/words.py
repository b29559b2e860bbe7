"""What a Reading says, in sentences for a person: for overlay and gallery. The crop's is that of `measure`."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ..measure.crop import CropState, crop_sentence
from ..reading import RESEARCH_USE, Reading
from ..spine import CORNERS, STANDARD_LEVELS, Status

Tone = Literal["plain", "caution", "alarm"]
CROP_TONES: dict[CropState, Tone] = {
    CropState.CLEAR: "plain",
    CropState.CROPPED: "alarm",
    CropState.NOT_ASSESSED: "caution",
}


@dataclass(frozen=True)
class Remark:
    """One sentence and how it should look: plain, caution (an abstention, a gap), alarm (a lost corridor)."""

    text: str
    tone: Tone = "plain"


def remarks(reading: Reading) -> list[Remark]:
    """A refusal, or levels, what is missing and crop; then warnings, in the order a reader needs them."""
    if refused(reading):
        said = [Remark(reason, "alarm") for reason in reading.quality.reasons]
        names = tuple(f"{level} " for level in STANDARD_LEVELS)
        others = [w for w in reading.warnings if w not in reading.quality.reasons and not w.startswith(names)]
        return [*said, Remark("Nothing was measured"), *(Remark(text, "caution") for text in others)]
    missing = list(_missing(reading))
    # The reading's own warnings may repeat that a whole vertebra is missing ("L3 was not found").
    levels = tuple(
        f"{level} " for level in STANDARD_LEVELS if level not in reading.spine or reading.spine[level].is_missing
    )
    warnings = [Remark(text, "caution") for text in reading.warnings if not text.startswith(levels)]
    return [*_levels(reading), *missing, _crop(reading), *warnings]


def refused(reading: Reading) -> bool:
    """The model would not read this image."""
    return reading.quality is not None and not reading.quality.typical


def radius_words(reading: Reading) -> str | None:
    """What the error discs are, and how large they typically are; None where there are none."""
    radii = [corner.radius for _, corner in reading.spine.named_points() if corner.radius is not None]
    if not radii:
        return None
    middle = statistics.median(radii)
    size = f"{middle:.1f} px"
    if reading.image.spacing is not None and reading.image.spacing.is_isotropic:
        size += f" = {middle * reading.image.spacing.column:.1f} mm"
    return f"Discs hold the true point in 90 of 100 cases where the level is right (radius {size} in the middle)"


def spacing_words(reading: Reading) -> str:
    """The pixel's size and where it comes from, or that it is unknown."""
    spacing = reading.image.spacing
    if spacing is None:
        return "Pixel size unknown: no millimetres"
    size = f"{spacing.column:.3g}" if spacing.is_isotropic else f"{spacing.column:.3g} x {spacing.row:.3g}"
    note = f"; {spacing.note}" if spacing.note else ""
    return f"Pixel {size} mm ({spacing.source}{note})"


def model_words(reading: Reading) -> str:
    """Who placed the landmarks, and what that model had seen."""
    model = reading.model
    if model is None:
        return "Landmarks not placed by a model"
    text = f"Model {model.name} {model.sha256[:8]}"
    return f"{text}, trained on synthetic images only" if model.synthetic_only else text


def footer(reading: Reading) -> list[str]:
    """What must stand below every picture."""
    return [RESEARCH_USE, f"{model_words(reading)}.", f"{spacing_words(reading)}."]


def _levels(reading: Reading) -> Iterator[Remark]:
    if not reading.levels.certain:
        yield Remark("Levels uncertain: every name may be one level off", "caution")


def _missing(reading: Reading) -> Iterator[Remark]:
    for level in STANDARD_LEVELS:
        if level not in reading.spine:
            yield Remark(f"{level} missing", "caution")
            continue
        vertebra = reading.spine[level]
        statuses = {name: vertebra[name].status for name in CORNERS}
        for status in (Status.MISSING, Status.OUTSIDE, Status.UNEVALUABLE):
            names = [str(name) for name, value in statuses.items() if value is status]
            if names:
                where = "" if len(names) == len(CORNERS) else f" {', '.join(names)}"
                yield Remark(f"{level}{where} {_STATUS[status]}", "caution")


_STATUS = {Status.MISSING: "missing", Status.OUTSIDE: "outside the image", Status.UNEVALUABLE: "not evaluable"}


def _crop(reading: Reading) -> Remark:
    return Remark(crop_sentence(reading.crop, reading.image.spacing), CROP_TONES[reading.crop.state])
