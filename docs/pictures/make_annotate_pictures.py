"""Make the pictures of docs/annotate.md from a real session: a server, a scanner new to its weights, one training.

python docs/pictures/make_annotate_pictures.py --model left-out.safetensors --out docs/images
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

import numpy as np

from vertenet.assess import assess
from vertenet.evaluation import score_landmarks
from vertenet.imaging import read
from vertenet.learning import TEST_SEEDS
from vertenet.report import draw_overlay
from vertenet.server.background import BackgroundServer
from vertenet.server.simulation.annotator import SimulatedAnnotator
from vertenet.server.simulation.experiment import NEAR_PX, POOL_SEED, Plan, command, scans

REPOSITORY = Path(__file__).resolve().parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="weights that never saw the scanner")
    parser.add_argument("--scanner", default="ge-idxa-de")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "images")
    arguments = parser.parse_args()
    plan = Plan(arguments.model.resolve(), arguments.scanner, pool=40, batch=20, rounds=1)
    with tempfile.TemporaryDirectory() as folder:
        pool = scans(plan.pool, POOL_SEED, plan, Path(folder))
        # Images that nobody corrects, so that what is shown is learnt and not remembered.
        others = scans(plan.tests, TEST_SEEDS.start, plan, Path(folder, "others"))
        studies = Path(folder, "studies")
        studies.mkdir()
        for scan in pool.values():
            shutil.copy(scan.path, studies)
        with BackgroundServer(command(plan, studies)) as server:
            annotator = SimulatedAnnotator(server.url, pool)
            before = {name: annotator.read(scan) for name, scan in others.items()}
            annotator.score_pool()
            for _ in range(plan.batch):
                annotator.annotate_next("hybrid")
            trained = annotator.train(minutes=120, epochs=plan.epochs)
            print(trained.reason)
            after = {name: annotator.read(scan) for name, scan in others.items()}
            gain = {name: _found(after[name], others[name]) - _found(before[name], others[name]) for name in others}
            shown = max(gain, key=gain.get)
            print(f"{shown}: {gain[shown]} more landmarks found; in {sum(g > 0 for g in gain.values())} of {len(gain)}")
        scan = others[shown]
        radiograph = read(scan.path)
        true = assess(radiograph, scan.truth)
        for name, reading in (("before", before[shown]), ("corrected", true), ("after", after[shown])):
            draw_overlay(radiograph, reading, arguments.out / f"annotate-{name}.png")


def _found(reading, scan) -> int:
    """Landmarks within `NEAR_PX` of the truth; one that is missing, or of another level, is not."""
    score = score_landmarks(reading.spine, scan.truth, (reading.image.rows, reading.image.columns))
    return int((np.hypot(*score.errors.T) <= NEAR_PX).sum())


if __name__ == "__main__":
    main()
