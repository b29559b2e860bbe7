"""Workers that are processes of this machine.

`concurrent.futures` gives up the whole pool when one process dies, and a queue that all share can be left locked by a
process that is killed; so each has a pipe of its own, and its end is the end of that pipe.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from ..errors import VerteNetError
from .dispatch import Lost, Ready, Unfit
from .reader import ImageReader, Job, MakeReader, Outcome, ReadingOptions

_END_S = 5.0


@dataclass(frozen=True, eq=False)
class ProcessWorker:
    """A process and our end of its pipe."""

    process: BaseProcess
    pipe: Connection


class ProcessCrew:
    """Starts processes afresh (spawn), each with the model and as many threads as the options say."""

    def __init__(self, options: ReadingOptions, make: MakeReader = ImageReader) -> None:
        self.options, self.make = options, make
        self._context = multiprocessing.get_context("spawn")

    def start(self) -> ProcessWorker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs, self.options, self.make), daemon=True)
        process.start()
        theirs.close()  # so that our end sees the end of the process
        return ProcessWorker(process, ours)

    def send(self, worker: ProcessWorker, job: Job) -> None:
        with suppress(OSError):  # it died; the next look at its pipe says so
            worker.pipe.send(job)

    def answers(
        self, workers: list[ProcessWorker], timeout: float
    ) -> list[tuple[ProcessWorker, Outcome | Ready | Unfit | Lost]]:
        by_pipe = {worker.pipe: worker for worker in workers}
        return [(by_pipe[pipe], _received(pipe)) for pipe in wait(list(by_pipe), timeout)]

    def stop(self, worker: ProcessWorker) -> None:
        worker.process.kill()  # it holds nothing that could be left half-written
        worker.process.join(_END_S)
        worker.pipe.close()


def _received(pipe: Connection) -> Outcome | Ready | Unfit | Lost:
    try:
        return pipe.recv()
    # A process that is killed while it writes leaves half a message, which fails to unpickle in many ways.
    except Exception:
        return Lost()


def _work(pipe: Connection, options: ReadingOptions, make: MakeReader) -> None:
    """The life of a worker: it ends when the other end of its pipe does, however that ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; the first one decides
    # Before torch is loaded: libraries that count threads by the environment are to count ours.
    if options.threads is not None:
        os.environ["OMP_NUM_THREADS"] = str(options.threads)
    try:
        reader = make(options)
    except VerteNetError as error:
        pipe.send(Unfit(error.sentence))
        return
    try:
        pipe.send(Ready())
        while True:
            pipe.send(reader(pipe.recv()))
    except (EOFError, OSError):
        return
