"""The training task that MONAI Label's clients start, watch and stop; and the start by itself."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.exception import MONAILabelError, MONAILabelException
from monailabel.interfaces.tasks.train import TrainTask

from vertenet.errors import OptionError, VerteNetError
from vertenet.reading import RESEARCH_USE

from .options import DEFAULTS, TrainOptions
from .progress import is_running, read_progress
from .replay import Replay
from .round import Round, remembered
from .versions import ModelVersions

logger = logging.getLogger(__name__)


class RetrainTask(TrainTask):
    """Retraining of the served model on the labels of the store.

    MONAI Label runs it in a process of its own, which ``DELETE /train/`` kills with its children; see
    `vertenet.server.training.round` for why that is safe at any moment.

    Parameters
    ----------
    versions : ModelVersions
    replay : Replay, optional
    """

    def __init__(self, versions: ModelVersions, replay: Replay | None = None) -> None:
        super().__init__(
            "Fine-tunes the served model on final labels; published only if it is not worse on patients it never saw. "
            f"{RESEARCH_USE}"
        )
        self.versions, self.replay = versions, replay or Replay()

    def config(self) -> dict[str, Any]:
        return dict(DEFAULTS)

    def stats(self) -> dict[str, Any]:
        """Progress of the latest round, see `read_progress`, and ``model_version``, the one that is served.

        The version is None where the pointer is damaged: that is for inference to say, and no reason to answer nothing.
        """
        try:
            served = self.versions.current().name
        except VerteNetError:
            served = None
        return {**read_progress(self.versions.folder), "model_version": served}

    def __call__(self, request: Mapping[str, Any], datastore: Datastore) -> dict[str, Any]:
        """Run a round, see `Round.run`.

        Returns
        -------
        dict
            ``published``, ``version``, ``reason``, ``seconds``, ``ignored_parameters``.

        Raises
        ------
        MONAILabelException
            With the sentence of what went wrong; the process then ends with an error, which clients see.
        """
        try:
            options = TrainOptions.from_request(request)
            outcome = Round(self.versions, options, self.replay).run(datastore)
        except VerteNetError as error:
            kind = MONAILabelError.INVALID_INPUT if isinstance(error, OptionError) else MONAILabelError.SERVER_ERROR
            raise MONAILabelException(kind, error.sentence) from error
        logger.info("Round ended in %.0f s: %s", outcome.seconds, outcome.reason)
        return {
            "published": outcome.published,
            "version": outcome.version,
            "reason": outcome.reason,
            "seconds": round(outcome.seconds, 1),
            "ignored_parameters": list(options.ignored),
        }


class AutoStart:
    """Starts a round when enough labels have come since the last one was started.

    Parameters
    ----------
    after : int
        New or changed final labels; 0: never.
    folder : Path
        Of the versions.
    """

    def __init__(self, after: int, versions: ModelVersions) -> None:
        self.after, self.versions = after, versions

    @classmethod
    def of(cls, conf: Mapping[str, str], versions: ModelVersions) -> AutoStart:
        """From ``--conf retrain_after N``; raises `OptionError` where that is no number."""
        return cls(_count(conf, "retrain_after", 0), versions)

    def due(self, store: Datastore) -> bool:
        """Whether it is time; never while a round runs."""
        if not self.after or not hasattr(store, "final_labels") or is_running(self.versions.folder):
            return False
        known = remembered(self.versions.folder)
        new = sum(known.get(label.image_id) != label.revision for label in store.final_labels())
        return new >= self.after

    def consider(self, app: MONAILabelApp, model: str = "vertenet") -> bool:
        """Start a round if it is due; whether it was started. Called after each submitted label."""
        if not self.due(app.datastore()):
            return False
        logger.info("%d new labels: retraining starts by itself", self.after)
        return app.async_training(model) is not None


def replay_of(conf: Mapping[str, str]) -> Replay:
    """The replay that ``--conf`` names: ``replay``, ``replay_judging`` (counts), ``replay_without`` (scanners).

    Raises
    ------
    OptionError
        A value is not accepted.
    """
    plain = Replay()
    without = tuple(name.strip() for name in str(conf.get("replay_without", "")).split(",") if name.strip())
    return Replay(_count(conf, "replay", plain.training), _count(conf, "replay_judging", plain.judging), without)


def _count(conf: Mapping[str, str], name: str, default: int) -> int:
    text = str(conf.get(name, default)).strip()
    if not text.isdecimal():
        raise OptionError(f"--conf {name} is {text!r}", remedy="Give a whole number from 0")
    return int(text)
