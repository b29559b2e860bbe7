"""The report of a crop study: the sweep, the test figures, the groups, every case, picture and page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..evaluation.crop_study import AUTHORS, OURS, RULES, Answers, Confusion, CropStudy, Share, confusion
from ..files import write_text
from ..measure.crop import CropState
from .study_page import Picture, number, with_interval, write_study
from .tables import Table, p_value

_RATES = ("accuracy", "sensitivity", "specificity")
_COLOURS = {OURS: "#0b57d0", AUTHORS: "#b3541e"}


def write_crop_study(study: CropStudy, folder: Path, about: str) -> Path:
    """Tables, ``cases.csv``, the picture and ``crop-study.html`` in ``folder``; returns the page.

    ``about`` says in sentences what the images and landmarks are.
    """
    write_text(folder / "cases.csv", pd.DataFrame(list(_cases(study))).to_csv(index=False, lineterminator="\n"))
    picture = Picture(
        "sweep", "Strict sensitivity and specificity against the factor, Wilson 95 % intervals.", _sweep(study)
    )
    return write_study(
        folder, "crop-study", "Crop study", introduction(study, about), crop_tables(study), [picture], ["cases.csv"]
    )


def introduction(study: CropStudy, about: str) -> list[str]:
    """What was asked, of what, and what came of it."""
    test = confusion(study.test, OURS, study.chosen[OURS])
    paired = study.paired
    errors = study.fraction_errors()
    said = [
        about,
        "Positive means cropped: a false negative is a cropped aorta called clear, a false positive a whole one called "
        "cropped. Strict figures count 'could not be assessed' as wrong on either side; the others leave it out. The "
        f"factor was chosen by strict accuracy on the tuning set ({len(study.tuning)} images; ties towards the "
        f"middle); the test set ({len(study.test)} images of other persons) decided nothing.",
        f"At the factor {study.chosen[OURS]:g}: test sensitivity {_share(test.sensitivity)}, specificity "
        f"{_share(test.specificity)}, {test.abstained.hits} of {test.abstained.trials} could not be assessed. Against "
        f"the authors' rule at its own factor {study.chosen[AUTHORS]:g}: only ours is right in {paired.only_ours} "
        f"images, only theirs in {paired.only_authors} (McNemar's exact p {p_value(paired.p)}).",
    ]
    if len(errors):
        said.append(
            f"Lost share of the corridor, where it could be measured ({len(errors)} images): median error "
            f"{np.median(errors):.3f}, 95 % below {np.quantile(errors, 0.95):.3f}."
        )
    return said


def crop_tables(study: CropStudy) -> list[Table]:
    """ "test" (both rules at their factors), "sweep" (every factor, either set) and "by-<kind>" of the test set."""
    wilson = "In brackets: Wilson 95 % intervals."
    test = [
        (("rule", rule), ("factor", study.chosen[rule]), confusion(study.test, rule, study.chosen[rule]))
        for rule in RULES
    ]
    sweep = [
        (("set", name), ("rule", rule), ("factor", factor), confusion(answers, rule, factor))
        for name, answers in study.sets.items()
        for rule in RULES
        for factor in study.factors
    ]
    tables = [
        _table("test", f"Test set, each rule at the factor that the tuning set chose. {wilson}", test),
        _table("sweep", f"Every factor. The test set is shown, not chosen from. {wilson}", sweep),
    ]
    for kind, groups in _groups(study).items():
        rows = [
            ((kind, name), ("rule", rule), confusion(answers, rule, study.chosen[rule]))
            for name, answers in groups.items()
            for rule in RULES
        ]
        tables.append(_table(f"by-{kind}", f"Test set by {kind}. {wilson}", rows))
    return tables


def group_words(study: CropStudy) -> pd.DataFrame:
    """Our rule on every kind of test image, in few columns."""
    return pd.DataFrame(
        [
            {
                "kind": f"{kind}: {name}",
                "sensitivity": _share(found.sensitivity),
                "specificity": _share(found.specificity),
                "not assessed": f"{found.abstained.hits} of {found.abstained.trials}",
            }
            for kind, groups in _groups(study).items()
            for name, answers in groups.items()
            for found in [confusion(answers, OURS, study.chosen[OURS])]
        ]
    )


def _groups(study: CropStudy) -> dict[str, dict[str, list[Answers]]]:
    """Test images by kind ("scanner") and name of the group."""
    found: dict[str, dict[str, list[Answers]]] = {}
    for kind in sorted({kind for answers in study.test for kind in answers.item.groups}):
        names = sorted({answers.item.groups.get(kind, "unknown") for answers in study.test})
        found[kind] = {
            name: [answers for answers in study.test if answers.item.groups.get(kind, "unknown") == name]
            for name in names
        }
    return found


def _table(name: str, caption: str, rows: Sequence[tuple]) -> Table:
    numbers = [{**dict(labels), **_numbers(counts)} for *labels, counts in rows]
    words = [{**dict(labels), **_words(counts)} for *labels, counts in rows]
    return Table(name, caption, pd.DataFrame(numbers), pd.DataFrame(words))


def _numbers(counts: Confusion) -> dict[str, float]:
    row: dict[str, float] = dict(counts.__dict__)
    for name in (*_RATES, *(f"answered_{rate}" for rate in _RATES), "abstained"):
        share: Share = getattr(counts, name)
        row.update({name: share.value, f"{name}_low": share.interval[0], f"{name}_high": share.interval[1]})
    return row


def _words(counts: Confusion) -> dict[str, str]:
    row = {
        "TP": str(counts.true_positive),
        "FN": str(counts.false_negative),
        "FP": str(counts.false_positive),
        "TN": str(counts.true_negative),
        "not assessed (cropped / clear)": f"{counts.unsure_cropped} / {counts.unsure_clear}",
    }
    row.update({f"{rate}, strict": _share(getattr(counts, rate)) for rate in _RATES})
    row.update({f"{rate}, answered": number(getattr(counts, f"answered_{rate}").value, 3) for rate in _RATES[1:]})
    return row


def _share(share: Share) -> str:
    return with_interval(share.value, share.interval, 3)


def _cases(study: CropStudy) -> Iterator[dict]:
    for name, answers in study.sets.items():
        for found in answers:
            ours = found.ours[study.chosen[OURS]]
            yield {
                "set": name,
                "image": found.item.name,
                "person": found.item.person,
                **found.item.groups,
                "truth": (CropState.CROPPED if found.item.cropped else CropState.CLEAR).value,
                "true_fraction": found.item.fraction,
                "factor": study.chosen[OURS],
                "found": ours.state.value,
                "right": "yes" if found.is_right(OURS, study.chosen[OURS]) else "no",
                "found_causes": " ".join(ours.causes),
                "found_segments": " ".join(ours.segments),
                "found_fraction": ours.fraction,
                "reason": ours.reason,
                "authors_factor": study.chosen[AUTHORS],
                "authors_rule": found.state(AUTHORS, study.chosen[AUTHORS]).value,
            }


def _sweep(study: CropStudy) -> Figure:
    figure = Figure(figsize=(9.5, 6.2), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True, sharey=True)
    for row, (name, answers) in zip(axes, study.sets.items()):
        for ax, rate in zip(row, ("sensitivity", "specificity")):
            for rule, offset in zip(RULES, (-0.008, 0.008)):
                shares = [getattr(confusion(answers, rule, factor), rate) for factor in study.factors]
                _curve(ax, np.array(study.factors) + offset, shares, rule)
                ax.axvline(study.chosen[rule] + offset, color=_COLOURS[rule], linewidth=0.9, linestyle=":")
            ax.set_title(f"{rate}, {name} set ({len(answers)} images)", fontsize=10)
            ax.grid(axis="y", color="#e3e7ec")
            ax.tick_params(labelsize=8)
    axes[0, 0].set_ylim(-0.02, 1.02)
    axes[0, 0].set_xticks(study.factors)
    figure.supxlabel("factor: reach in mean guide lengths (dotted: chosen on the tuning set)", fontsize=9)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize=9)
    return figure


def _curve(ax: Axes, factors: np.ndarray, shares: Sequence[Share], rule: str) -> None:
    values = np.array([share.value for share in shares])
    low, high = np.array([share.interval for share in shares]).T
    spread = np.clip([values - low, high - values], 0, None)
    style = {"color": _COLOURS[rule], "marker": "o", "markersize": 4, "capsize": 2, "linewidth": 1.4}
    ax.errorbar(factors, values, yerr=spread, elinewidth=0.9, label=rule, **style)
