"""How well a model finds the landmarks of phantoms it has never seen.

    python benchmarks/landmarks_phantoms.py --count 200 --difficulty default --model vertenet-lite

Seeds come from the reserved test range. Prints levels right with a Wilson 95 % interval, errors in the paper's form
(per coordinate, 1024 x 512 frame), each for both decoders on the same maps, and the same by scanner profile.
"""

from __future__ import annotations

import argparse

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import binomtest

from vertenet.evaluation import score_landmarks
from vertenet.inference import DECODERS, Predictor
from vertenet.learning import TEST_SEEDS, phantom_scanner
from vertenet.phantom import generate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--difficulty", default="default")
    parser.add_argument("--model", default="vertenet-lite")
    parser.add_argument("--threads", type=int, default=None)
    arguments = parser.parse_args()
    seeds = TEST_SEEDS[: arguments.count]
    predictors = {name: Predictor(arguments.model, decoder=name, threads=arguments.threads) for name in DECODERS}
    scores = {name: [] for name in DECODERS}
    scanners, certain, facing = [], [], []
    for seed in track(seeds, description="Reading phantoms"):
        radiograph, truth = generate(seed, scanner=phantom_scanner(seed), difficulty=arguments.difficulty)
        scanners.append(truth.scanner)
        for name, predictor in predictors.items():
            reading = predictor(radiograph)
            scores[name].append(score_landmarks(reading.spine, truth.spine, radiograph.pixels.shape))
            if name == "levels":
                certain.append(reading.levels.certain)
        detected = predictors["levels"](radiograph, anterior="auto").spine.anterior
        facing.append(detected == truth.anterior)

    console = Console(width=130)
    table = Table("images", "decoder", "n", "levels right", "95 %", "shifted", "median px", "mean px", "P95 px")
    groups = {"all": np.ones(len(seeds), bool)}
    groups |= {scanner: np.array(scanners) == scanner for scanner in sorted(set(scanners))}
    sure = np.array(certain)
    groups |= {"levels certain": sure, "levels uncertain": ~sure}
    for group, members in groups.items():
        for name in DECODERS:
            chosen = [score for score, member in zip(scores[name], members) if member]
            if not chosen:
                continue
            right = sum(score.levels_right for score in chosen)
            low, high = binomtest(right, len(chosen)).proportion_ci(method="wilson")
            errors = np.concatenate([score.errors for score in chosen]).ravel()
            table.add_row(
                group,
                name,
                str(len(chosen)),
                f"{right / len(chosen):.1%}",
                f"{low:.1%} to {high:.1%}",
                str(sum(score.shifted for score in chosen)),
                *(f"{value:.2f}" for value in (np.median(errors), errors.mean(), np.percentile(errors, 95))),
            )
    console.print(table)
    identity = predictors["levels"].identity
    console.print(f"Model {identity.name} {identity.sha256[:12]}: {identity.training_data}.")
    console.print(f"Difficulty {arguments.difficulty}, seeds {seeds[0]} to {seeds[-1]}.")
    console.print(f"Anterior side detected right in {np.mean(facing):.1%} of {len(facing)} images.")


if __name__ == "__main__":
    main()
