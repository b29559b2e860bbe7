"""A log that cannot be flooded: of what is said over and over, a few lines a minute and a count of the others."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

#: Lines from one place in the code, within so many seconds.
MOST, WINDOW_S = 20, 60.0


class FloodFilter(logging.Filter):
    """Passes `MOST` lines of each place in the code in `WINDOW_S`; the next line after that says how many were not.

    Parameters
    ----------
    clock : callable
        Seconds, monotonic.
    """

    def __init__(
        self, most: int = MOST, window_s: float = WINDOW_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._most, self._window_s, self._clock = most, window_s, clock
        self._places: dict[tuple[str, str, int], list[float]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written; a few places in the code exist, so they may all be remembered."""
        now = self._clock()
        place = self._places.setdefault((record.name, record.pathname, record.lineno), [now, 0])
        if now - place[0] > self._window_s:
            left_out = int(place[1]) - self._most
            place[:] = [now, 0]
            if left_out > 0:
                record.msg = f"{record.getMessage()} (and {left_out} more like this since the last one)"
                record.args = None
        place[1] += 1
        return place[1] <= self._most


def guard_logs() -> None:
    """Put a `FloodFilter` on every handler of the server's own loggers; what tasks print is left alone."""
    for name in (None, "uvicorn", "uvicorn.access", "urllib3.connectionpool"):
        for handler in logging.getLogger(name).handlers:
            handler.addFilter(FloodFilter())
