"""``make active-learning``: hybrid against random on a scanner that the starter weights never saw; table and plot.

    python apps/vertenet/active_learning.py --model left-out.safetensors --scanner ge-idxa-de --out runs/active-learning

Series that are done are not repeated. docs/annotate.md says how weights that never saw a scanner are made.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from vertenet.errors import VerteNetError
from vertenet.reading import RESEARCH_USE
from vertenet.server.simulation.experiment import Plan, run_all, write_rows
from vertenet.server.simulation.findings import draw, saving


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="weights that never saw the scanner")
    parser.add_argument("--scanner", default="ge-idxa-de", help="phantom profile of pool and tests")
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--strategies", default="hybrid,random")
    parser.add_argument("--seeds", type=int, default=5)
    for name, default in (("pool", 60), ("batch", 5), ("rounds", 4), ("tests", 40), ("epochs", 6)):
        parser.add_argument(f"--{name}", type=int, default=default)
    arguments = parser.parse_args()
    console = Console()
    sizes = {name: getattr(arguments, name) for name in ("pool", "batch", "rounds", "tests", "epochs")}
    plan = Plan(arguments.model.resolve(), arguments.scanner, **sizes)
    strategies = arguments.strategies.split(",")
    out = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    try:
        rows = run_all(plan, strategies, range(arguments.seeds), out, console.print)
    except VerteNetError as error:
        console.print(error.sentence, markup=False)
        return 2
    write_rows(rows, out / "results.csv")
    draw(rows, out / "active-learning.png", f"{plan.scanner}: new to the starter weights")
    table = Table(title="Corrected images for what random reaches in the end")
    for column in ("strategy", "figure", "random's end", "images, by seed", "median saved"):
        table.add_column(column)
    for strategy in (name for name in strategies if name != "random" and "random" in strategies):
        for figure in ("missed", "mean_px"):
            found = saving(rows, strategy, figure)
            needed = ", ".join("never" if number is None else f"{number:.1f}" for number in found.needed)
            saved = "not reached" if found.median_saving is None else f"{100 * found.median_saving:.0f} %"
            table.add_row(strategy, figure, f"{found.target:.3g}", f"{needed} of {found.budget}", saved)
    console.print(table)
    console.print(f"Synthetic images. {RESEARCH_USE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
