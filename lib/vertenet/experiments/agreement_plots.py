"""Pictures of a reader study: every pair of scores, Bland and Altman's plot, and a forest of kappas and ICCs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..evaluation.agreement import AgreementStudy
from ..evaluation.agreement.study import Group
from .study_page import Picture

COLOURS = ("#7a8594", "#0b57d0", "#b3541e", "#2e7d32", "#6a1b9a")
_FOREST = {"kappa-linear": "kappa, linear", "kappa-quadratic": "kappa, quadratic", "ICC2": "ICC(2,1)"}
_LARGEST_BUBBLE = 420.0


def agreement_pictures(study: AgreementStudy) -> list[Picture]:
    """The forest, and for every pair of readers the scores and the Bland-Altman plot."""
    pictures = [
        Picture(
            "kappa",
            f"Agreement by region and condition with {study.level:.0%} intervals (kappa: BCa, the clipped normal one "
            "where there is none; ICC: F).",
            _forest(study),
        )
    ]
    pairs = dict.fromkeys(group.readers for group in study.groups if len(group.readers) == 2)
    for pair in pairs:
        groups = [group for group in study.groups if group.readers == pair]
        name = "" if len(pairs) == 1 else "-" + "-".join(_safe(reader) for reader in pair)
        first, second = pair
        pictures += [
            Picture(
                f"scores{name}",
                f"Scores of {first} and {second}: the area of a bubble is its number of images; the line is agreement.",
                _grid(study, groups, _scores),
            ),
            Picture(
                f"bland-altman{name}",
                f"{first} less {second} against their mean: bias (line) and limits of 95 % of differences (dashed), "
                "with the intervals of all three.",
                _grid(study, groups, _bland_altman),
            ),
        ]
    return pictures


def _grid(study: AgreementStudy, groups: list[Group], draw: Callable[[Axes, Group, int, str], None]) -> Figure:
    """A row a condition, a column a region."""
    regions = [region for region in study.readings.regions if any(group.region == region for group in groups)]
    conditions = [c for c in study.readings.conditions if any(group.condition == c for group in groups)]
    figure = Figure(figsize=(2.6 * len(regions) + 0.4, 2.6 * len(conditions) + 0.3), layout="constrained")
    # The same scale under every condition: what guides change shall be seen.
    axes = figure.subplots(len(conditions), len(regions), squeeze=False, sharex="col", sharey="col")
    for i, condition in enumerate(conditions):
        for j, region in enumerate(regions):
            found = [group for group in groups if (group.condition, group.region) == (condition, region)]
            ax = axes[i, j]
            colour = COLOURS[study.readings.conditions.index(condition) % len(COLOURS)]
            if found and found[0].images:
                draw(ax, found[0], study.readings.highest_of(region), colour)
            else:
                ax.text(0.5, 0.5, "no images", ha="center", va="center", transform=ax.transAxes)
            ax.set_title(f"{region}{f' · {condition}' if condition else ''}", fontsize=9)
            ax.tick_params(labelsize=7)
    first, second = groups[0].readers
    labels = (first, second) if draw is _scores else ("mean of both", f"{first} less {second}")
    figure.supxlabel(labels[0], fontsize=9)
    figure.supylabel(labels[1], fontsize=9)
    return figure


def _scores(ax: Axes, group: Group, highest: int, colour: str) -> None:
    ax.plot([0, highest], [0, highest], color="#b0b7c0", linewidth=1, zorder=1)
    _bubbles(ax, *group.matrix.scores, colour)
    margin = 0.08 * highest + 0.3
    ax.set(xlim=(-margin, highest + margin), ylim=(-margin, highest + margin), aspect="equal")
    step = max(1, highest // 6)
    ax.set_xticks(range(0, highest + 1, step))
    ax.set_yticks(range(0, highest + 1, step))


def _bland_altman(ax: Axes, group: Group, highest: int, colour: str) -> None:
    first, second = group.matrix.scores
    ax.axhline(0, color="#b0b7c0", linewidth=1, zorder=1)
    _bubbles(ax, (first + second) / 2, first - second, colour)
    margin = 0.08 * highest + 0.3
    reach = max(2.0, ax.get_ylim()[1], float(np.abs(first - second).max()) + 1)
    for name, style in (("bias", "-"), ("limit-low", "--"), ("limit-high", "--")):
        found = group.statistics[name]
        if not np.isfinite(found.value):
            continue
        low, high = found.intervals["t"]
        ax.axhspan(low, high, color=colour, alpha=0.12, linewidth=0)
        ax.axhline(found.value, color=colour, linewidth=1.2, linestyle=style)
        reach = max(reach, abs(low) + 0.3, abs(high) + 0.3)
    ax.set(xlim=(-margin, highest + margin), ylim=(-reach, reach))


def _bubbles(ax: Axes, x: np.ndarray, y: np.ndarray, colour: str) -> None:
    places, counts = np.unique(np.column_stack([x, y]), axis=0, return_counts=True)
    area = np.clip(_LARGEST_BUBBLE * counts / max(counts.max(), 8), 14, None)
    ax.scatter(*places.T, s=area, color=colour, alpha=0.55, edgecolors="white", linewidths=0.5, zorder=2)


def _forest(study: AgreementStudy) -> Figure:
    regions, conditions = study.readings.regions, study.readings.conditions
    figure = Figure(figsize=(9.5, 0.26 * len(regions) * max(2, len(conditions)) + 1.3), layout="constrained")
    axes = figure.subplots(1, len(_FOREST), sharey=True)
    offsets = np.linspace(-0.18, 0.18, len(conditions)) if len(conditions) > 1 else [0.0]
    for ax, (name, title) in zip(axes, _FOREST.items()):
        lowest = 0.0
        for condition, offset, colour in zip(conditions, offsets, COLOURS * len(conditions)):
            for row, region in enumerate(regions):
                group = study.group(condition, region)
                if group is None or not np.isfinite(group.statistics[name].value):
                    continue
                found = group.statistics[name]
                shown = [found.intervals[m] for m in ("BCa", "F", "clipped") if m in found.intervals]
                low, high = next((interval for interval in shown if np.isfinite(interval).all()), (np.nan, np.nan))
                ax.plot([low, high], [row + offset] * 2, color=colour, linewidth=1.6)
                ax.plot(found.value, row + offset, "o", color=colour, markersize=5)
                lowest = np.nanmin([lowest, low, found.value])
            ax.plot([], [], "o-", color=colour, markersize=5, label=condition or "all readings")
        ax.set(title=title, xlim=(min(lowest - 0.05, -0.02), 1.02))
        ax.grid(axis="x", color="#e3e7ec")
        ax.title.set_fontsize(10)
        ax.tick_params(labelsize=8)
    axes[0].set_yticks(range(len(regions)), regions)
    axes[0].invert_yaxis()
    if len(conditions) > 1:
        figure.legend(
            *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(conditions), fontsize=9
        )
    return figure


def _safe(name: str) -> str:
    return "".join(character if character.isalnum() else "_" for character in name)
