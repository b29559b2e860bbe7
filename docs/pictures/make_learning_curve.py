"""Draw the learning curve of one or more training runs that followed each other: docs/images/learning-curve.png.

python docs/pictures/make_learning_curve.py first/log.csv second/log.csv --batch 4 8 --out learning-curve.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("logs", type=Path, nargs="+", help="log.csv files, in the order of the runs")
    parser.add_argument("--batch", type=int, nargs="+", default=[4], help="images a step: of all, or one number a log")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    figure, (levels, errors) = plt.subplots(1, 2, figsize=(9, 3.4), constrained_layout=True)
    seen = 0
    batches = arguments.batch * len(arguments.logs) if len(arguments.batch) == 1 else arguments.batch
    for number, (path, batch) in enumerate(zip(arguments.logs, batches, strict=True), start=1):
        log = pd.read_csv(path)
        validated = log.dropna(subset=["levels_right"])
        images = (seen + validated["step"] * batch) / 1000
        levels.plot(images, 100 * validated["levels_right"], "o-", label=f"sitting {number}")
        errors.plot(images, validated["median_px"], "o-", color=f"C{number - 1}", label=f"median, sitting {number}")
        errors.plot(images, validated["mean_px"], "s--", color=f"C{number - 1}", label=f"mean, sitting {number}")
        seen += int(log["step"].max()) * batch
    levels.set(xlabel="training images, thousands", ylabel="all levels right, %", ylim=(60, 101))
    errors.set(xlabel="training images, thousands", ylabel="error per coordinate, px", yscale="log")
    for axes in (levels, errors):
        axes.legend(fontsize=8)
        axes.grid(alpha=0.3)
    figure.suptitle("synthetic validation images, coarse stage (research use only)", fontsize=10)
    figure.savefig(arguments.out, dpi=110)


if __name__ == "__main__":
    main()
