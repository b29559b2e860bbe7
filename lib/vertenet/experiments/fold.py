"""One method on one fold: train, read the test images, write down what it cost. Runs as a process of its own.

    python -m vertenet.experiments.fold EXPERIMENT METHOD FOLD

So a method that runs out of memory takes nobody with it, its peak memory is its own, and several can run side by side.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

# Before torch is loaded: see vertenet.cli.main.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from ..errors import VerteNetError
from ..files import write_text
from ..learning.trainer import train
from ..networks import LandmarkNetwork, build, load_weights
from .data import Cohort
from .folds import Split
from .plan import Plan, predictions_file, read_plan
from .predict import Variant, predict_cases
from .samples import samples_of


def run_fold(folder: Path, method: str, fold: int, *, report: Callable[[dict], None] = lambda row: None) -> None:
    """Bring one method's fold to its end, from wherever it stands; see `vertenet.experiments.plan` for the files."""
    plan = read_plan(folder)
    place, record = folder / method, folder / method / f"fold-{fold}.json"
    cohort = Cohort(plan.source)
    parts = plan.split(cohort, fold)
    weights = place / f"fold-{fold}" / "weights.safetensors"
    if not (weights.exists() and record.exists()):
        weights = _train(plan, cohort, parts, folder, method, fold, report)
        _, card = load_weights(weights)
        spent = card.recipe["cost"]
        row = {
            "seconds": spent["seconds"],
            "device": spent["device"],
            "peak_memory_mb": _peak_memory_mb(),
            "images_seen": spent["images_seen"],
            "steps": card.metrics["steps"],
            "training_images": len(parts.training),
            "test_images": len(parts.test),
            "weights_sha256": card.sha256,
            "training_data": card.training_data,
            "synthetic_only": card.synthetic_only,
        }
        write_text(record, json.dumps(row, indent=1) + "\n")
    network, _ = load_weights(weights)
    path = predictions_file(folder, method, fold)
    growing = path.with_suffix(".part.csv")
    variants = variants_of(network, plan.decoders)
    predict_cases(weights, plan.source, parts.test, variants, growing, threads=plan.recipe.threads)
    os.replace(growing, path)


def variants_of(network, decoders) -> list[Variant]:
    """A variant a decoder; a network that names its points itself has nothing to decode."""
    if isinstance(network, LandmarkNetwork):
        return [Variant("points")]
    return [Variant.of(decoder) for decoder in decoders]


def _train(
    plan: Plan, cohort: Cohort, parts: Split, folder: Path, method: str, fold: int, report: Callable[[dict], None]
) -> Path:
    recipe = plan.recipe_of(method, fold)
    samples = samples_of(cohort, build(method, **recipe.options).input_size, folder / "samples")
    return train(
        recipe,
        samples[parts.training],
        samples[parts.validation],
        folder / method / f"fold-{fold}",
        training_data=f"{len(parts.training)} of {cohort.describe()}, without fold {fold} that it is tested on",
        synthetic_only=cohort.synthetic,
        name=f"{method}-fold-{fold}",
        resume=True,
        report=report,
    )


def _peak_memory_mb() -> float | None:
    """Highest memory of this process, 10^6 bytes; None where the system does not say."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def main() -> None:
    folder, method, fold = sys.argv[1:]
    try:
        run_fold(Path(folder), method, int(fold), report=lambda row: print(json.dumps(row), flush=True))
    except VerteNetError as error:
        print(error.sentence, file=sys.stderr)
        sys.exit(2)
    except Exception as error:
        # The last line of the log is what the report gives as the reason; the traceback stays above it.
        traceback.print_exc()
        print(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
