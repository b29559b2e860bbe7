"""The report of a reader study: tables, pictures, page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ..evaluation.agreement import AgreementStudy
from ..evaluation.agreement.readings import ONLY
from ..evaluation.agreement.resampling import Statistic
from ..evaluation.agreement.study import Group
from .agreement_plots import agreement_pictures
from .study_page import Picture, number, with_interval, write_study
from .tables import Table, p_value

#: The interval that a table shows of a statistic, the best that there is.
_SHOWN = ("BCa", "Fisher", "F", "Wilson", "t", "clipped")


def write_agreement(study: AgreementStudy, folder: Path, source: str = "") -> Path:
    """Tables (CSV, Markdown, LaTeX), pictures and ``agreement.html`` in ``folder``; returns the page."""
    pictures: Sequence[Picture] = agreement_pictures(study)
    return write_study(
        folder, "agreement", "Reader agreement", introduction(study, source), agreement_tables(study), pictures
    )


def introduction(study: AgreementStudy, source: str = "") -> list[str]:
    """What was read by whom, what was left out and how the intervals came about."""
    readings = study.readings
    images = len({score.image for score in readings.scores})
    conditions = [condition for condition in readings.conditions if condition != ONLY]
    under = f" under {len(conditions)} conditions ({', '.join(conditions)})" if conditions else ""
    said = [
        f"{images} images, readers {', '.join(readings.readers)}{under}: {len(readings.scores)} scores"
        + (f" from {source}" if source else "")
        + f", {readings.unreadable} of them unreadable. A reading that is unreadable or was not made is never a zero: "
        "its image is left out of what needs it, and counted.",
        f"{study.level:.0%} intervals. BCa: bias-corrected and accelerated bootstrap over images, {study.resamples} "
        f"resamples, seed {study.seed}. An en dash: there is no such figure or interval, and agreement.csv says why. "
        "Images are taken to be of different persons.",
    ]
    if study.comparisons:
        said.append(
            f"Conditions are compared with {study.baseline!r} on the images that every reader scored under both. "
            "Holm's correction is over the regions, for each figure; the AAC-24 total, their sum, is left out of it."
        )
    return said


def agreement_tables(study: AgreementStudy) -> list[Table]:
    """The tables of a study; "agreement" holds every figure with every interval in its CSV."""
    tables = [_overview(study), _kappas(study), _iccs(study), _limits(study)]
    return [*tables, _differences(study)] if study.comparisons else tables


def _overview(study: AgreementStudy) -> Table:
    words = [
        {
            **_names(group),
            "images": group.images,
            "unreadable": group.matrix.unreadable,
            "not read": group.matrix.unread,
            "Pearson r (Fisher)": _shown(group.statistics["pearson"], "Fisher"),
            "Spearman": _shown(group.statistics["spearman"], "BCa"),
            "kappa, linear": _shown(group.statistics["kappa-linear"], "BCa"),
            "kappa, quadratic": _shown(group.statistics["kappa-quadratic"], "BCa"),
            "ICC(2,1)": _shown(group.statistics["ICC2"], "F"),
            "same score": _shown(group.statistics["exact"], "Wilson"),
            "within one": _shown(group.statistics["within-one"], "Wilson"),
        }
        for group in study.groups
    ]
    caption = (
        "Agreement by region and condition. Correlation with Fisher's interval (of more than two readers, the mean of "
        "all pairs with BCa), weighted kappa with BCa, ICC of absolute agreement, shares of images with the same "
        "score and with scores at most one apart (Wilson)."
    )
    return Table("agreement", caption, pd.DataFrame(list(_every_figure(study))), pd.DataFrame(words))


def _every_figure(study: AgreementStudy) -> Iterator[dict]:
    for group in study.groups:
        start = {
            "condition": group.condition,
            "region": group.region,
            "readers": " | ".join(group.readers),
            "same_reader": "yes" if group.within else "no",
            "images": group.images,
            "unreadable": group.matrix.unreadable,
            "not_read": group.matrix.unread,
        }
        for name, found in group.statistics.items():
            for method, interval in (found.intervals or {"": (np.nan, np.nan)}).items():
                yield {
                    **start,
                    "statistic": name,
                    "value": found.value,
                    "standard_error": found.standard_error,
                    "interval": method,
                    "low": interval[0],
                    "high": interval[1],
                    "note": found.note if not np.isfinite(interval[0]) else "",
                }


def _kappas(study: AgreementStudy) -> Table:
    rows = [
        (group, weights, group.statistics[f"kappa-{weights}"])
        for group in study.groups
        for weights in ("linear", "quadratic")
    ]
    words = [
        {
            **_names(group),
            "weights": weights,
            "kappa": number(found.value),
            "standard error": number(found.standard_error, 3),
            **{method: _bounds(found, method) for method in ("normal", "clipped", "BCa")},
            "remark": found.note,
        }
        for group, weights, found in rows
    ]
    caption = (
        "Weighted kappa and its intervals. The normal one is that of the VerteNet paper's Table 2 and may pass 1; "
        "clipped, it ends there; BCa does not assume a symmetry that kappa lacks. A dash is an answer: the remark says "
        "why."
    )
    return _plain("kappa", caption, words)


def _iccs(study: AgreementStudy) -> Table:
    forms = ("ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k")
    words = [
        {
            **_names(group),
            **{form: _shown(group.statistics[form], "F") for form in forms},
            "remark": "; ".join(dict.fromkeys(filter(None, (group.statistics[form].note for form in forms)))),
        }
        for group in study.groups
    ]
    caption = (
        "Intraclass correlation (Shrout and Fleiss): one-way (1), two-way absolute agreement (2), two-way consistency "
        "(3), of one reader and of the mean of all (k); F intervals (McGraw and Wong)."
    )
    return _plain("icc", caption, words)


def _limits(study: AgreementStudy) -> Table:
    words = [
        {
            **_names(group),
            "bias": _shown(group.statistics["bias"], "t", signed=True),
            "lower limit": _shown(group.statistics["limit-low"], "t", signed=True),
            "upper limit": _shown(group.statistics["limit-high"], "t", signed=True),
        }
        for group in study.groups
        if "bias" in group.statistics
    ]
    caption = (
        "Bland and Altman: first less second reader, in points of the score, and the limits of 95 % of differences."
    )
    return _plain("bland-altman", caption, words)


def _differences(study: AgreementStudy) -> Table:
    numbers = [
        {
            **{key: value for key, value in row.__dict__.items() if key != "interval"},
            "low": row.interval.low,
            "high": row.interval.high,
        }
        for row in study.comparisons
    ]
    words = [
        {
            "conditions": f"{row.condition} less {row.baseline}",
            "region": row.region,
            "figure": _FIGURES[row.statistic],
            "images": row.images,
            "agreement": f"{number(row.value)} less {number(row.baseline_value)}",
            "difference": with_interval(row.difference, row.interval, signed=True),
            "p": p_value(row.p),
            "p after Holm": p_value(row.p_holm),
            "remark": row.note,
        }
        for row in study.comparisons
    ]
    caption = (
        "What the condition changes, on the same images: paired bootstrap over images, BCa interval, two-sided p, "
        "Holm's correction over the regions of one figure."
    )
    return Table("differences", caption, pd.DataFrame(numbers), pd.DataFrame(words))


_FIGURES = {
    "pearson": "Pearson r",
    "kappa-linear": "kappa, linear",
    "kappa-quadratic": "kappa, quadratic",
    "ICC2": "ICC(2,1)",
}


def _plain(name: str, caption: str, words: list[dict]) -> Table:
    """A view of some figures; its CSV holds the words, for the numbers are all in ``agreement.csv``."""
    frame = pd.DataFrame(words)
    return Table(name, caption, frame, frame)


def _names(group: Group) -> dict[str, str]:
    return {"region": group.region, "condition": group.condition or "–", "readers": " and ".join(group.readers)}


def _shown(found: Statistic, wanted: str, *, signed: bool = False) -> str:
    method = wanted if wanted in found.intervals else next((m for m in _SHOWN if m in found.intervals), None)
    interval = (np.nan, np.nan) if method is None else found.intervals[method]
    return with_interval(found.value, interval, signed=signed)


def _bounds(found: Statistic, method: str) -> str:
    interval = found.intervals.get(method)
    if interval is None or not np.isfinite(interval).all():
        return "–"
    return f"{number(interval.low)} to {number(interval.high)}"
