"""Active learning against chance: error on a new scanner, by the number of images that a person corrected.

A server with starter weights that never saw a scanner gets a pool of that scanner's images. A simulated annotator
corrects them in batches, in the order that a strategy asks for; after each batch the server retrains, and whatever it
then serves reads a test set. Everything goes through the REST API.
"""

from __future__ import annotations

import csv
import io
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from vertenet import phantom
from vertenet.evaluation import score_landmarks
from vertenet.files import write_text
from vertenet.learning import TEST_SEEDS, TRAINING_SEED
from vertenet.measure.matching import pixel_size
from vertenet.server.background import BackgroundServer
from vertenet.spine import CORNERS, STANDARD_LEVELS

from .annotator import Scan, SimulatedAnnotator

#: Landmarks within this many pixels of the 1024 x 512 frame count as found, about 2 mm.
NEAR_PX = 4.0
#: Pool seeds begin here: training seeds, far from those that starter weights and replay use.
POOL_SEED = TRAINING_SEED + 500_000
#: A training ends by its epochs, not by its time.
_LONG_MIN = 120


@dataclass(frozen=True)
class Plan:
    """The experiment.

    Attributes
    ----------
    model : Path
        Starter weights that never saw ``scanner``, with refiner and calibration beside them.
    scanner : str
        Phantom profile of pool and test set.
    difficulty : str
    pool, batch, rounds, tests : int
        Images to choose from; corrected before each training; trainings; images of the test set.
    epochs : int
        Of each training, see `vertenet.server.training.options.TrainOptions`. Not a time: a busy machine must not
        change what is found.
    replay, judging : int
        Phantoms of the other scanners that a round replays, and that the gate asks.
    """

    model: Path
    scanner: str
    difficulty: str = "default"
    pool: int = 60
    batch: int = 5
    rounds: int = 4
    tests: int = 40
    epochs: int = 6
    replay: int = 96
    judging: int = 48


@dataclass(frozen=True)
class Row:
    """What is served after ``labels`` images were corrected, on the test set.

    ``missed`` is the share of the landmarks that were not found within `NEAR_PX`; errors are per coordinate, in the
    1024 x 512 frame, of the landmarks that were found.
    """

    strategy: str
    seed: int
    labels: int
    version: str
    published: bool
    missed: float
    mean_px: float
    median_px: float
    levels_right: float
    reason: str = ""


def scans(count: int, first_seed: int, plan: Plan, folder: Path) -> dict[str, Scan]:
    """Images of the plan's scanner, drawn the first time; truth is kept apart from them."""
    images, truths = folder / "images", folder / "truth"
    made = {}
    for seed in range(first_seed, first_seed + count):
        name = f"scan-{seed}"
        path, truth = images / f"{name}.png", truths / f"{name}.truth.json"
        if not (path.is_file() and truth.is_file()):
            found = phantom.generate(seed, scanner=plan.scanner, difficulty=plan.difficulty)
            images.mkdir(parents=True, exist_ok=True)
            write_text(truth, found.truth.to_json())
            drawn = phantom.write(found, images, format="png", name=name)
            drawn.with_name(f"{name}.truth.json").unlink(missing_ok=True)
        made[name] = Scan(name, path, phantom.PhantomTruth.from_json(truth.read_text("utf-8")).spine)
    return made


def run(plan: Plan, strategy: str, seed: int, out: Path, tell: Callable[[str], None] = print) -> list[Row]:
    """One series of rounds under a fresh server; the rows of each, also in ``<strategy>-<seed>.csv``."""
    pool = scans(plan.pool, POOL_SEED + 1000 * seed, plan, out / f"pool-{seed}")
    tests = list(scans(plan.tests, TEST_SEEDS.start, plan, out / "tests").values())
    home = out / f"{strategy}-{seed}"
    shutil.rmtree(home, ignore_errors=True)
    studies = home / "studies"
    studies.mkdir(parents=True)
    for scan in pool.values():
        shutil.copy(scan.path, studies)
    rows: list[Row] = []
    with BackgroundServer(command(plan, studies)) as server:
        annotator = SimulatedAnnotator(server.url, pool, seed=seed)
        rows.append(_row(annotator, tests, strategy, seed, 0, "v0000", True, "starter weights"))
        for number in range(1, plan.rounds + 1):
            if strategy != "random":
                annotator.score_pool()
            for _ in range(plan.batch):
                annotator.annotate_next(strategy, seed)
            trained = annotator.train(minutes=_LONG_MIN, epochs=plan.epochs, seed=seed + 1)
            labels = number * plan.batch
            rows.append(
                _row(annotator, tests, strategy, seed, labels, trained.version, trained.published, trained.reason)
            )
            last = rows[-1]
            tell(f"{strategy} {seed}: {labels} labels, {last.version}, {100 * last.missed:.1f} % missed")
    write_rows(rows, out / f"{strategy}-{seed}.csv")
    shutil.rmtree(home)
    return rows


def run_all(
    plan: Plan, strategies: Sequence[str], seeds: Iterable[int], out: Path, tell: Callable[[str], None] = print
) -> list[Row]:
    """Every series that is not yet in ``out``, seed by seed, so that what is there at any time is balanced."""
    rows = []
    for seed in seeds:
        for strategy in strategies:
            done = out / f"{strategy}-{seed}.csv"
            rows += read_rows(done) if done.is_file() else run(plan, strategy, seed, out, tell)
    return rows


def write_rows(rows: Sequence[Row], path: Path) -> None:
    text = io.StringIO()
    table = csv.DictWriter(text, [field.name for field in fields(Row)], lineterminator="\n")
    table.writeheader()
    table.writerows(map(asdict, rows))
    write_text(path, text.getvalue())


def read_rows(path: Path) -> list[Row]:
    with open(path, newline="", encoding="utf-8") as file:
        return [
            Row(
                strategy=line["strategy"],
                seed=int(line["seed"]),
                labels=int(line["labels"]),
                version=line["version"],
                published=line["published"] == "True",
                **{name: float(line[name]) for name in ("missed", "mean_px", "median_px", "levels_right")},
                reason=line["reason"],
            )
            for line in csv.DictReader(file)
        ]


def command(plan: Plan, studies: Path) -> list[str]:
    """How the server of a plan is started."""
    conf = {"replay": plan.replay, "replay_judging": plan.judging, "replay_without": plan.scanner}
    command = [sys.executable, "-m", "vertenet.cli", "serve", "--studies", str(studies), "--port", "0"]
    command += ["--model", str(plan.model)]
    for name, value in conf.items():
        command += ["--conf", f"{name}={value}"]
    return command


def _row(
    annotator: SimulatedAnnotator,
    tests: Sequence[Scan],
    strategy: str,
    seed: int,
    labels: int,
    version: str,
    published: bool,
    reason: str,
) -> Row:
    near = landmarks = right = 0
    errors = []
    for scan in tests:
        reading = annotator.read(scan)
        image = reading.image
        score = score_landmarks(reading.spine, scan.truth, (image.rows, image.columns), pixel_size(image.spacing))
        errors.append(score.errors)
        near += int((np.hypot(*score.errors.T) <= NEAR_PX).sum())
        landmarks += sum(scan.truth[level][name].is_present for level in STANDARD_LEVELS for name in CORNERS)
        right += score.levels_right
    pooled = np.concatenate(errors)
    return Row(
        strategy,
        seed,
        labels,
        version,
        published,
        1 - near / landmarks,
        float(pooled.mean()) if pooled.size else float("nan"),
        float(np.median(pooled)) if pooled.size else float("nan"),
        right / len(tests),
        reason,
    )
