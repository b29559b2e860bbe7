"""From a comparison to files: tables, plots, and one HTML page that holds them all."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from .. import RESEARCH_USE, __version__
from ..evaluation.statistics import RESAMPLES
from ..files import write_text
from ..report.page import PAGE
from .comparison import Comparison
from .plots import make_plots, write_plots
from .tables import Table, make_tables, write_tables

#: Where in the page each plot belongs: after the table of that name.
_PLOTS_AFTER = {
    "detection": ("cumulative-error",),
    "by-level": ("error-by-level",),
    "by-corner": ("error-by-corner",),
    "by-scanner": ("error-by-scanner",),
    "by-grade": ("error-by-grade",),
    "levels": ("risk-coverage",),
    "coverage": ("radius-coverage",),
    "cost": ("cost", "learning-curves"),
}
_TITLES = {
    "accuracy": "Accuracy",
    "distances": "Distances",
    "detection": "Detection",
    "sets": "Sets",
    "levels": "Levels",
    "coverage": "Error radii",
    "differences": "Differences",
    "by-level": "By level",
    "by-corner": "By point",
    "by-scanner": "By scanner",
    "by-grade": "By fracture grade",
    "cost": "Cost",
    "weights": "Weights",
    "failures": "Failures",
}
_STYLE = """<style>
h2 { margin-top: 2rem; font-size: 1.25rem; }
figure { margin: 1rem 0; } figure img { max-width: 100%; background: #fff; border-radius: .4rem; }
.wide { margin-bottom: .4rem; } td { white-space: nowrap; }
</style>"""


def write_comparison(
    comparison: Comparison,
    folder: Path,
    *,
    resamples: int = RESAMPLES,
    report: Callable[[str], None] = lambda part: None,
) -> tuple[Path, list[Table]]:
    """Write ``tables/``, ``plots/`` and ``report.html`` into ``folder``; returns the page's path and the tables.

    The page holds its pictures itself, so it can be sent as one file. ``report`` is told what is being made.
    """
    tables = make_tables(comparison, resamples=resamples, report=report)
    write_tables(tables, comparison, folder / "tables")
    report("plots")
    pictures = write_plots(make_plots(comparison, resamples=resamples), folder / "plots")
    head, foot = PAGE.split("{{body}}")
    page = head.replace("{{title}}", escape(comparison.title)) + _body(comparison, tables, pictures) + foot
    write_text(folder / "report.html", page)
    return folder / "report.html", tables


def _body(comparison: Comparison, tables: Sequence[Table], pictures: dict[str, bytes]) -> str:
    synthetic = " Every image is synthetic: nothing here says how well it works on patients." * comparison.synthetic
    parts = [
        _STYLE,
        f"<h1>{escape(comparison.title)}</h1>",
        f'<p class="notice">{escape(RESEARCH_USE + synthetic)}</p>',
        f"<p>Data: {escape(comparison.data)}.</p>",
        f"<p>{escape(comparison.conditions)}.</p>",
        *(f"<p>{escape(note)}</p>" for note in comparison.notes),
    ]
    if len(comparison.failures):
        count = len(comparison.failures)
        parts.append(f'<p class="alarm">{count} {"run has" if count == 1 else "runs have"} failed, see below.</p>')
    problems = comparison.table[comparison.table["problem"] != ""].drop_duplicates("image")
    parts += [f'<p class="alarm">{escape(text)}</p>' for text in problems["problem"]]
    for table in tables:
        parts += [f'<h2 id="{table.name}">{escape(_TITLES[table.name])}</h2>', _html(table)]
        parts += [_picture(name, pictures[name]) for name in _PLOTS_AFTER.get(table.name, ()) if name in pictures]
    parts.append(f'<p class="small">Made by vertenet {escape(__version__)}.</p>')
    return "\n".join(parts)


def _html(table: Table) -> str:
    head = "".join(f"<th>{escape(str(name))}</th>" for name in table.words.columns)
    rows = "\n".join(
        f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>"
        for row in table.words.to_numpy().tolist()
    )
    grid = f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>'
    return f'{grid}\n<p class="small">{escape(table.caption)}</p>'


def _picture(name: str, png: bytes) -> str:
    data = base64.b64encode(png).decode("ascii")
    return f'<figure><img alt="{escape(name)}" src="data:image/png;base64,{data}"></figure>'
