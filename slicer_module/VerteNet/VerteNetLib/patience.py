"""Waiting as long as a busy server asks to (Retry-After, RFC 9110, 10.2.3), as far as a person would."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from .failures import FailureKind, ServerError
from .i18n import _
from .interfaces import Progress

T = TypeVar("T")
#: Waits of one request, seconds, all together; after that the user is told instead.
LONGEST_S = 60.0
_STEP_S = 0.1


def patiently(progress: Progress, request: Callable[[], T], longest_s: float = LONGEST_S) -> T:
    """Do a request, again and again while the server is busy and says for how long.

    Raises
    ------
    ServerError
        As ``request``; that of a busy server where it says no time, or too long a one.
    jobs.CancelledError
        The user asked to stop.
    """
    ends = time.monotonic() + longest_s
    while True:
        progress.check()
        try:
            return request()
        except ServerError as error:
            if error.kind is not FailureKind.BUSY or error.retry_after_s is None:
                raise
            again = time.monotonic() + error.retry_after_s
            if again > ends:
                raise
        while (left := again - time.monotonic()) > 0:
            progress.report(_("The server is busy; trying again in {seconds:.0f} s").format(seconds=max(1.0, left)))
            time.sleep(min(_STEP_S, left))
