"""Jobs to workers and outcomes back, whatever the workers are: processes or Ray actors.

A worker has one image in hand. Where it dies (memory, SIGKILL) or does not come back, another one takes its place and
the image is tried once more; the second time it is listed as failed, and every other image goes on undisturbed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from ..errors import ModelError
from .reader import Job, Outcome, failure

W = TypeVar("W")
#: Seconds that an image may take; the slowest one of a busy machine takes some tens.
PATIENCE_S = 900.0
#: Deaths in a row before any worker was ready: then it is not the images.
MOST_FALSE_STARTS = 3
#: How often an image may be in the hands of a worker that dies.
TRIES = 2
_LOOK_S = 5.0


class Ready:
    """A worker's first answer: its model is loaded."""


@dataclass(frozen=True)
class Unfit:
    """A worker's first answer where it cannot work; ``sentence`` says why."""

    sentence: str


class Lost:
    """In place of an answer: the worker is gone."""


class Crew(Protocol[W]):
    """Starts workers and talks to them."""

    def start(self) -> W:
        """A new worker, which answers `Ready` or `Unfit` in its own time."""

    def send(self, worker: W, job: Job) -> None:
        """Give it an image; a worker that died meanwhile is for `answers` to tell."""

    def answers(self, workers: list[W], timeout: float) -> list[tuple[W, Outcome | Ready | Unfit | Lost]]:
        """What came within ``timeout`` seconds; at least one answer unless that passed."""

    def stop(self, worker: W) -> None:
        """End it, whatever it is doing."""


@dataclass
class _Hand(Generic[W]):
    """A worker, whether it has answered at all, and what it has in hand since when."""

    worker: W
    ready: bool = False
    job: Job | None = None
    since: float = 0.0


class _Jobs:
    """Jobs that are still to be given out; those put back come first."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._rest, self._back = iter(jobs), []

    def take(self) -> Job | None:
        return self._back.pop() if self._back else next(self._rest, None)

    def put_back(self, job: Job) -> None:
        self._back.append(job)

    def __bool__(self) -> bool:
        job = self.take()
        if job is not None:
            self.put_back(job)
        return job is not None


def dispatch(jobs: Iterable[Job], crew: Crew, count: int, *, patience: float = PATIENCE_S) -> Iterator[Outcome]:
    """Outcomes of all jobs as they come, from ``count`` workers; no more jobs are taken than there are workers.

    Raises
    ------
    ModelError
        No worker can be started.
    """
    todo, tries, false_starts = _Jobs(jobs), Counter(), 0
    hands: list[_Hand] = []

    def give(hand: _Hand) -> None:
        hand.job, hand.since = todo.take(), time.monotonic()
        if hand.job is not None:
            crew.send(hand.worker, hand.job)

    def replace(hand: _Hand, why: str) -> list[Outcome]:
        """Another worker; the image in hand is tried again, or its failure is the outcome."""
        crew.stop(hand.worker)
        hands[hands.index(hand)] = _Hand(crew.start())
        if hand.job is None:
            return []
        tries[hand.job.item.path] += 1
        if tries[hand.job.item.path] < TRIES:
            todo.put_back(hand.job)
            return []
        return [failure(hand.job, f"{why} while it read the image, {TRIES} times", remedy="Look at the file by itself")]

    try:
        if todo:
            hands += [_Hand(crew.start()) for _ in range(count)]
        while todo or any(hand.job for hand in hands):
            for hand in hands:
                if hand.ready and hand.job is None:
                    give(hand)
            outcomes: list[Outcome] = []
            by_worker = {id(hand.worker): hand for hand in hands}
            for worker, answer in crew.answers([hand.worker for hand in hands], _LOOK_S):
                hand = by_worker[id(worker)]
                if isinstance(answer, Unfit):
                    raise ModelError(f"a worker cannot start: {answer.sentence}")
                if isinstance(answer, Lost):
                    false_starts = 0 if hand.ready else false_starts + 1
                    if false_starts >= MOST_FALSE_STARTS:
                        raise ModelError(
                            f"{false_starts} workers in a row ended before they were ready",
                            remedy="There may be too little memory for them: use fewer workers",
                        )
                    outcomes += replace(hand, "its worker died")
                elif isinstance(answer, Ready):
                    hand.ready, false_starts = True, 0
                else:
                    outcomes.append(answer)
                    give(hand)  # before anybody looks at the outcome, so that the worker is not idle meanwhile
            for hand in [hand for hand in hands if hand.job and time.monotonic() - hand.since > patience]:
                outcomes += replace(hand, f"its worker did not come back within {patience:g} s")
            yield from outcomes
    finally:
        for hand in hands:
            crew.stop(hand.worker)
