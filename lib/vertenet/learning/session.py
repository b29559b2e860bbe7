"""One sitting of a run: its clock, its log, its validations, its checkpoints, and the wish to stop."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from ignite.engine import Engine, EventEnum, Events
from ignite.handlers import EarlyStopping
from torch import nn

from ..errors import ModelError
from ..files import beside
from .augmentation import Augmentation
from .feed import Source
from .journal import Journal
from .learner import Learner
from .processes import is_first, summed, told
from .recipe import Recipe
from .validation import Interrupted, validate

#: Steps between rows of the log.
LOG_EVERY = 10
#: A checkpoint is written after each validation, and at a row of the log when the last one is this old.
CHECKPOINT_SECONDS = 300.0
#: ignite's engines speak on stderr; what happens here is said by the log, by rows and by errors.
_LOGGER = logging.getLogger(__name__)
_LOGGER.addHandler(logging.NullHandler())
_LOGGER.propagate = False
#: Entries of a recipe that decide the speed, not the result; a run may go on with others.
SPEED_ONLY = ("threads", "device")


class TrainingStopped(Exception):  # noqa: N818  (not an error: what was asked for has happened)
    """A training was asked to stop and did; ``resume=True`` goes on from ``folder``."""

    def __init__(self, folder: Path, step: int) -> None:
        super().__init__(f"{folder}: stopped after step {step}; it can be resumed")
        self.folder, self.step = folder, step


class Moments(EventEnum):
    """Events of a run beyond ignite's own."""

    VALIDATED = "validated"


@dataclass
class _State:
    """How far a run is; everything that a checkpoint keeps besides `Learner`."""

    step: int = 0
    seconds: float = 0.0
    #: The row and the validation that the present step owes are done.
    settled: bool = True
    finished: bool = False
    best: float = -1.0
    #: Figures of the weights that would be kept now.
    figures: dict = field(default_factory=dict)
    #: Losses by name, summed since the last row, and the number of their steps.
    losses: dict = field(default_factory=dict)
    loss_steps: int = 0


