"""MONAI Label's strategies: which image an annotator gets next, and a lease on it.

Every answer is leased before it is given. A request is answered with images that have no final label, that nobody has
on the desk, and that neither this annotator nor two others have put aside. Where none are left, or the annotator holds
as many as anybody may, they get their own leased images again, the one offered longest ago first.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.tasks.strategy import Strategy
from starlette.exceptions import HTTPException

from vertenet.errors import OptionError, VerteNetError
from vertenet.learning.active import CRITERIA, Pool, pick

from ..identity import annotator_of
from ..problems import http_error
from .desk import MOST_LEASES, Desk, Lease, put_aside
from .scores import ImageScore, ScoreTable

Order = Literal["uncertainty", "diversity", "hybrid", "random", "first"]
DESCRIPTIONS: dict[Order, str] = {
    "hybrid": "Images that are uncertain and unlike those taken so far",
    "uncertainty": "Images whose levels or corners the model is least sure of",
    "diversity": "Images least like those taken so far, by the encoder's features (k-center greedy)",
    "random": "Images in random order; the parameter seed makes it repeatable",
    "first": "Images in the order of their ids",
}
DEFAULT: Order = "hybrid"


class NextSample(Strategy):
    """Offer the next images by one order, and lease them.

    Parameters
    ----------
    order : {"uncertainty", "diversity", "hybrid", "random", "first"}
        The first three go by scores. Images that the scoring has not reached come last, in random order.
    desk : Desk
    scores : ScoreTable
    model : callable
        SHA-256 of the weights that are served now; may raise `VerteNetError`.
    """

    def __init__(self, order: Order, desk: Desk, scores: ScoreTable, model: Callable[[], str]) -> None:
        super().__init__(DESCRIPTIONS[order])
        self.order = order
        self.desk = desk
        self.scores = scores
        self.model = model
        # Requests of one process take turns, so that only another process can snatch what has just been chosen.
        self._turn = threading.Lock()

    def __call__(self, request: Mapping[str, Any], datastore: Datastore) -> dict[str, Any]:
        """Images to annotate.

        Parameters
        ----------
        request : mapping
            ``k`` (or ``count``): how many images, 1 to `MOST_LEASES`. ``annotator`` or ``client_id``: for whom, where
            no token says so. ``seed``: of the random order. ``label_tag``, ``labels``: as the datastore takes them.

        Returns
        -------
        dict
            ``id``; ``ids`` where a number was asked for; ``lease_expires``; and where the image was scored
            ``margin``, ``doubt``, ``dispersion``, ``typical``, ``quality``, ``model_sha256`` and ``stale``, which is
            true where the scores are those of a model that is served no more. Empty where nothing is left.

        Raises
        ------
        HTTPException
            400 for a parameter that is not accepted; under the stock server too, which would make 500 of it.
        """
        try:
            annotator, k = annotator_of(request), _count(request)
            with self._turn:
                return self._answer(request, datastore, annotator, k)
        except VerteNetError as error:
            raise http_error(error) from error

    def _answer(self, request: Mapping[str, Any], datastore: Datastore, annotator: str, k: int | None) -> dict:
        unlabelled = sorted(datastore.get_unlabeled_images(request.get("label_tag"), request.get("labels")))
        everything = datastore.list_images()
        model = self.model()
        informed = self.scores.best_informed(everything, model)
        scores = self.scores.of_model(informed)
        wish = _Wish(annotator, k or 1, request.get("seed"), unlabelled, set(everything) - set(unlabelled), scores)
        leases = self._lease(wish)
        if not leases:
            return {}
        first = leases[0].to_dict()
        answer: dict[str, Any] = {"id": first["image_id"], "lease_expires": first["expires"]}
        if k is not None:
            answer["ids"] = [lease.image_id for lease in leases]
        if first["image_id"] in scores:
            answer.update(scores[first["image_id"]].to_dict(), stale=informed != model)
        return answer

    def _lease(self, wish: _Wish) -> list[Lease]:
        skips = self.desk.skips()
        aside = put_aside(skips, wish.annotator)
        offered = [image for image in wish.unlabelled if image not in aside]
        unreadable = {image for image, score in wish.scores.items() if score.error}
        while True:
            leases = self.desk.leases()
            on_desks = {lease.image_id for lease in leases}
            mine = {lease.image_id: lease.taken for lease in leases if lease.annotator == wish.annotator}
            own = sorted((image for image in offered if image in mine), key=lambda i: (i in unreadable, mine[i]))
            free = [image for image in offered if image not in on_desks]
            room = min(wish.k, MOST_LEASES - len(own))
            if not free or room <= 0:
                return self.desk.renew(wish.annotator, own[: wish.k])
            taken = on_desks | {skip.image_id for skip in skips} | wish.labelled
            new = self.desk.take(wish.annotator, self._ordered(free, taken, unreadable, wish)[:room], self.order)
            if new is not None:
                return new
            # Another process was faster with one of them, so the work has gone on: choose again.

    def _ordered(self, free: Sequence[str], taken: set[str], unreadable: set[str], wish: _Wish) -> list[str]:
        """At least ``wish.k`` of the ``free`` images, the first to offer first, where there are as many.

        Files that cannot be read come after all others.
        """
        readable = [image for image in free if image not in unreadable]
        if self.order in CRITERIA:
            wanted = _by_scores(readable, taken, wish.scores, wish.k, self.order)
            wanted += _shuffled(set(readable).difference(wanted), wish.seed) if len(wanted) < wish.k else []
        else:
            wanted = readable if self.order == "first" else _shuffled(readable, wish.seed)
        return wanted + [image for image in free if image in unreadable]


@dataclass(frozen=True)
class _Wish:
    """One request, and the folder as it is at that moment."""

    annotator: str
    k: int
    seed: Any
    unlabelled: Sequence[str]
    labelled: set[str]
    scores: Mapping[str, ImageScore]


def strategies(desk: Desk, scores: ScoreTable, model: Callable[[], str]) -> dict[str, NextSample]:
    """All of them by name, the default first."""
    return {order: NextSample(order, desk, scores, model) for order in DESCRIPTIONS}


def check_strategy(request: dict[str, Any], known: Mapping[str, Any]) -> None:
    """Fill in the default strategy of a request; under the stock server too, an unknown one is a 404.

    Raises
    ------
    HTTPException
        404 with the names that there are.
    """
    name = request.get("strategy") or DEFAULT
    if not isinstance(name, str) or name not in known:
        raise HTTPException(404, f"There is no strategy {name!r} here. Strategies: {', '.join(known) or 'none'}.")
    request["strategy"] = name


def _by_scores(
    free: Sequence[str], taken: set[str], scores: Mapping[str, ImageScore], k: int, criterion: str
) -> list[str]:
    choices = [image for image in free if image in scores]
    done = sorted(image for image in taken if image in scores and scores[image].found is not None)
    names = [*choices, *done]
    if not choices:
        return []
    found = [scores[image].found for image in names]
    pool = Pool(
        np.stack([one.features for one in found]),
        np.array([one.doubt for one in found], dtype=float),
        np.array([one.dispersion for one in found], dtype=float),
        np.array([one.typical is False for one in found]),
        np.arange(len(names)) >= len(choices),
    )
    return [names[index] for index in pick(pool, k, criterion)]


def _shuffled(images: Iterable[str], seed: Any) -> list[str]:
    """In an order that depends on the seed and each image's own id alone: labelling one does not reorder the others."""
    key = secrets.token_hex() if seed is None else str(seed)
    return sorted(images, key=lambda image: hashlib.sha256(f"{key}\0{image}".encode()).digest())


def _count(request: Mapping[str, Any]) -> int | None:
    """How many images are asked for; None where the request does not say.

    Raises
    ------
    OptionError
        It is no whole number from 1 to `MOST_LEASES`.
    """
    value = request.get("k", request.get("count"))
    if value is None:
        return None
    number = value if isinstance(value, int) and not isinstance(value, bool) else None
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 10:
        number = int(value)
    if number is None or not 1 <= number <= MOST_LEASES:
        raise OptionError(f"the number of images k is {value!r}", remedy=f"Give a whole number from 1 to {MOST_LEASES}")
    return number
