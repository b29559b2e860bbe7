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
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

import filelock
import torch
from monailabel.interfaces.datastore import Datastore

from vertenet.errors import OptionError
from vertenet.files import write_text
from vertenet.inference import Predictor
from vertenet.inference.calibration import calibration_of
from vertenet.inference.refine import refiner_of
from vertenet.learning.calibrate import Observed, calibrate, observe_all
from vertenet.learning.cases import Case
from vertenet.learning.comparison import compare
from vertenet.learning.crossfit import CrossFitted, persons_to_fold
from vertenet.networks import Card

from .gate import Verdict, judge
from .gathering import Gathered, gather
from .options import TrainOptions
from .progress import DONE, FAILED, Progress
from .replay import Replay
from .tuning import Tuning
from .versions import PUBLISHED, REFUSED, ModelVersion, ModelVersions

logger = logging.getLogger(__name__)

STARTED = "last_round.json"
_WORK, _LOCK, _ROUNDS = ".round", "round.lock", "rounds"
#: Replayed phantoms that validate during the training, for the progress alone: the gate takes all of them.
_GLANCE = 8


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
        """Train on the labels of a store, and publish the model if it passes the gate; else keep it to be looked at.

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
        folded = self._folded(gathered, served)
        progress.update(phase="drawing phantoms to replay")
        phantoms = self.replay.cases(self.versions.folder)
        tuning = self._tuning(gathered, phantoms, served, name, judged=bool(folded))
        progress.update(phase="training", total_epochs=tuning.epochs)
        candidate = self._made(tuning.run(self._work / "run", progress.training), name)
        training_seconds = time.time() - began

        progress.update(phase="judging", epoch=tuning.epochs, seconds_left=None)
        cases = [*gathered.held, *phantoms]
        seen = {
            side: self._observed(weights, cases) for side, weights in (("served", served.weights), ("new", candidate))
        }
        cross_fitted = None
        if folded:
            cut = len(gathered.held)
            cross_fitted = tuning.judged(folded, self._work / "folds", self._observed, progress.fold)
            judged_by_folds = cross_fitted.cases, cross_fitted.candidate
            cross_fitted = cross_fitted.joined(gathered.held, seen["served"][:cut], seen["new"][:cut])
            # What weights say of persons that they have not learned counts for radii and typicality, too.
            cases, seen["new"] = [*cases, *judged_by_folds[0]], [*seen["new"], *judged_by_folds[1]]
        verdict = self._verdict(seen, gathered.held, phantoms, cross_fitted)
        progress.update(phase="calibrating")
        calibration = self._calibrated(candidate, cases, seen["new"], len(cases) - len(phantoms), name)
        record = self._record(
            verdict, gathered, served, name, calibration, cross_fitted, training_seconds, time.time() - began
        )
        keep = self.versions.publish if verdict.passed else self.versions.keep
        keep(candidate.parent, record, name)
        kept = self.versions.folder / _ROUNDS / f"{datetime.now(timezone.utc):%Y%m%dT%H%M%S}.json"
        write_text(kept, json.dumps(record, indent=1, allow_nan=False) + "\n")
        figures = verdict.figures
        progress.update(best_metric=(figures.candidate if verdict.passed else figures.served).sdr)
        kept_as = "" if verdict.passed else f"The refused weights are kept as {name} to be looked at."
        reason = " ".join(filter(None, [verdict.reason, kept_as, calibration]))
        return Outcome(verdict.passed, self.versions.current().name, reason, time.time() - began, kept)

    def _folded(self, gathered: Gathered, served: ModelVersion) -> list[str]:
        """Persons to cross-fit: new to the line of the served version, which must not be judged by what it learned.

        A network that starts afresh learns nothing in the short time of a fold.
        """
        if self.options.start == "scratch":
            return []
        learned = self.versions.learned(served.name)
        seen = {case.person for case in gathered.learn if case.name in learned}
        return persons_to_fold(gathered.learn, gathered.held, seen)

    def _tuning(
        self, gathered: Gathered, phantoms: list[Case], served: ModelVersion, name: str, *, judged: bool
    ) -> Tuning:
        def card(replayed: int, fresh: bool) -> dict:
            data = f"{gathered.described()}, and {replayed} synthetic phantoms beside them"
            if not fresh:
                origin = Card.read(self.versions.starter.with_suffix(".json")).training_data
                data += f"; fine-tuned from {served.name} ({served.sha256[:12]}), whose line began with: {origin}"
            return {"name": f"{self.versions.starter.stem}-{name}", "training_data": data, "synthetic_only": False}

        return Tuning.of(
            self.options,
            gathered.learn,
            [*gathered.held, *phantoms[:_GLANCE]],
            self.replay,
            folder=self.versions.folder,
            work=self._work,
            served=served.weights,
            judged=judged,
            device=self.device,
            threads=self.threads,
            processes=self.processes,
            card=card,
        )

    def _made(self, trained: Path, name: str) -> Path:
        """The candidate as it would be published: weights, refiner and their cards under their name."""
        target = self._work / "version" / self.versions.file_name(name)
        target.parent.mkdir(parents=True)
        for source, place in ((trained, target), (refiner_of(trained), refiner_of(target))):
            if source.is_file():
                os.replace(source, place)
                os.replace(source.with_suffix(".json"), place.with_suffix(".json"))
        shutil.copyfile(trained.with_name("recipe.json"), target.with_name("recipe.json"))
        return target

    def _observed(self, weights: Path, cases: Sequence[Case]) -> list[Observed]:
        predictor = Predictor(weights, calibrated=False, threads=self.threads, device=self.device)
        return observe_all(predictor, cases)

    def _verdict(
        self,
        seen: Mapping[str, list[Observed]],
        held: list[Case],
        phantoms: list[Case],
        cross_fitted: CrossFitted | None,
    ) -> Verdict:
        cut, end = len(held), len(held) + len(phantoms)
        return judge(
            compare(seen["served"][:cut], seen["new"][:cut], [case.person for case in held]),
            compare(seen["served"][cut:end], seen["new"][cut:end], [case.person for case in phantoms]),
            cross_fitted,
        )

    def _calibrated(
        self, candidate: Path, cases: list[Case], observed: list[Observed], labelled: int, name: str
    ) -> str:
        """Write the calibration that belongs to the new weights; what is to be said of it.

        The served version's calibration is bound to other weights and never carried over. Statistics of neighbouring
        levels stay those of the program: they come from far more spines than a round sees.
        """
        predictor = Predictor(candidate, calibrated=False, threads=self.threads, device=self.device)
        data = (
            f"{labelled} labelled images, each read by weights that had not learned its person, and "
            f"{len(cases) - labelled} synthetic phantoms, in round {name}"
        )
        try:
            found = calibrate(predictor, cases, observed, data=data, synthetic_only=True)
        except OptionError as error:
            return f"The new model is not calibrated: {error.problem}."
        replace(found, synthetic_only=not labelled).save(calibration_of(candidate))
        return f"Its calibration was made anew from {data}."

    def _record(
        self, verdict, gathered: Gathered, served, name, calibration, cross_fitted, training_seconds, seconds
    ) -> dict:
        return {
            "version": name,
            "state": PUBLISHED if verdict.passed else REFUSED,
            "compared_with": {"version": served.name, "sha256": served.sha256},
            **verdict.to_dict(),
            "calibration": calibration,
            "labels": gathered.revisions,
            "trained_on": [case.name for case in gathered.learn],
            "judged_by": [case.name for case in gathered.held],
            "folds": [list(fold) for fold in cross_fitted.folds] if cross_fitted else [],
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
