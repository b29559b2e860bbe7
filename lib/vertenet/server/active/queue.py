"""Scoring that starts by itself: at the start, for new images, and after a new or an older model has taken over.

MONAI Label queues a scoring process after every single request for an image, and its training process asks for one
through an address that fails under TLS or tokens. Here the server looks by itself whether there is anything to score.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable

from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.exception import MONAILabelException
from monailabel.utils.async_tasks.task import AsyncTask
from monailabel.utils.async_tasks.utils import tasks

from vertenet.errors import VerteNetError

from .scores import ScoreTable
from .scoring import stamps

logger = logging.getLogger(__name__)

#: How often a server looks whether there is anything to score, seconds.
INTERVAL_S = 30


class ScoringQueue:
    """Queues a scoring process where there is something to score.

    Parameters
    ----------
    method : str
        Name of the scoring method.
    scores : ScoreTable
    model : callable
        SHA-256 of the weights that are served now; may raise `VerteNetError`.
    clock : callable
        Seconds; only differences count.
    """

    def __init__(
        self,
        method: str,
        scores: ScoreTable,
        model: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.method = method
        self.scores = scores
        self.model = model
        self.clock = clock
        self._looked: float | None = None
        self._queued: tuple[str, tuple[str, ...]] | None = None
        self._lock = threading.Lock()

    def look(self, datastore: Datastore) -> bool:
        """Queue a scoring process if images are missing a score and none is running; whether it did.

        Asking often costs nothing: it looks once in `INTERVAL_S`. What a process has just failed to do is not tried
        again until the model or the folder changes. Troubles go to the log, since nobody waits for an answer.
        """
        with self._lock:
            if self._looked is not None and self.clock() - self._looked < INTERVAL_S - 1:
                return False
            self._looked = self.clock()
            if any(task["status"] in ("SUBMITTED", "RUNNING") for task in tasks("scoring")):
                return False
            try:
                work = self._missing(datastore)
            except (VerteNetError, MONAILabelException, sqlite3.Error, OSError) as error:
                logger.error("cannot see which images are to be scored: %s", error)
                return False
            if not work[1] or work == self._queued:
                return False
            self._queued = work
            AsyncTask.run("scoring", request={"method": self.method}, enqueue=True)
            return True

    def _missing(self, datastore: Datastore) -> tuple[str, tuple[str, ...]]:
        model = self.model()
        return model, tuple(sorted(self.scores.missing(stamps(datastore), model)))
