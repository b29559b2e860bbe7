"""Pictures of a calibration: coverage, sharpness, risk of levels, and what is typical."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..files import beside
from ..reading import RESEARCH_USE

INK, MUTED, GOOD, BAD = "#1f2733", "#8a94a3", "#2a7fb8", "#d1495b"
DPI = 130


def draw_coverage(radii: pd.DataFrame, path: Path, title: str) -> None:
    """Nominal against empirical coverage, a line a scanner; the band is 2 points either way.

    ``radii``: columns ``image``, ``scanner``, ``error``, ``radius_80``, ``radius_90``, ``radius_95``.
    """
    figure, axes = _figure(title)
    nominal = sorted(int(name.split("_")[1]) for name in radii if name.startswith("radius_"))
    ends = np.array([nominal[0] - 2, nominal[-1] + 2])
    axes.fill_between(ends, ends - 2, ends + 2, color=GOOD, alpha=0.12, lw=0)
    axes.plot(ends, ends, color=MUTED, lw=1, ls="--", label="as claimed")
    for name, group in [("all scanners", radii), *radii.groupby("scanner")]:
        inside = [_share(group["error"] <= group[f"radius_{c}"], group["image"]) for c in nominal]
        bold = name == "all scanners"
        axes.plot(nominal, inside, "o-", lw=2.4 if bold else 1, ms=6 if bold else 3.5, label=str(name),
                  color=INK if bold else None, zorder=5 if bold else 3)  # fmt: skip
    axes.set(xlabel="claimed coverage, %", ylabel="points inside their disc, %", xlim=ends)
    axes.set_xticks(nominal)
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    _save(figure, path)


def draw_sharpness(radii: pd.DataFrame, path: Path, title: str) -> None:
    """Radii against errors in ten groups of equally many points: a radius that knows its point rises with the error."""
    figure, axes = _figure(title)
    share = radii.assign(error=radii["error"] / radii["depth"], radius=radii["radius_90"] / radii["depth"])
    group = pd.qcut(share["radius"], 10, labels=False, duplicates="drop")
    middle = 100 * share.groupby(group)["radius"].median()
    for quantile, style, name in ((0.5, "o-", "median error"), (0.9, "s-", "90 % of errors are below")):
        axes.plot(middle, 100 * share.groupby(group)["error"].quantile(quantile), style, label=name,
                  color=GOOD if quantile < 0.9 else INK)  # fmt: skip
    axes.plot([0, middle.max()], [0, middle.max()], color=MUTED, ls="--", lw=1, label="error = radius")
    axes.set(xlabel="radius of 90 %, % of vertebral depth", ylabel="error, % of vertebral depth", xlim=0, ylim=0)
    axes.legend(frameon=False, fontsize=8)
    _save(figure, path)


def draw_level_risk(risk: pd.DataFrame, path: Path, title: str) -> None:
    """Wrong namings among those called certain, against the share of images that are called certain.

    ``risk``: columns ``margin``, ``supported``, ``certain``, ``right``, a row an image.
    """
    figure, axes = _figure(title)
    order = risk[risk["supported"]].sort_values("margin", ascending=False)
    number = np.arange(1, len(order) + 1)
    wrong = 100 * np.cumsum(~order["right"].to_numpy(dtype=bool)) / number
    axes.step(100 * number / len(risk), wrong, where="post", color=INK, lw=1.8)
    certain = risk[risk["certain"]]
    share, missed = 100 * len(certain) / len(risk), 100 * (1 - certain["right"].mean()) if len(certain) else 0.0
    axes.plot([share], [missed], "o", color=BAD, ms=8, zorder=5)
    axes.annotate(f"threshold: {share:.0f} % certain, {missed:.1f} % of them wrong", (share, missed), (-8, 12),
                  textcoords="offset points", ha="right", color=BAD, fontsize=9)  # fmt: skip
    axes.set(xlabel="images with certain levels, %", ylabel="of those named wrongly, %", xlim=(0, 101), ylim=0)
    axes.set_ylim(0, max(1.15 * float(wrong.max(initial=0)), 1))
    _save(figure, path)


def draw_typicality(distances: pd.DataFrame, limit: float, path: Path, title: str) -> None:
    """Distances from the calibration images, by kind of picture. ``distances``: columns ``picture``, ``distance``."""
    figure, axes = _figure(title)
    values = distances["distance"].to_numpy(dtype=float)
    bins = np.linspace(0, 1.05 * max(values.max(), limit), 60)
    for (name, group), colour in zip(distances.groupby("picture"), (GOOD, BAD)):
        axes.hist(group["distance"], bins, color=colour, alpha=0.55, label=f"{name} ({len(group)})")
    axes.axvline(limit, color=INK, lw=1.4, ls="--", label=f"limit {limit:.3g}")
    axes.set(xlim=0, xlabel="distance from the calibration images", ylabel="images")
    axes.legend(frameon=False, fontsize=8)
    _save(figure, path)


def _figure(title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.4, 4.6), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=10, color=INK, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e6e9ee", lw=0.8)
    axes.set_axisbelow(True)
    figure.supxlabel(RESEARCH_USE, fontsize=6.5, color=MUTED, x=0.01, ha="left")
    return figure, axes


def _save(figure: Figure, path: Path) -> None:
    with beside(path) as temporary:
        figure.savefig(temporary, format="png")


def _share(inside: pd.Series, images: pd.Series) -> float:
    """Percent, every image weighing the same."""
    return float(100 * inside.groupby(images.to_numpy()).mean().mean())
