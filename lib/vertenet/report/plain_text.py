"""A reading as plain text, to be pasted into a report of a radiology information system."""

from __future__ import annotations

from collections.abc import Iterator

from ..reading import RESEARCH_USE, Reading
from .height_errors import PLACES, change_words, height_of
from .measured import lordosis_words
from .words import (
    UNCONFIRMED,
    aac_rows,
    aac_total_words,
    basis_words,
    crop_words,
    genant_words,
    levels_sentence,
    model_words,
    refused,
    spacing_words,
    unassessed_words,
)


def plain_text(reading: Reading, prior: Reading | None = None) -> str:
    """Levels, what was not assessed, heights, suggested grades, crop, AAC-24 and who read, a finding a line, in ASCII
    as far as names allow. What could not be seen or judged is said, never left out."""
    return "\n".join(_lines(reading, prior)).replace("±", "+/-") + "\n"


def _lines(reading: Reading, prior: Reading | None) -> Iterator[str]:
    yield f"Lateral spine image {reading.image.name}. {RESEARCH_USE}"
    yield f"{levels_sentence(reading)}."
    yield f"{unassessed_words(reading)}."
    if refused(reading):
        yield from (f"{reason}." for reason in reading.quality.reasons)
        yield "Nothing was measured."
    else:
        yield from _vertebrae(reading)
        yield f"{crop_words(reading)}."
        yield from _aorta(reading)
        if prior is not None:
            yield from _changes(reading, prior)
    yield f"{spacing_words(reading)}."
    yield from (f"Note: {warning}." for warning in reading.warnings)
    if reading.notes:
        yield f"Notes of the reader: {reading.notes}"
    yield f"{model_words(reading)}."
    if reading.reader:
        yield f"Read by {reading.reader}."


def _vertebrae(reading: Reading) -> Iterator[str]:
    if reading.morphometry is None:
        return
    sure = reading.levels.certain
    for level, found in reading.morphometry.vertebrae.items():
        heights = [f"{place} {height}" for place in PLACES if (height := height_of(reading, level, place)) is not None]
        name = str(level) if sure else f"{level}?"
        yield f"{name}: {'; '.join([*heights, genant_words(found)])}."
    basis = basis_words(reading)
    if basis is not None:
        yield f"{basis}."
    unless = "" if sure else f"; {UNCONFIRMED}"
    yield f"{lordosis_words(reading.morphometry.lordosis)}{unless}."


def _aorta(reading: Reading) -> Iterator[str]:
    if reading.aac is None or reading.aac.is_empty:
        cropped = f"; cells of {', '.join(reading.crop.segments)} suggested unreadable" if reading.crop.segments else ""
        yield f"AAC-24 not scored{cropped}."
        return
    yield f"{aac_total_words(reading.aac)}."
    for segment, anterior, posterior in aac_rows(reading):
        yield f"  {segment}: anterior wall {anterior}, posterior wall {posterior}"


def _changes(reading: Reading, prior: Reading) -> Iterator[str]:
    if not (reading.levels.certain and prior.levels.certain):
        yield "Not compared with the prior reading: levels could not be confirmed."
        return
    said = []
    for level in () if reading.morphometry is None else reading.morphometry.vertebrae:
        for place in PLACES:
            change = change_words(height_of(reading, level, place), height_of(prior, level, place))
            if change and not change.startswith(("+0", "-0")) and "within" not in change:
                said.append(f"{level} {place} {change}")
    when = f" of {prior.created[:10]}" if prior.created else ""
    found = "; ".join(said) or "no change beyond the errors, or not comparable"
    yield f"Heights against the prior reading{when}: {found}."
