"""What became of the images of each set: names right, flagged, refused or silently wrong."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ..evaluation.naming import OUTCOMES
from ..evaluation.statistics import wilson
from ..evaluation.summary import BY_NAME, Metric, corners_only
from .comparison import Comparison

ALL, ALL_CERTAIN = "all", "all of certain naming"
FIGURES = ("vertebrae_right", "named_median_source_px", "coverage_90_named")
SETS_CAPTION = (
    "Vertebrae whose predicted centre lies within half a body's height of the true centre of that name. Images: right "
    "(every vertebra), flagged uncertain, refused, silently wrong (called certain, and a vertebra is named wrong), "
    "incomplete (certain, nothing named wrong, a vertebra not found); in brackets Wilson's interval. Distance and "
    "radius: of vertebrae rightly named. Naming doubtful: the truth itself may be a level off."
)
_HEADS = {
    "right": "images right",
    "uncertain": "uncertain",
    "refused": "refused",
    "wrong": "SILENTLY WRONG",
    "incomplete": "incomplete",
}


def set_figures(comparison: Comparison, resamples: int) -> pd.DataFrame:
    """A row for each method and set; those of doubtful naming apart, and all together where there are several."""
    rows = []
    for method in comparison.primary:
        for name, part in _parts(corners_only(comparison.of(method))):
            images = part.drop_duplicates("image")
            vertebrae = part[part["named"] != ""].drop_duplicates(["image", "level"])
            row = {
                "method": method,
                "set": name,
                "images": len(images),
                "persons": images["person"].nunique(),
                "vertebrae": len(vertebrae),
                "named_right": int(vertebrae["level_right"].sum()),
            }
            for outcome in OUTCOMES:
                count = int((images["outcome"] == outcome).sum())
                low, high = wilson(count, len(images))
                row |= {f"images_{outcome}": count, f"images_{outcome}_low": low, f"images_{outcome}_high": high}
            for metric in (BY_NAME[name] for name in FIGURES):
                found = metric.estimate(part, resamples=resamples)
                row |= {metric.name: found.value, f"{metric.name}_low": found.low, f"{metric.name}_high": found.high}
            rows.append(row)
    return pd.DataFrame(rows)


def set_words(numbers: pd.DataFrame, *, brief: bool = False) -> pd.DataFrame:
    """The figures for a reader; ``brief``: without the intervals of images, all outcomes in one column."""
    words = numbers[["method", "set", "images"]].copy()
    named = BY_NAME["vertebrae_right"]
    words["vertebrae rightly named, %"] = [
        f"{_cell(named, row)}, {row['named_right']} of {row['vertebrae']}" for row in _rows(numbers)
    ]
    if brief:
        words["images right / uncertain / refused / SILENTLY WRONG / incomplete"] = [
            " / ".join(str(row[f"images_{outcome}"]) for outcome in OUTCOMES) for row in _rows(numbers)
        ]
    else:
        for outcome in OUTCOMES:
            words[_HEADS[outcome]] = [
                f"{row[f'images_{outcome}']} ({100 * row[f'images_{outcome}_low']:.0f} to "
                f"{100 * row[f'images_{outcome}_high']:.0f} %)"
                for row in _rows(numbers)
            ]
    for metric, head in ((BY_NAME[FIGURES[1]], "corner error, px"), (BY_NAME[FIGURES[2]], "inside 90 % radius, %")):
        words[head] = [_cell(metric, row) for row in _rows(numbers)]
    return words


def _parts(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    sets = [name for name in dict.fromkeys(table["set"]) if name]
    for name in sets:
        for doubtful in (False, True):
            part = table[(table["set"] == name) & (table["doubtful"] == doubtful)]
            if len(part):
                yield f"{name}, naming doubtful" if doubtful else name, part
    if table["doubtful"].any() and not table["doubtful"].all():
        yield ALL_CERTAIN, table[~table["doubtful"]]
    yield ALL, table


def _rows(numbers: pd.DataFrame) -> list[dict]:
    return numbers.to_dict("records")


def _cell(metric: Metric, row: dict) -> str:
    return with_interval(metric, *(row[f"{metric.name}{end}"] for end in ("", "_low", "_high")))


def heading(metric: Metric) -> str:
    return f"{metric.label}, {'%' if metric.unit == 'share' else metric.unit}"


def with_interval(metric: Metric, value: float, low: float, high: float, signed: bool = False) -> str:
    """``1.28 (1.26 to 1.30)``; shares in per cent; a dash where there is no figure, no bracket without an interval."""
    if not np.isfinite(value):
        return "–"
    scale, digits = (100, 1) if metric.unit == "share" else (1, 2)
    sign = "+" if signed else ""
    text = f"{scale * value:{sign}.{digits}f}"
    if not np.isfinite(low):
        return text
    return f"{text} ({scale * low:{sign}.{digits}f} to {scale * high:{sign}.{digits}f})"
