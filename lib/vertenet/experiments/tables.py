"""Tables of a comparison: one definition each, written as CSV, Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from .. import RESEARCH_USE
from ..evaluation.statistics import RESAMPLES, holm, wilson
from ..evaluation.summary import BY_NAME, GROUPS, corners_only, count_images, grouped
from ..files import write_text
from .comparison import Comparison
from .sets import SETS_CAPTION, heading, set_figures, set_words, with_interval

ACCURACY = ("found", "mean_px", "median_px", "p95_px", "aligned_mean_px", "aligned_median_px")
DISTANCES = ("euclidean_mean_px", "euclidean_median_px", "euclidean_p95_px", "mean_mm", "median_mm", "p95_mm")
DETECTION = ("sdr_2mm", "sdr_4mm", "sdr_5px", "sdr_10px", "beyond_half_height")
LEVELS = ("vertebrae_right", "levels_right_answered", "abstained", "refused", "anterior_right")
TRUST = ("coverage_80", "coverage_90", "coverage_95", "coverage_90_named", "radius_90_px")
GROUP_METRICS = ("mean_px", "median_px", "mean_mm", "found", "vertebrae_right")
#: A scanner has whole images, and so figures of images.
IMAGE_METRICS = ("levels_right", "abstained")
COMPARED = ("mean_px", "median_px", "euclidean_mean_px", "aligned_mean_px", "found", "levels_right")


@dataclass(frozen=True, eq=False)
class Table:
    """One table.

    Attributes
    ----------
    name : file stem
    caption : sentences: what it shows, of how many images, with which data, under which conditions
    numbers : raw figures, for the CSV
    words : the same for a reader, as text
    """

    name: str
    caption: str
    numbers: pd.DataFrame
    words: pd.DataFrame


def make_tables(
    comparison: Comparison, *, resamples: int = RESAMPLES, report: Callable[[str], None] = lambda name: None
) -> list[Table]:
    """Every table that the comparison has figures for; ``report`` is told the name of each as it is begun."""
    makers = {
        "accuracy": lambda: _figures(comparison, "accuracy", ACCURACY, resamples),
        "distances": lambda: _figures(comparison, "distances", DISTANCES, resamples),
        "detection": lambda: _figures(comparison, "detection", DETECTION, resamples),
        "sets": lambda: _sets(comparison, resamples),
        "levels": lambda: _levels(comparison, resamples),
        "coverage": lambda: _figures(comparison, "coverage", TRUST, resamples),
        "differences": lambda: _differences(comparison, resamples),
        **{f"by-{by}": lambda by=by: _groups(comparison, by, resamples) for by in GROUPS},
        "cost": lambda: _plain(comparison, "cost", comparison.costs),
        "weights": lambda: _plain(comparison, "weights", comparison.models),
        "failures": lambda: _plain(comparison, "failures", comparison.failures),
    }
    tables = []
    for name, make in makers.items():
        report(name)
        table = make()
        if table is not None:
            tables.append(table)
    return tables


def write_tables(tables: Sequence[Table], comparison: Comparison, folder: Path) -> None:
    """Write ``<name>.csv``, ``.md`` and ``.tex`` of every table.

    The CSV holds raw numbers and says in its last columns what they were measured on; an empty cell is not known.
    """
    for table in tables:
        told = table.numbers.assign(data=comparison.data, conditions=comparison.conditions, notice=RESEARCH_USE)
        write_text(folder / f"{table.name}.csv", told.to_csv(index=False, lineterminator="\n"))
        write_text(folder / f"{table.name}.md", f"{markdown(table.words)}\n\n{table.caption}\n")
        # pandas escapes what LaTeX would take for commands, the caption excepted.
        latex = table.words.to_latex(
            index=False, escape=True, caption=_latex(table.caption), label=f"tab:{table.name}", na_rep=""
        )
        write_text(folder / f"{table.name}.tex", latex)


def headline(tables: Sequence[Table]) -> pd.DataFrame:
    """The few columns that a terminal has room for; dashes where no method has a figure."""
    words = {table.name: table.words for table in tables}
    columns = ["method", *(heading(BY_NAME[name]) for name in ("found", "mean_px", "median_px"))]
    errors = words["accuracy"].reindex(columns=columns, fill_value="–")
    return pd.concat([errors, words["levels"][["all levels right", "images with a level shift"]]], axis=1)


def sets_headline(tables: Sequence[Table]) -> pd.DataFrame:
    """Of the table of sets, what a terminal has room for."""
    numbers = next(table.numbers for table in tables if table.name == "sets")
    return set_words(numbers, brief=True)


def markdown(frame: pd.DataFrame) -> str:
    """A GitHub table; bars and line breaks in cells are made harmless."""
    rows = [list(frame.columns), ["---"] * frame.shape[1], *frame.astype(str).to_numpy().tolist()]
    safe = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in safe)


def caption_of(comparison: Comparison, what: str) -> str:
    """``what``, then the images, the budget, the interval and the research-use notice."""
    images = comparison.table["image"].nunique()
    persons = comparison.table["person"].nunique()
    whose = "synthetic images, no patient" if comparison.synthetic else "images"
    return (
        f"{what} {images} test {whose}, {persons} persons. Data: {comparison.data}. {comparison.conditions}. "
        f"In brackets: 95 % intervals of the bootstrap over persons. {RESEARCH_USE}"
    )


def _figures(comparison: Comparison, name: str, metrics: Sequence[str], resamples: int) -> Table | None:
    numbers, words, blank = [], [], set(metrics)
    for method in comparison.methods:
        part = corners_only(comparison.of(method))
        start = {"method": method, "images": part["image"].nunique(), "landmarks": int(part["required"].sum())}
        row, text = dict(start), dict(start)
        for metric in (BY_NAME[m] for m in metrics):
            estimate = metric.estimate(part, resamples=resamples)
            row.update(
                {metric.name: estimate.value, f"{metric.name}_low": estimate.low, f"{metric.name}_high": estimate.high}
            )
            text[heading(metric)] = with_interval(metric, estimate.value, estimate.low, estimate.high)
            if np.isfinite(estimate.value):
                blank.discard(metric.name)
        numbers.append(row)
        words.append(text)
    if blank == set(metrics):
        return None
    shown = pd.DataFrame(words).drop(columns=[heading(BY_NAME[m]) for m in blank])
    caption = caption_of(comparison, _WHAT[name])
    if blank:
        caption += f" Not measurable here: {', '.join(heading(BY_NAME[m]) for m in metrics if m in blank)}."
    return Table(name, caption, pd.DataFrame(numbers), shown)


def _levels(comparison: Comparison, resamples: int) -> Table:
    rest = _figures(comparison, "levels", LEVELS, resamples)
    numbers, words = [], []
    for method in comparison.methods:
        part = comparison.of(method)
        right, images = count_images(part)
        low, high = wilson(right, images)
        shifted = int(part.drop_duplicates("image")["shifted"].sum())
        numbers.append(
            {"levels_right": right / images, "levels_right_low": low, "levels_right_high": high, "shifted": shifted}
        )
        words.append({"all levels right": f"{100 * right / images:.1f} % ({100 * low:.1f} to {100 * high:.1f})"})
        words[-1]["images with a level shift"] = str(shifted)
    numbers = pd.concat([rest.numbers.iloc[:, :3], pd.DataFrame(numbers), rest.numbers.iloc[:, 3:]], axis=1)
    words = pd.concat([rest.words.iloc[:, :2], pd.DataFrame(words), rest.words.iloc[:, 3:]], axis=1)
    return Table("levels", rest.caption + " All levels right: Wilson's interval.", numbers, words)


def _sets(comparison: Comparison, resamples: int) -> Table:
    numbers = set_figures(comparison, resamples)
    return Table("sets", caption_of(comparison, SETS_CAPTION), numbers, set_words(numbers))


def _groups(comparison: Comparison, by: str, resamples: int) -> Table | None:
    parts, metrics = [], GROUP_METRICS + IMAGE_METRICS * (by == "scanner")
    for method in comparison.primary:
        part = grouped(comparison.of(method), by, metrics, resamples=resamples)
        parts.append(part.assign(method=method))
    numbers = pd.concat(parts, ignore_index=True)
    numbers.insert(0, "method", numbers.pop("method"))
    if set(numbers[by]) == {"unknown"}:
        return None
    words = numbers[["method", by, "landmarks", "images"]].rename(columns={by: GROUPS[by]})
    for metric in (BY_NAME[m] for m in metrics):
        if numbers[metric.name].notna().any():
            columns = (numbers[metric.name], numbers[f"{metric.name}_low"], numbers[f"{metric.name}_high"])
            words[heading(metric)] = [with_interval(metric, *row) for row in zip(*columns)]
    return Table(f"by-{by}", caption_of(comparison, f"By {GROUPS[by]}."), numbers, words)


def _differences(comparison: Comparison, resamples: int) -> Table | None:
    reference = corners_only(comparison.of(comparison.reference))
    others = [method for method in comparison.methods if method != comparison.reference]
    if not others:
        return None
    numbers = []
    for metric in (BY_NAME[m] for m in COMPARED):
        rows = []
        for method in others:
            found = metric.difference(corners_only(comparison.of(method)), reference, resamples=resamples)
            rows.append({"metric": metric.name, "method": method, "minus": comparison.reference, **found.__dict__})
        for row, adjusted in zip(rows, holm([row["p"] for row in rows])):
            row["p_holm"] = adjusted
        numbers += rows
    numbers = pd.DataFrame(numbers).rename(columns={"value": "difference"})
    words = pd.DataFrame(
        {
            "figure": [heading(BY_NAME[name]) for name in numbers["metric"]],
            "method": numbers["method"],
            "difference": [
                with_interval(BY_NAME[name], *values, signed=True)
                for name, *values in numbers[["metric", "difference", "low", "high"]].itertuples(index=False)
            ],
            "p": numbers["p"].map(p_value),
            "p after Holm": numbers["p_holm"].map(p_value),
            "persons": numbers["persons"],
        }
    )
    what = (
        f"Each method minus {comparison.reference} on the same images (errors: on the points that both found; paired "
        f"bootstrap over persons, two-sided, {resamples} resamples; Holm over the methods of one figure)."
    )
    return Table("differences", caption_of(comparison, what), numbers, words)


def _plain(comparison: Comparison, name: str, frame: pd.DataFrame) -> Table | None:
    if frame.empty:
        return None
    words = frame.copy()
    for column in words.columns:
        if pd.api.types.is_float_dtype(words[column]):
            words[column] = words[column].map(lambda v: "" if np.isnan(v) else f"{v:.4g}")
    caption = f"{_WHAT[name]} Data: {comparison.data}. {comparison.conditions}. {RESEARCH_USE}"
    return Table(name, caption, frame, words.rename(columns=_COST_WORDS))


_WHAT = {
    "accuracy": (
        "Errors of the corners of T12 to L5 per coordinate in the 1024 x 512 frame, the paper's form, of the points "
        "that were found; aligned: after moving all names of a spine by the levels that they are off."
    ),
    "distances": "Euclidean errors of the four corners of T12 to L5, in px of the 1024 x 512 frame and in mm.",
    "detection": "Shares of the true points; one that was not found is within no distance.",
    "levels": "Naming of the levels.",
    "coverage": "True points inside their predicted error radius.",
    "cost": "What a prediction and a training run cost.",
    "weights": "The weights behind the figures, and what they have seen.",
    "failures": "Runs that failed; they are not in the figures.",
}
_COST_WORDS = {
    "train_minutes": "training, min a fold",
    "train_memory_mb": "training, peak MB",
    "images_seen": "images seen",
    "parameters_m": "parameters, M",
    "gmac": "GMAC",
    "memory_mb": "prediction, MB",
    "seconds": "prediction, s",
}


def p_value(p: float) -> str:
    return "–" if not np.isfinite(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def _latex(text: str) -> str:
    for plain in "&%$#_{}":
        text = text.replace(plain, f"\\{plain}")
    return text
