"""Plots of a comparison; each is a matplotlib figure, or None where there is nothing to draw."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .. import RESEARCH_USE
from ..evaluation.landmark_table import COVERAGES
from ..evaluation.statistics import RESAMPLES, wilson
from ..evaluation.summary import BY_NAME, GROUPS, corners_only, grouped, risk_coverage
from ..files import write_bytes
from .comparison import Comparison

DPI = 110
#: Errors beyond this, in pixels of the 1024 x 512 frame, lie outside the cumulative plot.
GREATEST_PX = 25.0


def make_plots(comparison: Comparison, *, resamples: int = RESAMPLES) -> dict[str, Figure]:
    """Every plot that there are figures for, by name."""
    makers: dict[str, Callable[[Comparison], Figure | None]] = {
        "cumulative-error": _cumulative,
        **{f"error-by-{by}": lambda c, by=by: _by_group(c, by, resamples) for by in GROUPS},
        "cost": lambda c: _cost(c, resamples),
        "risk-coverage": _risk,
        "radius-coverage": _calibration,
        "learning-curves": _learning,
    }
    figures = {name: make(comparison) for name, make in makers.items()}
    return {name: figure for name, figure in figures.items() if figure is not None}


def write_plots(figures: dict[str, Figure], folder: Path) -> dict[str, bytes]:
    """Write every figure as ``<name>.png`` and ``<name>.svg``; returns the PNG files' bytes by name."""
    pictures = {}
    for name, figure in figures.items():
        for suffix in ("png", "svg"):
            held = io.BytesIO()
            figure.savefig(held, format=suffix, dpi=DPI)
            write_bytes(folder / f"{name}.{suffix}", held.getvalue())
            if suffix == "png":
                pictures[name] = held.getvalue()
                # The layout is settled; finding it again for the other format would take as long as drawing.
                figure.set_layout_engine("none")
    return pictures


def _cumulative(comparison: Comparison) -> Figure:
    figure, (axes,) = _canvas(1)
    for method, style in _styles(comparison).items():
        part = corners_only(comparison.of(method))
        wanted = int(part["required"].sum())
        errors = np.sort(part["error_px"].dropna().to_numpy())
        # Counted over all true points, so a curve ends where the points that were found end: at 0 where none was.
        share = np.arange(len(errors) + 1) / max(wanted, 1)
        axes.step(np.r_[0, errors, 1e9], 100 * np.r_[share, share[-1]], where="post", label=method, **style)
    axes.set(
        xlim=(0, GREATEST_PX), ylim=(0, 100), xlabel="distance to the true point, px of the 1024 x 512 frame",
        ylabel="true points found within it, %", title="Cumulative error",
    )  # fmt: skip
    return _finished(figure, axes)


def _by_group(comparison: Comparison, by: str, resamples: int) -> Figure | None:
    styles = _styles(comparison)
    tables = {m: grouped(comparison.of(m), by, ["median_px"], resamples=resamples).set_index(by) for m in styles}
    groups = list(dict.fromkeys(key for table in tables.values() for key in table.index))
    if groups == ["unknown"] or all(table["median_px"].isna().all() for table in tables.values()):
        return None
    figure, (axes,) = _canvas(1, width=5 + 0.16 * len(groups) * len(tables))
    for i, (method, table) in enumerate(tables.items()):
        middle, low, high = table.reindex(groups)[["median_px", "median_px_low", "median_px_high"]].to_numpy(float).T
        x = np.arange(len(groups)) + 0.8 * ((i + 0.5) / len(tables) - 0.5)
        marks = {"fmt": _MARKERS[i % len(_MARKERS)], "color": styles[method]["color"], "ms": 5, "elinewidth": 1}
        # A group of one person has a figure and no interval.
        axes.errorbar(x, middle, np.nan_to_num([middle - low, high - middle]), label=method, **marks)
    for edge in np.arange(len(groups) - 1) + 0.5:
        axes.axvline(edge, color="#dddddd", lw=0.8)
    axes.set_xticks(range(len(groups)), groups)
    axes.set(
        xlabel=GROUPS[by], ylabel="median error per coordinate, px", ylim=(0, None), title=f"Error by {GROUPS[by]}"
    )
    return _finished(figure, axes)


def _cost(comparison: Comparison, resamples: int) -> Figure | None:
    """The paper's Figure 5: what a method costs against how far off it is."""
    wanted = {
        "parameters_m": "parameters, million",
        "gmac": "multiply-adds, 10^9",
        "seconds": "time an image, s",
        "memory_mb": "memory of a prediction, MB",
    }
    costs = comparison.costs
    have = [name for name in wanted if not costs.empty and name in costs and costs[name].notna().any()]
    if not have:
        return None
    figure, panels = _canvas(len(have))
    styles = _styles(comparison)
    rows = list(costs[costs["method"].isin(styles)].itertuples())
    estimates = [
        BY_NAME["median_px"].estimate(corners_only(comparison.of(row.method)), resamples=resamples) for row in rows
    ]
    for axes, name in zip(panels, have):
        for row, estimate in zip(rows, estimates):
            if not np.isfinite(estimate.value):
                continue
            colour, marker = styles[row.method]["color"], _MARKERS[list(styles).index(row.method) % len(_MARKERS)]
            x, ends = getattr(row, name), [[estimate.value - estimate.low], [estimate.high - estimate.value]]
            axes.errorbar(x, estimate.value, np.nan_to_num(ends), color=colour, elinewidth=0.8)
            axes.plot(x, estimate.value, marker, ms=9, mec="black", mew=0.6, color=colour, label=row.method)
        axes.set(xlabel=wanted[name], xlim=(0, 1.12 * np.nanmax(costs[name])), ylim=(0, None))
    panels[0].set_ylabel("median error per coordinate, px")
    figure.suptitle("Cost against error")
    return _finished(figure, panels[-1])


