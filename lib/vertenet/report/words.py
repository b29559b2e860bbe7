"""What a Reading says, in sentences for a person: shared by overlay, gallery, reports and DICOM results."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ..measure import VertebraMorphometry
from ..measure.aac import CELLS, UNREADABLE, Aac24, Grade
from ..measure.crop import CropState, crop_sentence
from ..measure.morphometry import ReferenceRatio
from ..reading import RESEARCH_USE, Reading
from ..spine import CORNERS, STANDARD_LEVELS, Level, Status

#: Of whatever is named by levels that could not be confirmed.
UNCONFIRMED = "the levels are not confirmed"
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


def levels_sentence(reading: Reading) -> str:
    """Which levels were assessed, and whether their names could be confirmed."""
    if refused(reading):
        return "No level was assessed: the image was refused"
    named = [str(vertebra.level) for vertebra in reading.spine if not vertebra.is_missing]
    if not named:
        return "No level was assessed: none was found"
    if reading.levels.certain:
        return f"Levels assessed: {', '.join(named)}"
    return f"Levels could not be confirmed: {', '.join(f'{name}?' for name in named)} may each be one level off"


def unassessed_words(reading: Reading) -> str:
    """The levels of a vertebral fracture assessment (T4 to L5) that nobody looked at: fractures there stay unseen."""
    missing = [str(level) for level in STANDARD_LEVELS if level not in reading.spine or reading.spine[level].is_missing]
    thoracic = "" if Level.T11 in reading.spine and not reading.spine[Level.T11].is_missing else ", T11"
    return f"Not assessed: T4 to T10{''.join([thoracic, *(f', {name}' for name in missing)])}"


def genant_words(vertebra: VertebraMorphometry) -> str:
    """The suggested grade of a vertebra, the healthy ratios it was counted from and what could not be judged, or why
    there is none."""
    genant = vertebra.genant
    if genant is None:
        return f"not evaluable: {vertebra.reason}"
    least = "at least " if genant.unjudged and genant.grade else ""
    if genant.deformity is None:
        found = "no loss of height of 20 % or more"
    else:
        found = f"{least}Genant grade {genant.grade} ({genant.deformity}) suggested, {100 * genant.loss:.0f} % lost"
    parts = [found, genant.boundary]
    parts += [f"healthy {name} {reference.ratio:.2f}" for name, reference in _references(vertebra).items()]
    if genant.unjudged:
        parts.append(f"{', '.join(map(str, genant.unjudged))} not judged")
    return "; ".join(filter(None, parts))


def basis_words(reading: Reading) -> str | None:
    """What the suggested grades rest on, said once for all vertebrae; None where none was suggested."""
    suggested = [] if reading.morphometry is None else [v for v in reading.morphometry.vertebrae.values() if v.genant]
    if not suggested:
        return None
    sources = dict.fromkeys(r.source for vertebra in suggested for r in _references(vertebra).values())
    reasons = dict.fromkeys(f"{d}: {why}" for vertebra in suggested for d, why in vertebra.genant.unjudged.items())
    text = "Grades are suggested from heights, no diagnosis"
    text += f"; healthy ratios from {'; '.join(sources)}" if sources else ""
    return f"{text}; not judged where {'; '.join(reasons)}" if reasons else text


def _references(vertebra: VertebraMorphometry) -> dict[str, ReferenceRatio]:
    both = {"Ha/Hp": vertebra.wedge_reference, "Hm/Hp": vertebra.mid_wedge_reference}
    return {name: reference for name, reference in both.items() if reference is not None}


def aac_total_words(score: Aac24) -> str:
    """The total, its bounds where walls have no grade, and that nobody scored where nobody did."""
    if score.is_empty:
        return "AAC-24 not scored"
    risk = "" if score.risk is None else f", {score.risk} risk"
    if score.total is not None:
        return f"AAC-24 {score.total} of 24{risk}"
    least, most = score.bounds
    return f"AAC-24 between {least} and {most} of 24{risk}: not every wall has a grade"


def aac_rows(reading: Reading) -> list[tuple[str, str, str]]:
    """(segment, anterior wall, posterior wall) in words, L1 to L4.

    A cell that nobody graded in a segment where the aorta is cropped is suggested as unreadable.
    """
    grades = dict(zip(CELLS, (reading.aac or Aac24()).grades))
    segments = dict.fromkeys(segment for segment, _ in CELLS)
    return [
        (
            str(segment),
            *(
                _grade(grade, segment.value in reading.crop.segments)
                for (where, _), grade in grades.items()
                if where is segment
            ),
        )
        for segment in segments
    ]


def _grade(grade: Grade, cropped: bool) -> str:
    if grade is None:
        return "not scored; suggested: unreadable (cropped)" if cropped else "not scored"
    return "unreadable" if grade == UNREADABLE else str(grade)


def crop_words(reading: Reading) -> str:
    """The same of a reading, whose segments may be named wrongly."""
    text = crop_sentence(reading.crop, reading.image.spacing)
    return text if reading.levels.certain or not reading.crop.segments else f"{text}; {UNCONFIRMED}"


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
