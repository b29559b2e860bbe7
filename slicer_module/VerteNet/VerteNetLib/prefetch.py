"""The next image while the present one is read: fetched, and looked at by the model, before anybody waits for it."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional

from .answers import Origin, OtherReading, Proposal, Sample
from .i18n import _
from .interfaces import Progress, Server
from .library import Library
from .link import Link


@dataclass(frozen=True)
class Wish:
    """How the next image is asked for. ``landmarks``: with what the model says of it; ``anterior`` as there.

    ``second``: one that another has read: `BLINDED`, without what he said, or `SEEN`, from his landmarks; empty: none.
    """

    strategy: str = "hybrid"
    anterior: str = "file"
    landmarks: bool = True
    second: str = ""


BLINDED, SEEN = "blinded", "seen"


@dataclass(frozen=True)
class Ready:
    """An image of the server that can be shown at once."""

    sample: Sample
    path: Path
    origin: Origin
    proposal: Optional[Proposal] = None
    others: tuple[OtherReading, ...] = ()


class Prefetch:
    """At most one image ahead; it is leased to this reader like any other."""

    def __init__(self, link: Link, library: Library) -> None:
        self._link, self._library = link, library
        self._ready: Optional[tuple[Wish, Ready]] = None
        self._asked: Optional[Wish] = None
        self._waiting: Optional[Callable[[Optional[Ready]], None]] = None

    def begin(self, wish: Wish, known: Container[str]) -> None:
        """Fetch quietly. ``known``: ids that are no news; what fails is fetched in the foreground later."""
        if self._asked is not None or self.peek(wish) is not None or not self._link.online:
            return
        self._asked, self._ready = wish, None

        def work(server: Server, progress: Progress) -> Optional[Ready]:
            return self.fetch(server, progress, wish, known)

        self._link.run(_("Fetching the next image"), work, self._came, lambda _error: self._came(None), quiet=True)

    def fetch(self, server: Server, progress: Progress, wish: Wish, known: Container[str] = ()) -> Optional[Ready]:
        """The next image, for a thread of its own; None where nothing is left. Raises `ServerError`."""
        sample = server.next_second(known) if wish.second else server.next_sample(wish.strategy)
        if sample is None or sample.image_id in known:
            return None
        path, origin = self._library.fetch(server, self._link.origin(sample.image_id), progress)
        others = server.comparison(sample.image_id).readings if wish.second == SEEN else ()
        if not wish.landmarks:
            return Ready(sample, path, origin, others=others)
        proposal = server.infer(sample.image_id, {"anterior": wish.anterior}, None, origin.sha256)
        return Ready(sample, path, origin, proposal, others)

    def peek(self, wish: Wish) -> Optional[Ready]:
        """What is ready for this wish, of the server that is connected."""
        if self._ready is None or self._ready[0] != wish or self._ready[1].origin.store != self._link.store:
            return None
        return self._ready[1]

    def take(self, wish: Wish) -> Optional[Ready]:
        """What is ready, which is not ahead any more then. A reading of a model that is served no more is left out."""
        ready = self.peek(wish)
        if ready is None:
            return None
        self._ready = None
        served = "" if self._link.info is None else self._link.info.model_version
        if ready.proposal is not None and served and ready.proposal.model_version != served:
            return replace(ready, proposal=None)
        return ready

    def is_under_way(self, wish: Wish) -> bool:
        return self._asked == wish

    def when_it_came(self, call: Callable[[Optional[Ready]], None]) -> None:
        """``call`` gets what is under way, None where it failed or nothing is left."""
        self._waiting = call

    def forget(self) -> None:
        """Another server, or none."""
        self._ready = self._asked = self._waiting = None

    def _came(self, ready: Optional[Ready]) -> None:
        wish, self._asked = self._asked, None
        if wish is not None and ready is not None:
            self._ready = wish, ready
        waiting, self._waiting = self._waiting, None
        if waiting is not None and wish is not None:
            waiting(self.take(wish))
