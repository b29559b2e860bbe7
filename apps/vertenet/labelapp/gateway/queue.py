"""Inference in threads: a few at once, a bounded number waiting, the rest told when to come again."""

from __future__ import annotations

import asyncio
import contextvars
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.exceptions import HTTPException

from .metrics import Metrics

Answer = TypeVar("Answer")

#: More at once would only share the same processor cores.
AT_ONCE = 2


class InferenceQueue:
    """Runs work off the event loop.

    Parameters
    ----------
    waiting : int
        How much may wait while `AT_ONCE` run.
    metrics : Metrics
    """

    def __init__(self, waiting: int, metrics: Metrics) -> None:
        self._places = AT_ONCE + waiting
        # Threads of their own: PyTorch keeps buffers for each thread that ever ran a network, so that in the pool that
        # all requests share, memory grows with every thread of it.
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="inference")
        self._inside = 0
        self._mean_s = 1.0
        self._metrics = metrics

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """The answer of ``work``.

        Raises
        ------
        HTTPException
            429 with ``Retry-After`` where every place is taken.
        """
        if self._inside >= self._places:
            self._metrics.turned_away.inc()
            wait_s = max(1, math.ceil(self._inside / AT_ONCE * self._mean_s))
            raise HTTPException(
                429,
                f"The server is busy with other images. Try again in {wait_s} seconds.",
                {"Retry-After": str(wait_s)},
            )
        self._inside += 1
        self._show()
        try:
            context = contextvars.copy_context()
            return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, self._timed, work)
        finally:
            self._inside -= 1
            self._show()

    def _timed(self, work: Callable[[], Answer]) -> Answer:
        started = time.perf_counter()
        try:
            return work()
        finally:
            seconds = time.perf_counter() - started
            self._mean_s += 0.2 * (seconds - self._mean_s)
            self._metrics.inference_seconds.observe(seconds)

    def _show(self) -> None:
        self._metrics.running.set(min(self._inside, AT_ONCE))
        self._metrics.waiting.set(max(0, self._inside - AT_ONCE))
