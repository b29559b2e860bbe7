"""Inference in threads: a few at once, a bounded number waiting, everybody in turn, the rest told when to come."""

from __future__ import annotations

import asyncio
import contextvars
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from starlette.exceptions import HTTPException

from .metrics import Metrics

Answer = TypeVar("Answer")

#: More at once would only share the same processor cores.
AT_ONCE = 2


@dataclass
class _Client:
    """What one client has here, and when it was last served (a count of turns; -1: not lately)."""

    waiting: deque[asyncio.Future] = field(default_factory=deque)
    running: int = 0
    served: int = -1

    def claim(self) -> tuple[int, int]:
        """The less a client has running and the longer ago it was served, the sooner it is its turn."""
        return self.running, self.served


class InferenceQueue:
    """Runs work off the event loop; all of it is used from the event loop's thread.

    Clients are served in turn, however much each of them asks for: whoever has the least running and was served the
    longest ago is next. Where every place is taken, a client that has less than another one gets the last place of
    the one that has most, and one that has nothing a place of its own: nobody can keep the others out by being quick.

    Parameters
    ----------
    waiting : int
        How much may wait while `AT_ONCE` run.
    metrics : Metrics
    """

    #: Clients whose last turn is remembered; a flood of names must not fill the memory.
    REMEMBERED = 1000
    #: Places beyond ``waiting``, one each for clients that have nothing waiting and nothing running.
    FOR_THE_EMPTY_HANDED = 32

    def __init__(self, waiting: int, metrics: Metrics) -> None:
        self._places = waiting
        # Threads of their own: PyTorch keeps buffers for each thread that ever ran a network, so that in the pool that
        # all requests share, memory grows with every thread of it.
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="inference")
        self._clients: OrderedDict[str, _Client] = OrderedDict()
        self._running = self._waiting = self._turns = 0
        self._mean_s = 1.0
        self._metrics = metrics

    async def run(self, who: str, work: Callable[[], Answer]) -> Answer:
        """The answer of ``work``, done in the turn of the client ``who``.

        Raises
        ------
        HTTPException
            429 with ``Retry-After`` where every place is taken, or this one went to a client that had none.
        """
        client = self._client(who)
        await self._turn(client)
        try:
            context = contextvars.copy_context()
            return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, self._timed, work)
        finally:
            client.running -= 1
            self._running -= 1
            self._next()

    async def _turn(self, client: _Client) -> None:
        """Return when it is the client's turn; a thread is then taken."""
        if self._running < AT_ONCE and self._waiting == 0:
            self._start(client)
            return
        if self._waiting >= self._places:
            self._make_room_for(client)
        turn = asyncio.get_running_loop().create_future()
        client.waiting.append(turn)
        self._waiting += 1
        self._show()
        try:
            await turn
        except asyncio.CancelledError:
            if turn in client.waiting:
                client.waiting.remove(turn)
                self._waiting -= 1
            elif not turn.cancelled() and turn.exception() is None:  # started, and nobody is there to do it
                client.running -= 1
                self._running -= 1
                self._next()
            raise

    def _make_room_for(self, client: _Client) -> None:
        """Turn away the last of the client that has most waiting, or this one; of equals whoever was served last.

        A client that has nothing here gets a place of its own while there are `FOR_THE_EMPTY_HANDED` of them: among
        more clients than places, those who wait before they ask again would otherwise never be in time.
        """
        others = [other for other in self._clients.values() if other.waiting]
        fullest = max(others, key=lambda other: (len(other.waiting), other.served), default=None)
        most, least = len(fullest.waiting) if fullest else 0, len(client.waiting) + 1
        has_nothing = not (client.waiting or client.running)
        if most <= least and has_nothing and self._waiting < self._places + self.FOR_THE_EMPTY_HANDED:
            return
        if fullest is None or (most, fullest.served) <= (least, client.served):
            raise self._full()
        self._waiting -= 1
        fullest.waiting.pop().set_exception(self._full())

    def _next(self) -> None:
        while self._running < AT_ONCE and self._waiting:
            client = min((c for c in self._clients.values() if c.waiting), key=_Client.claim)
            turn = client.waiting.popleft()
            self._waiting -= 1
            if not turn.done():
                self._start(client)
                turn.set_result(None)
        self._show()

    def _start(self, client: _Client) -> None:
        self._turns += 1
        client.served = self._turns
        client.running += 1
        self._running += 1
        self._show()

    def _client(self, who: str) -> _Client:
        client = self._clients.setdefault(who, _Client())
        self._clients.move_to_end(who)
        for name in list(self._clients)[: max(0, len(self._clients) - self.REMEMBERED)]:
            if not (self._clients[name].waiting or self._clients[name].running):
                del self._clients[name]
        return client

    def _full(self) -> HTTPException:
        self._metrics.turned_away.inc()
        wait_s = max(1, math.ceil((self._running + self._waiting) / AT_ONCE * self._mean_s))
        return HTTPException(
            429,
            f"The server is busy with other images. Try again in {wait_s} seconds.",
            {"Retry-After": str(wait_s)},
        )

    def _timed(self, work: Callable[[], Answer]) -> Answer:
        started = time.perf_counter()
        try:
            return work()
        finally:
            seconds = time.perf_counter() - started
            self._mean_s += 0.2 * (seconds - self._mean_s)
            self._metrics.inference_seconds.observe(seconds)

    def _show(self) -> None:
        self._metrics.running.set(self._running)
        self._metrics.waiting.set(self._waiting)
