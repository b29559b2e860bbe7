"""Work in the background, results in the main thread, without Qt.

Slicer runs Python threads only while its main thread lets go of the interpreter. So a timer of the application calls
`Jobs.poll` every few tens of milliseconds; while work is under way it sleeps for a moment, and then delivers what has
come. Everything that a caller passes to `Jobs.start` except ``work`` runs in the thread that calls `Jobs.poll`.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Optional, TypeVar

from vertenet.errors import VerteNetError

from .i18n import _
from .interfaces import Progress, Unsubscribe
from .listeners import Listeners

T = TypeVar("T")
#: What `Jobs.poll` leaves to the other threads while they work; a screen's frame lasts 16 ms.
YIELD_S = 0.003


class CancelledError(VerteNetError):
    """The user asked to stop."""

    def __init__(self) -> None:
        super().__init__(_("Stopped."))


class _Job:
    """One piece of work; its own `interfaces.Progress`."""

    def __init__(self, label: str, quiet: bool, changed: Callable[[], None]) -> None:
        self.quiet = quiet
        self.progress: tuple[str, Optional[float]] = (label, None)
        self.failed: Callable[[Exception], None] = _nothing
        self._changed = changed
        self._stop = threading.Event()

    def report(self, sentence: str, fraction: Optional[float] = None) -> None:
        self.check()
        self.progress = (sentence, fraction)
        self._changed()

    def check(self) -> None:
        if self._stop.is_set():
            raise CancelledError

    def stop(self) -> None:
        self._stop.set()


class Jobs:
    """Background work of one window.

    At most one job is in the foreground: `busy`, `progress` and `cancel` are about that one. Quiet jobs (looking how
    training goes) run beside it. Timers run in the thread that polls.

    Examples
    --------
    >>> jobs, results = Jobs(), []
    >>> jobs.start("adding", lambda progress: 1 + 1, results.append, print)
    >>> jobs.wait()
    >>> results
    [2]
    """

    def __init__(self) -> None:
        self._current: Optional[_Job] = None
        self._quiet: set[_Job] = set()
        self._ended: queue.SimpleQueue = queue.SimpleQueue()
        self._timers: dict[object, tuple[float, Callable[[], None]]] = {}
        #: Called by `poll` after progress was reported and after a job began or ended.
        self.listeners = Listeners()
        self._news = threading.Event()

    @property
    def busy(self) -> bool:
        return self._current is not None

    @property
    def idle(self) -> bool:
        """Nothing is under way, in the foreground or beside it."""
        return self._current is None and not self._quiet

    @property
    def progress(self) -> Optional[tuple[str, Optional[float]]]:
        """What the foreground job does, as a sentence, and the share of it that is done, 0 to 1, where known."""
        return None if self._current is None else self._current.progress

    def start(
        self,
        label: str,
        work: Callable[[Progress], T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None],
        *,
        quiet: bool = False,
    ) -> None:
        """Run ``work`` in a thread.

        Parameters
        ----------
        label : str
            What is shown until the work says more.
        work : callable
            Gets a `interfaces.Progress`. Must not touch Qt or MRML.
        done, failed : callable
            One of the two is called by `poll`, with the result or the error.
        quiet : bool
            Beside the foreground job, and not ended by `cancel`.

        Raises
        ------
        RuntimeError
            Another foreground job is under way; callers look at `busy` first.
        """
        if not quiet and self.busy:
            raise RuntimeError("one job at a time")
        job = _Job(label, quiet, self._news.set)
        job.failed = failed
        if quiet:
            self._quiet.add(job)
        else:
            self._current = job

        def run() -> None:
            try:
                result = work(job)
            except Exception as error:  # whatever it is, it belongs to the thread that waits for it
                self._ended.put((job, failed, error))
            else:
                self._ended.put((job, done, result))

        self._news.set()
        threading.Thread(target=run, name=f"VerteNet: {label}", daemon=True).start()

    def cancel(self) -> None:
        """End the foreground job for the user at once; its thread ends when its current request does.

        ``failed`` gets `CancelledError` here and now, and nothing is heard of the job again.
        """
        job, self._current = self._current, None
        if job is not None:
            job.stop()
            job.failed(CancelledError())
            self.listeners.tell()

    def after(self, seconds: float, call: Callable[[], None]) -> Unsubscribe:
        """Let `poll` call ``call`` once, not sooner than in ``seconds``; the answer takes that back."""
        key = object()
        self._timers[key] = (time.monotonic() + seconds, call)
        return lambda: self._timers.pop(key, None) and None

    def poll(self) -> None:
        """Deliver what has come; to be called by a timer of the main thread."""
        if not self.idle:
            time.sleep(YIELD_S)
        while True:
            try:
                job, deliver, value = self._ended.get_nowait()
            except queue.Empty:
                break
            self._deliver(job, deliver, value)
        now = time.monotonic()
        for key in [key for key, (due, _call) in self._timers.items() if due <= now]:
            timer = self._timers.pop(key, None)  # an earlier one may have taken it back
            if timer is not None:
                timer[1]()
        if self._news.is_set():
            self._news.clear()
            self.listeners.tell()

    def wait(self, timeout_s: float = 60.0, until: Optional[Callable[[], Any]] = None) -> None:
        """Poll until nothing is under way, or until ``until`` says so; for tests and scripts.

        Raises
        ------
        TimeoutError
            It took longer.
        """
        finished = until or (lambda: self.idle)
        deadline = time.monotonic() + timeout_s
        self.poll()
        while not finished():
            if time.monotonic() > deadline:
                raise TimeoutError(f"still under way after {timeout_s:.0f} s: {self.progress}")
            self.poll()
            time.sleep(YIELD_S)

    def _deliver(self, job: _Job, deliver: Callable[[Any], None], value: Any) -> None:
        if job.quiet:
            self._quiet.discard(job)
        elif job is self._current:
            self._current = None
        else:
            return  # it was cancelled
        self._news.set()
        deliver(value)


def _nothing(_error: Exception) -> None:
    """Until a job knows who waits for it."""
