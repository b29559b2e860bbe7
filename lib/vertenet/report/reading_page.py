"""One page of one reading: HTML that needs nothing beside it and prints on one sheet, and its text."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from ..files import write_bytes
from ..measure.aac import Aac24
from ..radiograph import Radiograph
from ..reading import RESEARCH_USE, Reading
from .height_errors import PLACES, change_words, height_of
from .measured import lordosis_words
from .overlay import overlay_png
from .page import SHEET
from .plain_text import plain_text
from .words import (
    UNCONFIRMED,
    aac_rows,
    aac_total_words,
    basis_words,
    crop_words,
    footer,
    genant_words,
    levels_sentence,
    radius_words,
    refused,
    unassessed_words,
)


def reading_page(
    radiograph: Radiograph, reading: Reading, prior: Reading | None = None, *, overlay: bytes | None = None
) -> dict[str, bytes]:
    """Its content by ending: ``.report.html``, and ``.report.txt`` to be pasted elsewhere.

    Parameters
    ----------
    radiograph : Radiograph
        The image that ``reading`` is of.
    reading : Reading
    prior : Reading, optional
        An earlier one of the same person. Heights are compared where both are in millimetres and sure of the levels.
    overlay : bytes, optional
        PNG of the overlay, where it is already drawn.
    """
    if overlay is None:
        overlay = overlay_png(radiograph.with_anterior(reading.spine.anterior), reading)
    image = base64.b64encode(overlay).decode()
    words = plain_text(reading, prior)
    head, foot = SHEET.split("{{body}}")
    body = "\n".join(_parts(reading, prior, image, words))
    page = head.replace("{{title}}", escape(f"Reading of {reading.image.name}")) + body + foot
    return {".report.html": page.encode("utf-8"), ".report.txt": words.encode("utf-8")}


def write_reading_page(
    radiograph: Radiograph, reading: Reading, out: str | Path, stem: str, prior: Reading | None = None
) -> tuple[Path, Path]:
    """Write it to the folder ``out``, made if missing, as ``<stem><ending>``, each all or nothing; their paths."""
    made = {Path(out) / f"{stem}{end}": content for end, content in reading_page(radiograph, reading, prior).items()}
    for path, content in made.items():
        write_bytes(path, content)
    return tuple(made)


def _parts(reading: Reading, prior: Reading | None, image: str, words: str) -> Iterable[str]:
    yield f"<h1>Lateral spine image {escape(reading.image.name)}</h1>"
    yield f'<p class="notice">{escape(RESEARCH_USE)}</p>'
    picture = f'<img src="data:image/png;base64,{image}" alt="The image with what was found in it">'
    yield f'<div class="sheet"><figure>{picture}</figure><div>'
    tone = "plain" if reading.levels.certain else "alarm"
    yield f'<p class="{tone}"><b>{escape(levels_sentence(reading))}.</b></p>'
    yield f'<p class="caution">{escape(unassessed_words(reading))}.</p>'
    if refused(reading):
        yield "".join(f'<p class="alarm">{escape(reason)}.</p>' for reason in reading.quality.reasons)
        yield "<p>Nothing was measured.</p>"
    else:
        yield from _heights(reading, prior)
        yield from _aorta(reading)
    if reading.quality is not None and reading.quality.score is not None:
        yield f"<p>Image quality: {100 * reading.quality.score:.0f} of 100 calibration images are no more typical.</p>"
    yield from (f'<p class="caution">{escape(warning)}.</p>' for warning in reading.warnings)
    if reading.notes:
        yield f"<p>Notes of the reader: {escape(reading.notes)}</p>"
    if reading.reader:
        yield f"<p>Read by {escape(reading.reader)}.</p>"
    yield "</div></div>"
    yield f"<details><summary>As text, to paste into a report</summary><pre>{escape(words)}</pre></details>"
    made = [f"Made {reading.created} with {reading.software}."] if reading.created else []
    yield f'<p class="small">{" ".join(escape(line) for line in (*footer(reading), *made))}</p>'


def _heights(reading: Reading, prior: Reading | None) -> Iterable[str]:
    if reading.morphometry is None or not reading.morphometry.vertebrae:
        return
    sure = reading.levels.certain
    compared = prior is not None and sure and prior.levels.certain
    heads = ["vertebra", "anterior", "middle", "posterior", "suggested grade and its basis"]
    if compared:
        heads[4:4] = ["prior: anterior", "middle", "posterior"]
    rows = []
    for level, found in reading.morphometry.vertebrae.items():
        now = [height_of(reading, level, place) for place in PLACES]
        cells = [str(level) if sure else f"{level}?", *("-" if height is None else str(height) for height in now)]
        if compared:
            before = [height_of(prior, level, place) for place in PLACES]
            cells += [
                "-" if was is None else f"{was} {change_words(height, was)}".strip() for height, was in zip(now, before)
            ]
        rows.append([*cells, genant_words(found)])
    yield _table(heads, rows)
    unless = "" if sure else f"; {UNCONFIRMED}"
    yield f"<p>{escape(lordosis_words(reading.morphometry.lordosis))}{unless}.</p>"
    discs = radius_words(reading)
    if discs is not None:
        yield f'<p class="small">{escape(discs)}. Errors of heights combine those of their two ends.</p>'
    if prior is not None and not compared:
        yield '<p class="caution">Not compared with the prior reading: levels could not be confirmed.</p>'
    basis = basis_words(reading)
    if basis is not None:
        yield f'<p class="small">{escape(basis)}.</p>'


def _aorta(reading: Reading) -> Iterable[str]:
    tone = {"clear": "plain", "cropped": "alarm"}.get(reading.crop.state.value, "caution")
    yield f'<p class="{tone}">{escape(crop_words(reading))}.</p>'
    yield f"<p>{escape(aac_total_words(reading.aac or Aac24()))}.</p>"
    yield _table(["AAC-24", "anterior wall", "posterior wall"], aac_rows(reading))


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    body = "\n".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
