"""How often a wrong token may be presented from an address before it is no longer looked at."""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable


class FailedAttempts:
    """A sliding window of failures per pair of address and token.

    Behind a proxy or router many people have one address: what one of them presents must not keep the others out. A
    token has 256 random bits, so there is nothing to be won by trying many, and a client that repeats one wrong token
    (a revoked one, mostly) is told to wait.

    Parameters
    ----------
    limit : int
        Failures within ``window_s`` seconds after which the pair is kept waiting.
    clock : callable
        Seconds, monotonic.
    """

    #: Pairs remembered at most: a flood of tokens must not fill the memory.
    REMEMBERED = 10_000

    def __init__(self, limit: int = 10, window_s: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._window_s, self._clock = limit, window_s, clock
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def wait_s(self, address: str, token_sha256: str) -> int:
        """Whole seconds until this token from this address is looked at again; 0: now."""
        failures = self._failures.get((address, token_sha256), deque())
        now = self._clock()
        while failures and failures[0] <= now - self._window_s:
            failures.popleft()
        return math.ceil(failures[0] + self._window_s - now) if len(failures) >= self._limit else 0

    def failed(self, address: str, token_sha256: str) -> None:
        pair = (address, token_sha256)
        self._failures.setdefault(pair, deque(maxlen=self._limit)).append(self._clock())
        self._failures.move_to_end(pair)
        if len(self._failures) > self.REMEMBERED:
            self._failures.popitem(last=False)
