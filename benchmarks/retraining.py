"""A round of retraining measured: labelled images of a scanner that the starter never saw, and the test split after it.

    python benchmarks/retraining.py --starter WEIGHTS --scanner ge-idxa-de --out FOLDER [--labels shuffled]

``WEIGHTS`` were trained without that scanner, and the round replays no phantom of it. Labelled images are default
phantoms from seed 860000 on; the test images are default phantoms of that scanner from the reserved test seeds. Figures
are in pixels of the 1024 x 512 normalised frame, as a reading is served.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from vertenet import phantom
from vertenet.annotation import markups
from vertenet.evaluation import score_landmarks
from vertenet.inference import Predictor
from vertenet.learning import TEST_SEEDS
from vertenet.learning.validation import NEAR_PX
from vertenet.server.store import RadiographStore
from vertenet.server.training.options import DEFAULTS, TrainOptions
from vertenet.server.training.replay import Replay
from vertenet.server.training.round import Round
from vertenet.server.training.versions import ModelVersions
from vertenet.spine import CORNERS, STANDARD_LEVELS

FIRST_LABELLED = 860_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starter", type=Path, required=True)
    parser.add_argument("--scanner", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--images", type=int, default=20, help="labelled images")
    parser.add_argument("--labels", choices=["right", "shuffled"], default="right")
    parser.add_argument("--test-images", type=int, default=100)
    for name in ("minutes", "epochs", "learning_rate", "freeze"):
        parser.add_argument(f"--{name.replace('_', '-')}", default=DEFAULTS[name])
    given = parser.parse_args()
    store = labelled(given.out / "studies", given.images, given.scanner, shuffled=given.labels == "shuffled")
    versions = ModelVersions(given.out / "models", given.starter)
    request = {name: getattr(given, name) for name in ("minutes", "epochs", "learning_rate", "freeze")}
    options = TrainOptions.from_request({**request, "device": "cpu"})
    began = time.process_time()
    outcome = Round(versions, options, Replay(without=(given.scanner,))).run(store)
    print(f"Round: {outcome.seconds:.0f} s, {time.process_time() - began:.0f} s of processor. {outcome.reason}")
    for name in dict.fromkeys(["v0000", outcome.version]):
        predictor = Predictor(versions.version(name).weights)
        print(json.dumps({"version": name, **figures(predictor, given.scanner, given.test_images)}))


def labelled(folder: Path, count: int, scanner: str, *, shuffled: bool) -> RadiographStore:
    """A store of phantoms with their truth as final labels; ``shuffled``: each with the label of another, to scale."""
    folder.mkdir(parents=True, exist_ok=True)
    truths = {}
    for seed in range(FIRST_LABELLED, FIRST_LABELLED + count):
        made = phantom.generate(seed, scanner=scanner)
        phantom.write(made, folder, name=f"scan{seed}").with_name(f"scan{seed}.truth.json").unlink()
        truths[f"scan{seed}"] = made.truth
    store = RadiographStore(str(folder))
    names = list(truths)
    for place, (name, truth) in enumerate(truths.items()):
        other = truths[names[(place + count // 3) % count]] if shuffled else truth
        factors = np.array([truth.columns / other.columns, truth.rows / other.rows])
        spine = other.spine.map_points(lambda xy, factors=factors: xy * factors)
        spine = spine if other.anterior == truth.anterior else spine.mirrored(truth.columns)
        size = (truth.rows, truth.columns)
        store.submit(name, markups.dumps(spine.bounded(*size), size=size, midpoints=False).encode())
    return store


def figures(predictor: Predictor, scanner: str, count: int) -> dict:
    """How a model reads the first test images of a scanner; ``coverage`` is that of the 90 % radii that it gives."""
    errors, right, near, landmarks, refused, inside = [], 0, 0, 0, 0, []
    for seed in TEST_SEEDS[:count]:
        radiograph, truth = phantom.generate(seed, scanner=scanner)
        reading = predictor(radiograph)
        score = score_landmarks(reading.spine, truth.spine, radiograph.pixels.shape)
        errors.append(score.errors)
        right += score.levels_right
        near += int((np.hypot(*score.errors.T) <= NEAR_PX).sum())
        refused += reading.quality is not None and not reading.quality.typical
        for level in STANDARD_LEVELS:
            for name in CORNERS:
                true = truth.spine[level][name]
                landmarks += true.is_present
                ours = reading.spine[level][name]
                if true.is_present and ours.is_present and ours.radius is not None:
                    inside.append(np.linalg.norm(ours.xy - true.xy) <= ours.radius)
    pooled = np.concatenate(errors)
    return {
        "images": count,
        "within_4px": round(near / landmarks, 4),
        "levels_right": right,
        "median_px": round(float(np.median(pooled)), 3),
        "mean_px": round(float(pooled.mean()), 3),
        "refused": refused,
        "coverage": round(float(np.mean(inside)), 3) if inside else None,
    }


if __name__ == "__main__":
    main()
