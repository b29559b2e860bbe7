"""A reading as text to paste into a report."""

from __future__ import annotations

from collections.abc import Iterator

from vertenet import RESEARCH_USE
from vertenet.measure.aac import Aac24
from vertenet.measure.guides import SEGMENTS
from vertenet.reading import Reading

from .findings import crop_sentence, genant_words, grade_words, levels_not_assessed
from .i18n import _


def report_text(reading: Reading) -> str:
    """Levels, crop, AAC-24, vertebrae, in lines; what was not seen or not judged is said, never left out."""
    return "\n".join(_lines(reading)) + "\n"


def _lines(reading: Reading) -> Iterator[str]:
    yield _("Lateral spine DXA, {image}. {notice}").format(image=reading.image.name, notice=RESEARCH_USE)
    named = [str(vertebra.level) for vertebra in reading.spine if not vertebra.is_missing]
    yield _("Levels assessed: {levels}. {others}").format(
        levels=", ".join(named) or _("none"), others=levels_not_assessed()
    )
    if not reading.levels.certain:
        yield _("The levels are uncertain: every name may be one off.")
    yield crop_sentence(reading.crop, reading.image.spacing)
    yield from _calcification(reading.aac or Aac24())
    if reading.morphometry is not None:
        for level, vertebra in reading.morphometry.vertebrae.items():
            yield _("{level}: {found}.").format(level=level, found=genant_words(vertebra))
    if reading.notes:
        yield _("Notes: {notes}").format(notes=reading.notes)
    if reading.reader:
        yield _("Read by {reader}.").format(reader=reading.reader)
    model = reading.model
    if model is not None:
        yield _("Landmarks proposed by {model}, checked by the reader.").format(model=model.name)


def _calcification(score: Aac24) -> Iterator[str]:
    if score.is_empty:
        yield _("AAC-24: not scored.")
        return
    least, most = score.bounds
    if score.total is not None:
        yield _("AAC-24: {total} of 24.").format(total=score.total)
    else:
        yield _("AAC-24: between {least} and {most} of 24; not every wall could be graded.").format(
            least=least, most=most
        )
    for segment in SEGMENTS:
        anterior, posterior = (grade_words(score.grade(segment, wall)) for wall in ("anterior", "posterior"))
        yield _("  {segment}: anterior wall {anterior}, posterior wall {posterior}").format(
            segment=segment, anterior=anterior, posterior=posterior
        )
