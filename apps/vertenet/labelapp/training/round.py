"""One round: gather labels, train, judge, and publish what passed. All of it in the training process.

Until the pointer moves, everything happens in ``.round``, a folder beside the versions that the next round empties. A
round that is stopped, crashes or is killed at any moment leaves the served model as it was.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

import filelock
import numpy as np
import torch
from monailabel.interfaces.datastore import Datastore

from vertenet.errors import OptionError
from vertenet.files import write_text
from vertenet.inference import Predictor
from vertenet.inference.calibration import calibration_of
from vertenet.learning import Recipe, Samples
from vertenet.learning.calibrate import Observed, calibrate, observe_all
from vertenet.learning.cases import Case, case_samples
from vertenet.networks import Card, build, load_weights, save_weights

from .gate import Verdict, compare, judge
from .gathering import Gathered, gather
from .options import TrainOptions
from .progress import DONE, FAILED, Progress
from .replay import Replay
from .versions import ModelVersion, ModelVersions, companions
from .worker import Job

logger = logging.getLogger(__name__)

STARTED = "last_round.json"
_WORK, _LOCK, _ROUNDS = ".round", "round.lock", "rounds"
#: Labelled images are shown as often as the replayed ones together, but none more often than this in a pass.
_MOST_REPEATS = 12
#: Replayed phantoms that validate during the training, for the progress alone: the gate takes all of them.
_GLANCE = 8
#: Validations during a training.
_LOOKS = 3


@dataclass(frozen=True)
class Outcome:
    """How a round ended.

    Attributes
    ----------
    published : bool
    version : str
        That is served now.
    reason : str
        Sentences for a person.
    seconds : float
    record : Path
        The round's figures, which are kept whether it was published or not.
    """

    published: bool
    version: str
    reason: str
    seconds: float
    record: Path


class Round:
    """A round to be run.

    Parameters
    ----------
    versions : ModelVersions
    options : TrainOptions
    replay : Replay
    processes : int, optional
        Of the training; default: one for each GPU, or one on the CPU.
    threads : int, optional
        Of the CPU; default: as many as this process may use.
    """

    def __init__(
        self,
        versions: ModelVersions,
        options: TrainOptions,
        replay: Replay,
        *,
        processes: int | None = None,
        threads: int | None = None,
    ) -> None:
        self.versions, self.options, self.replay = versions, options, replay
        gpus = torch.cuda.device_count() if options.device != "cpu" else 0
        self.processes = processes or max(1, gpus)
        self.device = "cuda" if gpus and options.device != "cpu" else "cpu"
        self.threads = threads or available_processors()
        self._work = versions.folder / _WORK

    def run(self, store: Datastore) -> Outcome:
        """Train on the labels of a store, and publish the model if it passes the gate.

        Raises
        ------
        OptionError
            A round is running already, or there is nothing to train on.
        ModelError
            The served model cannot be loaded, the loss is no longer finite, or the weights do not fit.
        """
        self.versions.folder.mkdir(parents=True, exist_ok=True)
        with _alone(self.versions.folder):
            progress = Progress(self.versions.folder, self.options.epochs)
            try:
                outcome = self._run(store, progress)
            except BaseException as error:
                progress.ended(FAILED, str(error) or type(error).__name__)
                raise
            finally:
                shutil.rmtree(self._work, ignore_errors=True)
            progress.ended(DONE, outcome.reason, version=outcome.version, published=outcome.published)
            return outcome

    def _run(self, store: Datastore, progress: Progress) -> Outcome:
        began = time.time()
        shutil.rmtree(self._work, ignore_errors=True)
        gathered = gather(store)
        remember(self.versions.folder, gathered.revisions)
        served, name = self.versions.current(), self.versions.next_name()
        progress.update(phase="drawing phantoms to replay")
        phantoms = self.replay.cases(self.versions.folder)
        job = self._job(gathered, phantoms, served, name)
        progress.update(phase="training", total_epochs=self._epochs(job))
        trained = job.run(self.processes, progress.training)
        training_seconds = time.time() - began

        progress.update(phase="judging", epoch=self._epochs(job), seconds_left=None)
        candidate = self._made(trained, served, name)
        cases = [*gathered.held, *phantoms]
        seen = {
            side: self._observed(weights, cases) for side, weights in (("served", served.weights), ("new", candidate))
        }
        verdict = self._verdict(seen, gathered.held, phantoms)
        calibration = ""
        if verdict.passed:
            progress.update(phase="calibrating")
            calibration = self._calibrated(candidate, cases, seen["new"], len(gathered.held), name)
        record = self._record(verdict, gathered, served, name, calibration, training_seconds, time.time() - began)
        if verdict.passed:
            self.versions.publish(candidate.parent, record, name)
        kept = self.versions.folder / _ROUNDS / f"{datetime.now(timezone.utc):%Y%m%dT%H%M%S}.json"
        write_text(kept, json.dumps(record, indent=1, allow_nan=False) + "\n")
        figures = verdict.split or verdict.replay
        progress.update(best_metric=(figures.candidate if verdict.passed else figures.served).sdr)
        reason = " ".join(filter(None, [verdict.reason, calibration]))
        return Outcome(verdict.passed, self.versions.current().name, reason, time.time() - began, kept)

    def _job(self, gathered: Gathered, phantoms: list[Case], served: ModelVersion, name: str) -> Job:
        network, card = load_weights(served.weights)
        size = self.options.input_size or tuple(network.input_size)
        options = dict(card.options) if size == tuple(network.input_size) else {**card.options, "input_size": size}
        own, old = case_samples(gathered.learn, size), self.replay.samples(self.versions.folder, size)
        samples = _mixed(own, old)
        steps = self.options.steps or -(-self.options.epochs * len(samples) // self.options.batch)
        batch = -(-self.options.batch // self.processes) * self.processes
        fresh = self.options.start == "scratch"
        recipe = Recipe(
            network=card.network,
            options=options,
            steps=steps,
            batch=batch,
            learning_rate=self.options.learning_rate,
            warmup=min(30, max(1, steps // 10)),
            ema=0.98,  # a short memory: a round has hundreds of steps, not thousands
            freeze=self.options.freeze,
            precision="bfloat16",
            device=self.device,
            threads=self.threads,
            seed=self.options.seed,
            validate_every=max(1, -(-steps // _LOOKS)),
            minutes=self.options.minutes,
            start_from=None if fresh else str(self._start(network, card, served.weights, options)),
        )
        data = f"{gathered.described()}, and {0 if old is None else len(old)} synthetic phantoms beside them"
        if not fresh:
            data += f"; fine-tuned from {served.name} ({served.sha256[:12]}), whose line began with: {self._origin()}"
        card = {"name": f"{self.versions.starter.stem}-{name}", "training_data": data, "synthetic_only": False}
        validation = case_samples([*gathered.held, *phantoms[:_GLANCE]], size)
        return Job(self._work / "run", recipe, card, samples, validation)

    def _start(self, network: torch.nn.Module, card: Card, weights: Path, options: dict) -> Path:
        """The weights to fine-tune: the served ones, where need be in a network of another input size."""
        if options == card.options:
            return weights
        other = build(card.network, **options)
        try:
            other.load_state_dict(network.state_dict())
        except RuntimeError as error:
            raise OptionError(
                f"the network {card.network} cannot be fine-tuned at another input size",
                remedy="Leave input_size empty, or start from scratch",
            ) from error
        path = self._work / "start.safetensors"
        save_weights(other, path, replace(card, options=options))
        return path

    def _origin(self) -> str:
        return Card.read(self.versions.starter.with_suffix(".json")).training_data

    def _made(self, trained: Path, served: ModelVersion, name: str) -> Path:
        """The candidate as it would be published: weights and card under their name, the served refiner beside them."""
        target = self._work / "version" / self.versions.file_name(name)
        target.parent.mkdir(parents=True)
        os.replace(trained, target)
        os.replace(trained.with_suffix(".json"), target.with_suffix(".json"))
        shutil.copyfile(trained.with_name("recipe.json"), target.with_name("recipe.json"))
        # The refiner looks at crops of the radiograph and never sees the network that this round trained.
        companions(served.weights, target)
        return target

    def _observed(self, weights: Path, cases: list[Case]) -> list[Observed]:
        predictor = Predictor(weights, calibrated=False, threads=self.threads, device=self.device)
        return observe_all(predictor, cases)

    def _verdict(self, seen: Mapping[str, list[Observed]], held: list[Case], phantoms: list[Case]) -> Verdict:
        cut = len(held)
        return judge(
            compare(seen["served"][:cut], seen["new"][:cut], [case.person for case in held]),
            compare(seen["served"][cut:], seen["new"][cut:], [case.person for case in phantoms]),
        )

    def _calibrated(self, candidate: Path, cases: list[Case], observed: list[Observed], held: int, name: str) -> str:
        """Write the calibration that belongs to the new weights; what is to be said of it.

        The served version's calibration is bound to other weights and never carried over. Statistics of neighbouring
        levels stay those of the program: they come from far more spines than a round sees.
        """
        predictor = Predictor(candidate, calibrated=False, threads=self.threads, device=self.device)
        data = f"{held} labelled images of the frozen split and {len(cases) - held} synthetic phantoms, in round {name}"
        try:
            found = calibrate(predictor, cases, observed, data=data, synthetic_only=True)
        except OptionError as error:
            return f"The new model is not calibrated: {error.problem}."
        replace(found, synthetic_only=not held).save(calibration_of(candidate))
        return f"Its calibration was made anew from {data}."

    def _epochs(self, job: Job) -> int:
        return max(1, round(job.recipe.steps * job.recipe.batch / len(job.samples)))

    def _record(self, verdict, gathered: Gathered, served, name, calibration, training_seconds, seconds) -> dict:
        return {
            "version": name if verdict.passed else None,
            "compared_with": {"version": served.name, "sha256": served.sha256},
            **verdict.to_dict(),
            "calibration": calibration,
            "labels": gathered.revisions,
            "trained_on": [case.name for case in gathered.learn],
            "judged_by": [case.name for case in gathered.held],
            "unusable_labels": list(gathered.problems),
            "replayed": asdict(self.replay),
            "options": {**asdict(self.options), "device": self.device},
            "processes": self.processes,
            "seconds": {"to_the_end_of_training": round(training_seconds, 1), "all": round(seconds, 1)},
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        }


def available_processors() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def remember(folder: Path, revisions: Mapping[str, int]) -> None:
    """Which labels the latest round took, written as it starts: a round that fails is not repeated at once."""
    write_text(folder / STARTED, json.dumps(dict(revisions)) + "\n")


def remembered(folder: Path) -> dict[str, int]:
    try:
        return json.loads((folder / STARTED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


@contextmanager
def _alone(folder: Path):
    """The only round of this folder; the lock goes with its process, however that ends."""
    lock = filelock.FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise OptionError(
            "a training is running already", remedy="Wait for its end, or stop it with DELETE /train/"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _mixed(own: Samples, old: Samples | None) -> Samples:
    """Labelled samples repeated until they are about as many as the replayed ones, then those."""
    if old is None:
        return own
    repeats = min(_MOST_REPEATS, max(1, round(len(old) / len(own))))
    return Samples.concatenate([own[np.tile(np.arange(len(own)), repeats)], old])