def _risk(comparison: Comparison) -> Figure | None:
    curves = {method: risk_coverage(comparison.of(method)) for method in _styles(comparison)}
    curves = {method: curve for method, curve in curves.items() if not curve.empty}
    if not curves:
        return None
    figure, panels = _canvas(2)
    for method, curve in curves.items():
        style = _styles(comparison)[method]
        panels[0].plot(100 * curve["answered"], 100 * curve["level_errors"], label=method, **style)
        panels[1].plot(100 * curve["answered"], curve["mean_px"], label=method, **style)
    panels[0].set(ylabel="images with a level wrong, % of those answered", ylim=(0, None))
    panels[1].set(ylabel="mean error per coordinate, px", ylim=(0, None))
    for axes in panels:
        axes.set(xlabel="images answered, surest levels first, %", xlim=(0, 100))
    figure.suptitle("Risk against coverage")
    return _finished(figure, panels[-1])


def _calibration(comparison: Comparison) -> Figure | None:
    figure, (axes,) = _canvas(1)
    drawn = False
    for method, style in _styles(comparison).items():
        part = corners_only(comparison.of(method))
        points = []
        for coverage in COVERAGES:
            values, _ = BY_NAME[f"coverage_{coverage}"].values(part)
            if len(values):
                points.append((coverage, values.mean(), *wilson(int(values.sum()), len(values))))
        if points:
            drawn = True
            nominal, share, low, high = 100 * np.array(points).T / [[100], [1], [1], [1]]
            axes.errorbar(nominal, share, [share - low, high - share], marker="o", capsize=3, label=method, **style)
    if not drawn:
        return None
    axes.plot([75, 100], [75, 100], ls="--", lw=1, color="#888888")
    axes.set(
        xlabel="coverage that the radius promises, %", ylabel="true points inside it, %", xlim=(75, 100),
        title="Error radii",
    )  # fmt: skip
    return _finished(figure, axes)


def _learning(comparison: Comparison) -> Figure | None:
    curves = comparison.curves
    shown = [name for name in ("median_px", "levels_right") if name in curves and curves[name].notna().any()]
    if not shown:
        return None
    words = {"median_px": "median error per coordinate, px", "levels_right": "share of images with all levels right"}
    figure, panels = _canvas(len(shown))
    for axes, name in zip(panels, shown):
        for method, style in _styles(comparison).items():
            rows = curves[(curves["method"] == method) & curves[name].notna()]
            line = rows.groupby("images_seen")[name].mean()
            axes.plot(line.index, line, marker="o", ms=3, label=method, **style)
        axes.set(xlabel="images seen in training", ylabel=words[name], xlim=(0, None), ylim=(0, None))
    figure.suptitle("Validation while training")
    return _finished(figure, panels[-1])


_MARKERS = "osD^vP*X<>hd"


def _styles(comparison: Comparison) -> dict[str, dict]:
    """Colour and line of each method that is shown; the reference is black and thick."""
    palette = colormaps["tab10"].colors
    others = [method for method in comparison.primary if method != comparison.reference]
    styles = {comparison.reference: {"color": "black", "lw": 2.4, "ls": "-"}}
    for i, method in enumerate(others):
        styles[method] = {"color": palette[i % 10], "lw": 1.5, "ls": ("-", "--", ":")[i // 10 % 3]}
    return {method: styles[method] for method in comparison.primary}


def _canvas(panels: int, width: float | None = None) -> tuple[Figure, Sequence[Axes]]:
    """A figure of ``panels`` side by side, ``width`` inches of drawing, and a column for the legend."""
    width = width or (7.2 if panels == 1 else 4.4 * panels)
    figure = Figure(figsize=(width + 2.6, 4.9), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, panels, squeeze=False)[0]


def _finished(figure: Figure, axes: Axes) -> Figure:
    handles: dict = {}
    for panel in figure.axes:
        panel.grid(alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
        for handle, label in zip(*panel.get_legend_handles_labels()):
            handles.setdefault(label, handle)
    axes.legend(
        handles.values(), handles.keys(), loc="upper left", bbox_to_anchor=(1.02, 1), frameon=False, fontsize=8.5
    )
    figure.supxlabel(RESEARCH_USE, fontsize=7, color="#666666", x=0.01, ha="left")
    return figure
