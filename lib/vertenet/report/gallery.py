"""A gallery: one HTML page beside the overlays, with a table of what was found and the pictures below it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from urllib.parse import quote

from ..files import write_text
from ..measure import CROP_WORDS
from ..reading import RESEARCH_USE, Reading
from .measured import HEIGHT_HEADS, height_rows, lordosis_words
from .page import PAGE
from .words import CROP_TONES, model_words, remarks, spacing_words


@dataclass(frozen=True, eq=False)
class GalleryEntry:
    """One case of the gallery.

    Attributes
    ----------
    title : str
    reading : Reading or None
        None where there is none; ``problem`` then says why.
    picture : path or None
        The overlay; linked relative to the page.
    facts : mapping of str to str
        More columns of the table, such as a comparison with the truth: ``{"median error": "1.2 px"}``.
    links : mapping of str to path
        Further files: ``{"markups": "case.mrk.json"}``.
    problem : str
        The sentence of a failed image.
    full : path or None
        What the picture opens, where ``picture`` is a small one; the picture itself otherwise.
    """

    title: str
    reading: Reading | None = None
    picture: str | Path | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str | Path] = field(default_factory=dict)
    problem: str = ""
    full: str | Path | None = None


@dataclass(frozen=True)
class Section:
    """A table of its own above the cases: a title, heads, and rows of text; folded up unless it is ``open``."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    open: bool = False


def write_gallery(
    entries: Iterable[GalleryEntry],
    path: str | Path,
    *,
    title: str = "VerteNet readings",
    introduction: str = "",
    sections: Sequence[Section] = (),
    pages: Sequence[str] = (),
) -> Path:
    """Write the page, all or nothing, and return its path.

    It needs no network and no script: the style is in the page, pictures and files are linked relative to it, so the
    folder can be moved as a whole. Every text is escaped. ``pages`` are the names of all pages of a gallery that has
    several, this one included.
    """
    path, entries = Path(path), list(entries)
    columns = list(dict.fromkeys(name for entry in entries for name in entry.facts))
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="notice">{escape(RESEARCH_USE)}</p>',
        f"<p>{escape(introduction)}</p>" if introduction else "",
        *(f"<p>{escape(text)}.</p>" for text in _models(entries)),
        *map(_section, sections),
        _pages(path.name, pages),
        _table(entries, columns),
        '<div class="cards">',
        *(_card(number, entry, path.parent) for number, entry in enumerate(entries)),
        "</div>",
        _pages(path.name, pages),
    ]
    head, foot = PAGE.split("{{body}}")
    body = "\n".join(part for part in parts if part)
    write_text(path, head.replace("{{title}}", escape(title)) + body + foot)
    return path


def _models(entries: Sequence[GalleryEntry]) -> list[str]:
    return list(dict.fromkeys(model_words(entry.reading) for entry in entries if entry.reading is not None))


def _section(section: Section) -> str:
    rows = "\n".join(_row("td", row) for row in section.rows)
    table = f"<table><thead>{_row('th', section.heads)}</thead>\n<tbody>\n{rows}\n</tbody></table>"
    opened = " open" if section.open else ""
    return f'<details{opened}><summary>{escape(section.title)}</summary>\n<div class="wide">{table}</div></details>'


def _pages(here: str, pages: Sequence[str]) -> str:
    """Links to the other pages; empty where there is one page."""
    if len(pages) < 2:
        return ""
    numbers = enumerate(pages, start=1)
    links = (f"<b>{n}</b>" if name == here else f'<a href="{quote(name)}">{n}</a>' for n, name in numbers)
    return f'<p class="small">Pages: {" ".join(links)}</p>'


def _table(entries: Sequence[GalleryEntry], columns: Sequence[str]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in ("case", "levels", "crop", *columns))
    rows = []
    for number, entry in enumerate(entries):
        cells = [f'<td><a href="#case-{number}">{escape(entry.title)}</a></td>']
        if entry.reading is None:
            cells.append(f'<td class="alarm" colspan="2">{escape(entry.problem or "no reading")}</td>')
        else:
            crop = entry.reading.crop
            where = f" ({', '.join(crop.segments)})" if crop.segments else ""
            certain = entry.reading.levels.certain
            tone = CROP_TONES[crop.state]
            cells.append(
                f'<td class="{"plain" if certain else "caution"}">{"certain" if certain else "uncertain"}</td>'
            )
            cells.append(f'<td class="{tone}">{escape(CROP_WORDS[crop.state] + where)}</td>')
        cells += [f"<td>{escape(entry.facts.get(name, ''))}</td>" for name in columns]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    body = "\n".join(rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'


def _card(number: int, entry: GalleryEntry, folder: Path) -> str:
    parts = [f'<article id="case-{number}">', f"<h2>{escape(entry.title)}</h2>"]
    if entry.picture is not None:
        link = _relative(entry.picture, folder)
        target = link if entry.full is None else _relative(entry.full, folder)
        parts.append(f'<a href="{target}"><img src="{link}" alt="Overlay of {escape(entry.title)}" loading="lazy"></a>')
    if entry.problem:
        parts.append(f'<p class="alarm">{escape(entry.problem)}</p>')
    if entry.reading is not None:
        parts += [f'<p class="{remark.tone}">{escape(remark.text)}</p>' for remark in remarks(entry.reading)]
        parts.append(f'<p class="small">{escape(spacing_words(entry.reading))}</p>')
        parts += _heights(entry.reading)
    links = [f'<a href="{_relative(target, folder)}">{escape(name)}</a>' for name, target in entry.links.items()]
    if links:
        parts.append(f'<p class="small">{" · ".join(links)}</p>')
    return "\n".join([*parts, "</article>"])


def _heights(reading: Reading) -> list[str]:
    rows = height_rows(reading)
    if all(set(row[1:4]) == {"-"} for row in rows):
        return []
    table = "\n".join(_row("td", row) for row in rows)
    return [
        "<details><summary>Heights and lordosis</summary>",
        f'<div class="wide"><table><thead>{_row("th", HEIGHT_HEADS)}</thead>\n<tbody>\n{table}\n</tbody></table></div>',
        f'<p class="small">{escape(lordosis_words(reading.morphometry.lordosis))}. Grades are suggested from heights; '
        "they are no diagnosis.</p>",
        "</details>",
    ]


def _row(kind: str, cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<{kind}>{escape(cell)}</{kind}>' for cell in cells)}</tr>"


def _relative(target: str | Path, folder: Path) -> str:
    """A link from the page's folder; a relative ``target`` is taken to lie there."""
    target = Path(target)
    relative = os.path.relpath(target, folder) if target.is_absolute() or folder in target.parents else str(target)
    return quote(Path(relative).as_posix())
