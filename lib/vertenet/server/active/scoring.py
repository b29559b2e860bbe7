"""The scoring task: one look of the served model at every image of the folder, kept for the strategies."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.exception import ImageNotFoundException
from monailabel.interfaces.tasks.scoring import ScoringMethod

from vertenet.errors import ModelError, VerteNetError
from vertenet.imaging import read
from vertenet.inference import Predictor
from vertenet.learning.informative import look

from .scores import ImageScore, ScoreTable, stamp

logger = logging.getLogger(__name__)


class ActiveScoring(ScoringMethod):
    """Score every image that the served model has not looked at yet.

    A run that is cut off goes on where it was; one with nothing to do does nothing; two at once do no harm. MONAI Label
    runs it as a process of its own.

    Parameters
    ----------
    scores : ScoreTable
    predictor : callable
        Gives the served `Predictor`; asked before each image, since another model may be published meanwhile.
    """

    def __init__(self, scores: ScoreTable, predictor: Callable[[], Predictor]) -> None:
        super().__init__("Level margin, corner dispersion and features of each image, for the strategies")
        self.scores = scores
        self.predictor = predictor

    def __call__(self, request: Mapping[str, Any], datastore: Datastore) -> dict[str, Any]:
        """Look at what is missing, images without a final label first.

        Returns
        -------
        dict
            ``total`` images, those ``scored`` now, ``unreadable`` ones among them, ``model_sha256``, ``seconds``.

        Raises
        ------
        ModelError
            The model cannot be loaded.
        """
        started = time.perf_counter()
        images, scored, unreadable = stamps(datastore), 0, 0
        sha256 = self.predictor().identity.sha256
        for image_id in _order(self.scores.missing(images, sha256), set(datastore.get_unlabeled_images())):
            predictor = self.predictor()
            # Another process may have been here, and another model may be served by now.
            if self.scores.has(image_id, predictor.identity.sha256, images[image_id]):
                continue
            score = self._score(predictor, image_id, images[image_id], datastore)
            self.scores.put(score)
            scored += 1
            unreadable += score.error is not None
        sha256 = self.predictor().identity.sha256
        if not self.scores.missing(images, sha256):
            self.scores.forget_other_models(sha256)
        result = {"total": len(images), "scored": scored, "unreadable": unreadable, "model_sha256": sha256}
        return {**result, "seconds": round(time.perf_counter() - started, 1)}

    def _score(self, predictor: Predictor, image_id: str, stamped: str, datastore: Datastore) -> ImageScore:
        key = (image_id, predictor.identity.sha256, stamped)
        try:
            return ImageScore(*key, found=look(predictor, read(Path(datastore.get_image_uri(image_id)))))
        except ModelError:
            raise  # it is not the image's fault
        except (VerteNetError, MemoryError, ImageNotFoundException) as error:
            problem = error.problem if isinstance(error, VerteNetError) else type(error).__name__
            logger.warning("the image %s cannot be scored: %s", image_id, problem)
            return ImageScore(*key, error=problem)


def stamps(datastore: Datastore) -> dict[str, str]:
    """Every image of the folder with the stamp of its file."""
    found = {}
    for image_id in datastore.list_images():
        try:
            found[image_id] = stamp(datastore.get_image_uri(image_id))
        except ImageNotFoundException:
            continue  # removed since it was listed
    return found


def _order(images: list[str], unlabelled: set[str]) -> list[str]:
    """Those to choose from first; in each half mixed, so that strategies see a sample of the folder from early on."""
    return sorted(images, key=lambda image: (image not in unlabelled, hashlib.sha256(image.encode()).digest()))