class Session:
    """Accompanies an ignite Engine whose iterations are the run's steps.

    Parameters
    ----------
    recipe : Recipe
    learner : Learner
    validation : Source
    folder : Path
    images : int
        That the run learns from.
    report, should_stop : callable
        See `vertenet.learning.trainer.train`.
    """

    def __init__(
        self,
        recipe: Recipe,
        learner: Learner,
        validation: Source,
        folder: Path,
        images: int,
        report: Callable[[dict], None],
        should_stop: Callable[[], bool],
    ) -> None:
        self.recipe, self.learner, self.validation = recipe, learner, validation
        self.folder, self.images = folder, images
        self._report, self._should_stop = report, should_stop
        self.stopped = False
        self._state = _State()
        self._journal: Journal | None = None
        self._patience: EarlyStopping | None = None
        self._began = self._kept = time.perf_counter()
        self._before, self._first = 0.0, 0

    @property
    def step(self) -> int:
        return self._state.step

    @property
    def seconds(self) -> float:
        """That the run has taken, in all its sittings."""
        return self._state.seconds

    @property
    def finished(self) -> bool:
        return self._state.finished or self.stopped

    @property
    def figures(self) -> dict:
        """`Validation` of the weights that are kept, as a dict."""
        return self._state.figures

    def attach(self, trainer: Engine) -> None:
        """Follow an engine, and end its run when it is time."""
        trainer.register_events(*Moments)
        trainer.logger = _LOGGER
        trainer.add_event_handler(Events.ITERATION_COMPLETED, self._after_step)
        if self.recipe.patience is not None:
            self._patience = EarlyStopping(self.recipe.patience, lambda engine: engine.state.metrics["score"], trainer)
            self._patience.logger = _LOGGER
            trainer.add_event_handler(Moments.VALIDATED, self._patience)
        self._trainer = trainer

    def start(self, resume: bool) -> None:
        """Restore the checkpoint where there is one to resume, open the log, and do what a killed sitting owed."""
        if resume and self._checkpoint.exists():
            self._restore()
        self._began = self._kept = time.perf_counter()
        self._before, self._first = self._state.seconds, self._state.step
        if is_first():
            self._journal = Journal(self.folder, self._state.step)
        self._look_up()
        if self.stopped:
            self._keep()
        elif not self._state.settled:
            self._settle()

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()

    def learning_rate(self) -> float:
        """Of the next step: a linear warm-up, and a cosine over the whole run.

        Not one of ignite's schedulers, for these count steps, and a run may be bounded by time.
        """
        warm = min(1.0, (self._state.step + 1) / self.recipe.warmup)
        return self.recipe.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * self.progress()))

    def progress(self) -> float:
        """How much of the run is done, 0 to 1: by steps, or by time where that is nearer its end."""
        minutes = self.recipe.minutes
        by_time = 0.0 if minutes is None else self._state.seconds / (60 * minutes)
        return min(1.0, max(self._state.step / self.recipe.steps, by_time))

    def augmentation(self) -> Augmentation:
        """The recipe's; without mirror images where the network has no orientation head to learn from them."""
        if self.learner.network.level_names is None:
            return replace(self.recipe.augmentation, mirror=0.0)
        return self.recipe.augmentation

    def final_network(self) -> nn.Module:
        """The averaged weights: the last, or with a patience the best."""
        network = self.learner.average
        if self.recipe.patience is not None:
            network.load_state_dict(torch.load(self.folder / "best.pt", map_location="cpu", weights_only=True))
        return network

    def row(self, losses: dict[str, float]) -> dict:
        """A row of the log: step; progress, 0 to 1; epoch, in passes over the images; loss and its parts (means since
        the last row); learning_rate; images_per_s; seconds so far and left; and with a validation its figures, score
        and the best score so far."""
        done, state = self.progress(), self._state
        sitting = max(state.seconds - self._before, 1e-9)
        return {
            "step": state.step,
            "progress": done,
            "epoch": state.step * self.recipe.batch / self.images,
            "loss": sum(losses.values()),
            **losses,
            "learning_rate": self.learner.optimiser.param_groups[0]["lr"],
            "images_per_s": (state.step - self._first) * self.recipe.batch / sitting,
            "seconds": state.seconds,
            "seconds_left": state.seconds * (1 - done) / done,
        }

    @property
    def _checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def _after_step(self, trainer: Engine) -> None:
        state = self._state
        state.step, state.settled = trainer.state.iteration, False
        for name, value in trainer.state.output.items():
            state.losses[name] = state.losses.get(name, 0) + value
        state.loss_steps += 1
        self._look_up()
        if not self.stopped:
            self._settle()
        if self.stopped:
            self._keep()
        if self.finished:
            trainer.terminate()

    def _look_up(self) -> None:
        """The clock and the wish to stop, as the first process sees them."""
        seconds = self._before + time.perf_counter() - self._began
        self._state.seconds, stop = told([seconds, float(is_first() and self._should_stop())])
        self.stopped = self.stopped or bool(stop)

    def _settle(self) -> None:
        """The validation, the row and the checkpoint that the present step owes."""
        state = self._state
        ends = self.progress() >= 1
        validates = ends or state.step % self.recipe.validate_every == 0
        figures = self._validate() if validates else {}
        if self.stopped:
            return
        state.settled, state.finished = True, state.finished or ends
        if validates or state.step % LOG_EVERY == 0:
            self._write_row(figures)
            if validates or time.perf_counter() - self._kept > CHECKPOINT_SECONDS:
                self._keep()

    def _validate(self) -> dict:
        """Figures of the weight average, in the first process; the others learn the score."""
        figures, score = {}, math.nan
        if is_first():
            try:
                latest = validate(self.learner.average, self.validation, should_stop=self._should_stop)
                figures, score = {**asdict(latest), "score": latest.score}, latest.score
            except Interrupted:
                pass
        (score,) = told([score])
        self.stopped = self.stopped or math.isnan(score)
        if self.stopped:
            return {}
        state, better = self._state, score > self._state.best
        state.best = max(state.best, score)
        if better or self.recipe.patience is None:
            state.figures = {key: value for key, value in figures.items() if key != "score"}
        if better and self.recipe.patience is not None and is_first():
            with beside(self.folder / "best.pt") as temporary:
                torch.save(self.learner.average.state_dict(), temporary)
        self._trainer.state.metrics["score"] = score
        self._trainer.fire_event(Moments.VALIDATED)
        if self._patience is not None:
            state.finished = self._patience.counter >= self._patience.patience
        return {**figures, "best": state.best}

    def _write_row(self, figures: dict) -> None:
        state = self._state
        totals = {name: float(summed(torch.as_tensor(value))) for name, value in state.losses.items()}
        row = {**self.row({name: total / state.loss_steps for name, total in totals.items()}), **figures}
        state.losses, state.loss_steps = {}, 0
        if not math.isfinite(row["loss"]):
            raise ModelError(
                f"the loss is no longer a finite number at step {state.step}",
                subject=self.folder,
                remedy="Start again with a lower learning rate, or with precision float32",
            )
        if self._journal is not None:
            self._journal.write(row)
            self._report(row)

    def _keep(self) -> None:
        state = asdict(replace(self._state, losses={}))
        state["losses"] = {name: float(summed(torch.as_tensor(value))) for name, value in self._state.losses.items()}
        self._kept = time.perf_counter()
        if not is_first():
            return
        content = {
            "recipe": json.dumps(self.recipe.to_dict()),
            "images": self.images,
            "state": state,
            "patience": self._patience.state_dict() if self._patience is not None else {},
            **self.learner.state_dict(),
        }
        with beside(self._checkpoint) as temporary:
            torch.save(content, temporary)

    def _restore(self) -> None:
        path = self._checkpoint
        content = torch.load(path, map_location="cpu", weights_only=True)
        speed = dict.fromkeys(SPEED_ONLY)
        if {**self.recipe.to_dict(), **speed} != {**json.loads(content["recipe"]), **speed}:
            raise ModelError("was written by another recipe", subject=path, remedy="Resume with the recipe beside it")
        if content["images"] != self.images:
            raise ModelError(
                f"was written by a run on {content['images']} images, and now there are {self.images}",
                subject=path,
                remedy="Resume with the same data, or fine-tune from weights in another folder",
            )
        self._state = _State(**content["state"])
        if not is_first():  # the sums of all processes are kept by the first
            self._state.losses = dict.fromkeys(self._state.losses, 0.0)
        if self._patience is not None:
            self._patience.load_state_dict(content["patience"])
        self.learner.load_state_dict(content)
