"""What the series say: curves, and how many corrected images a strategy needs for what chance reaches in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from vertenet.reading import RESEARCH_USE

from .experiment import Row

#: Figures of a `Row` that are drawn, lower is better, with their axis labels.
FIGURES = {"missed": "landmarks missed or off by more than 4 px, %", "mean_px": "mean error of those found, px"}


@dataclass(frozen=True)
class Saving:
    """How a strategy compares with chance.

    Attributes
    ----------
    figure : str
        Name in `FIGURES`.
    target : float
        Median over seeds of what ``random`` ends with.
    needed : tuple of float or None
        For each seed, corrected images after which the strategy is at the target and stays there; None: never.
    budget : int
        Images that ``random`` had.
    """

    figure: str
    target: float
    needed: tuple[float | None, ...]
    budget: int

    @property
    def median_saving(self) -> float | None:
        """Median share of the images saved; None where fewer than half of the seeds reach the target."""
        known = sorted(self.budget if number is None else number for number in self.needed)
        reached = sum(number is not None for number in self.needed)
        return 1 - float(np.median(known)) / self.budget if 2 * reached > len(self.needed) else None


def saving(rows: Sequence[Row], strategy: str, figure: str = "missed") -> Saving:
    """Compare a strategy with ``random`` over the seeds that both have finished.

    Raises
    ------
    ValueError
        There is no such seed.
    """
    seeds = sorted(_seeds(rows, strategy) & _seeds(rows, "random"))
    if not seeds:
        raise ValueError(f"no seed has both {strategy} and random")
    ends = [_curve(rows, "random", seed, figure)[1][-1] for seed in seeds]
    target = float(np.median(ends))
    needed = tuple(images_needed(*_curve(rows, strategy, seed, figure), target) for seed in seeds)
    return Saving(figure, target, needed, int(max(row.labels for row in rows if row.strategy == "random")))


def images_needed(labels: np.ndarray, errors: np.ndarray, target: float) -> float | None:
    """Images after which the error is at or below the target and stays there, interpolated; None: never.

    Parameters
    ----------
    labels, errors : (n,) arrays, labels ascending
    """
    above = np.nonzero(errors > target)[0]
    if not len(above):
        return float(labels[0])
    last = int(above[-1])
    if last == len(errors) - 1:
        return None
    share = (errors[last] - target) / (errors[last] - errors[last + 1])
    return float(labels[last] + share * (labels[last + 1] - labels[last]))


def draw(rows: Sequence[Row], path: Path, title: str) -> None:
    """Each seed as a thin line, the median over seeds as a thick one."""
    figure, axes = plt.subplots(1, len(FIGURES), figsize=(10, 4), constrained_layout=True)
    strategies = sorted({row.strategy for row in rows})
    for axis, (name, label) in zip(axes, FIGURES.items()):
        scale = 100 if name == "missed" else 1
        for colour, strategy in zip(("#1f77b4", "#d95f02", "#1b9e77", "#7570b3"), strategies):
            curves = [_curve(rows, strategy, seed, name) for seed in sorted(_seeds(rows, strategy))]
            for labels, errors in curves:
                axis.plot(labels, scale * errors, color=colour, linewidth=0.7, alpha=0.45)
            shortest = min(len(labels) for labels, _ in curves)
            middle = np.median([errors[:shortest] for _, errors in curves], axis=0)
            axis.plot(
                curves[0][0][:shortest], scale * middle, "o-", color=colour, linewidth=2.2,
                label=f"{strategy} (median of {len(curves)})",
            )  # fmt: skip
        axis.set(xlabel="corrected images", ylabel=label)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=9)
    figure.suptitle(title, fontsize=11)
    figure.text(0.01, -0.03, f"Synthetic images. {RESEARCH_USE}", fontsize=7, color="gray")
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)


def _seeds(rows: Sequence[Row], strategy: str) -> set[int]:
    return {row.seed for row in rows if row.strategy == strategy}


def _curve(rows: Sequence[Row], strategy: str, seed: int, figure: str) -> tuple[np.ndarray, np.ndarray]:
    mine = sorted((row for row in rows if (row.strategy, row.seed) == (strategy, seed)), key=lambda row: row.labels)
    return np.array([row.labels for row in mine]), np.array([getattr(row, figure) for row in mine])
