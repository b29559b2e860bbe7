"""The reading of an earlier scan, and what changed since: numbers side by side, no judgement."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vertenet.errors import ImageReadError, SchemaError
from vertenet.measure.aac import CELLS, Aac24
from vertenet.reading import Reading

from .findings import genant_words, grade_words, total_words
from .i18n import _
from .questions import cell_names

#: Ending of an exported reading; its picture has the same name otherwise.
ENDING = ".reading.json"


def load_prior(path: Path) -> Reading:
    """An exported reading. Raises `ImageReadError` where the file is none."""
    try:
        return Reading.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError, SchemaError) as error:
        raise ImageReadError(
            _("this is no exported reading"), subject=path.name, remedy=_("Choose a file that Export wrote")
        ) from error


def picture_of(path: Path) -> Path:
    """Where the picture lies that was exported with a reading; it need not exist."""
    return path.with_name(f"{path.name[: -len(ENDING)]}.png" if path.name.endswith(ENDING) else f"{path.stem}.png")


def changes(prior: Reading, present: Reading) -> tuple[str, ...]:
    """Sentences on what differs; that they are of one patient is for the reader to know."""
    found = [*_calcification(prior.aac or Aac24(), present.aac or Aac24()), *_heights(prior, present)]
    return tuple(found) or (_("Nothing that was measured in both has changed."),)


def _calcification(before: Aac24, now: Aac24) -> Iterator[str]:
    if before.is_empty or now.is_empty:
        yield _("AAC-24 cannot be compared: one of the scans is not scored.")
        return
    yield _("AAC-24: {before} before, {now} now.").format(before=total_words(before), now=total_words(now))
    for cell in CELLS:
        was, is_now = before.grade(*cell), now.grade(*cell)
        if was != is_now:
            yield _("{cell}: {before} before, {now} now.").format(
                cell=cell_names([cell]), before=grade_words(was), now=grade_words(is_now)
            )


def _heights(prior: Reading, present: Reading) -> Iterator[str]:
    if prior.morphometry is None or present.morphometry is None:
        return
    for level, now in present.morphometry.vertebrae.items():
        before = prior.morphometry.vertebrae.get(level)
        if before is None:
            continue
        if before.mm is not None and now.mm is not None:
            was, is_now = before.mm.to_dict(), now.mm.to_dict()
            pairs = {name: (was[name], is_now[name]) for name in was if was[name] and is_now.get(name)}
            if pairs:
                name = max(pairs, key=lambda each: abs(pairs[each][1] / pairs[each][0] - 1))
                first, second = pairs[name]
                yield _("{level}: {name} height {before:.1f} mm before, {now:.1f} mm now ({change:+.0%}).").format(
                    level=level, name=name, before=first, now=second, change=second / first - 1
                )
        words = genant_words(before), genant_words(now)
        if words[0] != words[1]:
            yield _("{level}: {before} before; {now} now.").format(level=level, before=words[0], now=words[1])
    if present.image.spacing is None or prior.image.spacing is None:
        yield _("Heights in millimetres cannot be compared: the size of a pixel is unknown in one of the scans.")
