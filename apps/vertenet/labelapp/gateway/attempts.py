"""How often an address may present a wrong token before it has to wait."""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable


class FailedAttempts:
    """A sliding window of failures per address.

    Parameters
    ----------
    limit : int
        Failures within ``window_s`` seconds after which an address is kept waiting.
    clock : callable
        Seconds, monotonic.

    Notes
    -----
    A token that was accepted from an address before stays accepted from there, so that one person's wrong token does
    not lock out the colleagues behind the same proxy or router.
    """

    #: Addresses and tokens remembered at most: a flood of addresses must not fill the memory.
    REMEMBERED = 10_000

    def __init__(self, limit: int = 10, window_s: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._window_s, self._clock = limit, window_s, clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def wait_s(self, address: str, token_sha256: str) -> int:
        """Whole seconds that ``address`` has to wait before this token is looked at; 0: none."""
        if (address, token_sha256) in self._known:
            return 0
        failures = self._failures.get(address, deque())
        now = self._clock()
        while failures and failures[0] <= now - self._window_s:
            failures.popleft()
        return math.ceil(failures[0] + self._window_s - now) if len(failures) >= self._limit else 0

    def failed(self, address: str) -> None:
        failures = self._failures.setdefault(address, deque(maxlen=self._limit))
        failures.append(self._clock())
        _remember(self._failures, address, self.REMEMBERED)

    def succeeded(self, address: str, token_sha256: str) -> None:
        self._known[address, token_sha256] = None
        _remember(self._known, (address, token_sha256), self.REMEMBERED)


def _remember(memory: OrderedDict, key: object, size: int) -> None:
    memory.move_to_end(key)
    if len(memory) > size:
        memory.popitem(last=False)
