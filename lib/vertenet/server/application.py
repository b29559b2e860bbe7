"""The app that MONAI Label loads: which tasks it offers, and over which store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import schedule
from monailabel.config import settings
from monailabel.interfaces.app import MONAILabelApp

from vertenet import __version__
from vertenet.annotation import markups
from vertenet.models import find_weights
from vertenet.reading import RESEARCH_USE, Reading

from .active.desk import Desk
from .active.queue import INTERVAL_S, ScoringQueue
from .active.scores import ScoreTable
from .active.scoring import ActiveScoring
from .active.strategies import check_strategy, strategies
from .batch import BatchInfer
from .infer import LandmarkInfer
from .state import DATABASE, state_folder
from .store import RadiographStore
from .training.task import AutoStart, RetrainTask, replay_of
from .training.versions import ModelVersions

DEFAULT_MODEL = "vertenet-lite"
#: Name of the scoring method.
SCORING = "active"


class VerteNetApp(MONAILabelApp):
    """VerteNet as a MONAI Label app.

    Parameters
    ----------
    app_dir, studies : str
        This folder, and the folder of images (or the address of a remote store, which MONAI Label then handles).
    conf : mapping of str to str
        ``--conf`` pairs of the command line. ``model`` is the path of a weight file, or a name in the app's ``model``
        folder; `DEFAULT_MODEL` otherwise. ``retrain_after`` is the number of new final labels after which a training
        starts by itself (0: never); ``replay``, ``replay_judging`` and ``replay_without`` choose the phantoms that
        trainings replay, see `vertenet.server.training.replay`.
    """

    def __init__(self, app_dir: str, studies: str, conf: Mapping[str, str]) -> None:
        # MONAI Label reads it when it starts a task's process, and without it the task hangs at SUBMITTED.
        os.environ.setdefault("PYTHONPATH", str(app_dir))
        super().__init__(
            app_dir=app_dir,
            studies=studies,
            conf=dict(conf or {}),
            name="VerteNet",
            description=f"Vertebral landmarks T12-L5, intervertebral guides and aorta crop warning. {RESEARCH_USE}",
            version=__version__,
        )

    def init_datastore(self):
        if self.studies.startswith(("http://", "https://")):
            return super().init_datastore()
        return RadiographStore(
            self.studies,
            auto_reload=settings.MONAI_LABEL_DATASTORE_AUTO_RELOAD,
            read_only=settings.MONAI_LABEL_DATASTORE_READ_ONLY,
            conf=self.conf,
        )

    def init_infers(self):
        starter = find_model(self.conf.get("model", DEFAULT_MODEL), Path(self.app_dir))
        self.versions = ModelVersions(self._state() / "models" / starter.stem, starter)
        return {"vertenet": LandmarkInfer(self.versions)}

    def init_trainers(self):
        self._auto_start = AutoStart.of(self.conf, self.versions)
        return {"vertenet": RetrainTask(self.versions, replay_of(self.conf))}

    def init_batch_infer(self):
        return BatchInfer()

    def on_save_label(self, image_id, label_id):
        super().on_save_label(image_id, label_id)
        self._auto_start.consider(self)

    def bundle_path(self, model):
        """What MONAI Label appends to the module path of a task's process: this folder, in the place of whatever folder
        a request names, which would be run as code."""
        return self.app_dir

    def infer(self, request, datastore=None):
        answer = super().infer(request, datastore)
        store = datastore or self.datastore()
        if isinstance(store, RadiographStore):
            _remember(store, request["image"], answer)
        return answer

    def init_strategies(self):
        self.desk = Desk(self._database())
        return strategies(self.desk, ScoreTable(self.desk.database), self._served_sha256)

    def init_scoring_methods(self):
        scores = ScoreTable(self._database())
        self._scoring_queue = ScoringQueue(SCORING, scores, self._served_sha256)
        return {SCORING: ActiveScoring(scores, self._infers["vertenet"].predictor)}

    def next_sample(self, request):
        check_strategy(request, self._strategies)
        return super().next_sample(request)

    def async_scoring(self, method, params=None):
        if method:
            return super().async_scoring(method, params)
        # What MONAI Label asks for at the start, after each request for an image and after training.
        if self._server_mode and self._scoring_methods:
            self._scoring_queue.look(self.datastore())
        return {}

    def on_init_complete(self):
        if self._auto_update_scoring:
            schedule.every(INTERVAL_S).seconds.do(self.async_scoring, None)
        super().on_init_complete()

    def _served_sha256(self) -> str:
        return self._infers["vertenet"].version().sha256

    def _state(self) -> Path:
        remote = self.studies.startswith(("http://", "https://"))
        return state_folder(self.app_dir if remote else self.studies, self.conf)

    def _database(self) -> Path:
        return self._state() / DATABASE


def _remember(store: RadiographStore, image: object, answer: Mapping) -> None:
    """Note what was proposed for an image of the store: a label that starts from it names this model in its history."""
    params = answer["params"]
    of_ours = isinstance(image, str) and image in store.list_images()
    if of_ours and isinstance(params.get("model"), Mapping):
        # The reading, not the file beside it: that one has no mid-endplate points.
        reading = Reading.from_dict(params)
        size = reading.image.rows, reading.image.columns
        text = markups.dumps(reading.spine, image=reading.image.name, size=size)
        store.remember_proposal(image, text.encode(), reading.model.sha256, params.get("model_version"))


def find_model(model: str, app_dir: Path) -> Path:
    """The weight file of a path or name; a name is looked for in the app's ``model`` folder, then where weights ship.

    Raises
    ------
    ModelError
        There is none. A server without its model is of no use, so it does not start.
    """
    inside = app_dir / "model" / f"{model}.safetensors"
    return inside if inside.is_file() else find_weights(model)
