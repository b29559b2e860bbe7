"""What every study writes: its tables as CSV, Markdown and LaTeX, its pictures, and one HTML page over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

import numpy as np
from matplotlib.figure import Figure

from .. import RESEARCH_USE
from ..files import beside, write_text
from ..report.page import PAGE
from .tables import Table, markdown

#: Of every picture, dots per inch.
RESOLUTION = 110
MINUS = "−"


@dataclass(frozen=True)
class Picture:
    """A figure, the stem of its file, and what it shows."""

    name: str
    caption: str
    figure: Figure


def write_study(
    folder: Path,
    name: str,
    title: str,
    introduction: Sequence[str],
    tables: Sequence[Table],
    pictures: Sequence[Picture],
    downloads: Sequence[str] = (),
) -> Path:
    """Write everything into ``folder`` and return the page, ``<name>.html``.

    ``introduction`` are paragraphs; ``downloads`` names of further files in the folder that the page links to.
    """
    for table in tables:
        write_table(table, folder)
    for picture in pictures:
        with beside(folder / f"{picture.name}.png") as temporary:
            picture.figure.savefig(temporary, dpi=RESOLUTION)
    parts = [f"<h1>{escape(title)}</h1>", f'<p class="notice">{escape(RESEARCH_USE)}</p>']
    parts += [f"<p>{escape(text)}</p>" for text in introduction]
    parts += [_picture(picture) for picture in pictures]
    parts += [_table(table) for table in tables]
    if downloads:
        links = " · ".join(_link(file) for file in downloads)
        parts.append(f'<p class="small">Every value: {links}</p>')
    path = folder / f"{name}.html"
    write_text(path, PAGE.replace("{{title}}", escape(title)).replace("{{body}}", "\n".join(parts)))
    return path


def write_table(table: Table, folder: Path) -> None:
    """``<name>.csv`` (raw numbers, empty where unknown), ``.md`` and ``.tex`` (needs booktabs)."""
    told = table.numbers.assign(notice=RESEARCH_USE)
    write_text(folder / f"{table.name}.csv", told.to_csv(index=False, lineterminator="\n"))
    write_text(folder / f"{table.name}.md", f"{markdown(table.words)}\n\n{table.caption} {RESEARCH_USE}\n")
    write_text(folder / f"{table.name}.tex", latex(table))


def latex(table: Table) -> str:
    """A table environment; every character that LaTeX would take for a command is escaped."""
    columns = [str(column) for column in table.words.columns]
    lines = [" & ".join(map(escape_latex, row)) + r" \\" for row in [columns, *table.words.astype(str).values.tolist()]]
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{escape_latex(table.caption)}}}",
            rf"\label{{tab:{table.name}}}",
            rf"\begin{{tabular}}{{{'l' * len(columns)}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def escape_latex(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", MINUS: "$-$"}
    special.update({plain: rf"\{plain}" for plain in "&%$#_{}"})
    return "".join(special.get(character, character) for character in text)


def number(value: float | None, digits: int = 2, *, signed: bool = False) -> str:
    """``0.82``, or a dash where there is none; a true minus sign."""
    if value is None or not np.isfinite(value):
        return "–"
    return f"{value:{'+' if signed else ''}.{digits}f}".replace("-", MINUS)


def with_interval(value: float, interval: tuple[float, float], digits: int = 2, *, signed: bool = False) -> str:
    """``0.82 (0.64 to 0.91)``; the value alone where there is no interval."""
    if not np.isfinite([value, *interval]).all():
        return number(value, digits, signed=signed)
    low, high = (number(bound, digits, signed=signed) for bound in interval)
    return f"{number(value, digits, signed=signed)} ({low} to {high})"


def _picture(picture: Picture) -> str:
    return (
        '<article style="max-width: 62rem; margin-bottom: 1rem">'
        f'<img src="{quote(picture.name)}.png" alt="{escape(picture.caption)}">'
        f'<p class="small">{escape(picture.caption)}</p></article>'
    )


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(str(column))}</th>" for column in table.words.columns)
    rows = (
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in table.words.astype(str).values.tolist()
    )
    files = " · ".join(_link(f"{table.name}.{suffix}") for suffix in ("csv", "md", "tex"))
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
        f'<p class="small">{escape(table.caption)} {files}</p>'
    )


def _link(file: str) -> str:
    return f'<a href="{quote(file)}">{escape(file)}</a>'
