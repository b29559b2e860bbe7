"""Workers that are Ray actors: of a Ray started here, or of a cluster. Needs the extra ``vertenet[ray]``.

The workers of a cluster must have vertenet and the images (the same network drive, or a DICOMweb server) at hand; what
they find travels back, and only this process writes.
"""

from __future__ import annotations

import logging
import os
import socket
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ..errors import OptionError, VerteNetError
from .dispatch import Lost, Ready, Unfit
from .reader import ImageReader, Job, MakeReader, Outcome, ReadingOptions

LOCAL = "local"
_KNOCK_S = 10.0


@dataclass(eq=False)
class RayWorker:
    """An actor and what it was asked last."""

    actor: object
    asked: list = field(default_factory=list)


class RayCrew:
    """Connects to Ray and starts actors; use it as a context.

    Parameters
    ----------
    address : str
        ``local`` starts Ray on this machine; otherwise as `ray.init` takes it: ``auto``, ``host:6379``,
        ``ray://host:10001``.
    count : int
        Workers that will be started, by which the GPUs are shared where the options ask for CUDA.

    Raises
    ------
    ModuleNotFoundError
        Ray is not installed.
    OptionError
        It cannot be reached.
    """

    def __init__(self, options: ReadingOptions, address: str, count: int, make: MakeReader = ImageReader) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read when it is imported: it reports to nobody
        import ray

        self._ray = ray
        try:
            _knock(address)
            ray.init(
                address=address,
                num_cpus=max(count, os.cpu_count() or 1) if address == LOCAL else None,
                include_dashboard=False if address == LOCAL else None,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (ray.exceptions.RayError, RuntimeError, ValueError, OSError) as error:
            raise OptionError(
                f"Ray cannot be reached at {address!r} ({str(error)[:200].splitlines()[0]})",
                remedy="Start it there, or use --ray local",
            ) from error
        needs = {"num_cpus": 1, "max_restarts": 0, "max_task_retries": 0}
        if options.device != "cpu":
            gpus = ray.cluster_resources().get("GPU", 0)
            needs["num_gpus"] = min(1.0, gpus / count)
        self._needs = needs
        self._made_with = options, make

    def __enter__(self) -> RayCrew:
        return self

    def __exit__(self, *exception) -> None:
        self._ray.shutdown()

    def start(self) -> RayWorker:
        actor = self._ray.remote(**self._needs)(RayReader).remote(*self._made_with)
        return RayWorker(actor, [actor.load.remote()])

    def send(self, worker: RayWorker, job: Job) -> None:
        worker.asked = [worker.actor.read.remote(job)]

    def answers(
        self, workers: list[RayWorker], timeout: float
    ) -> list[tuple[RayWorker, Outcome | Ready | Unfit | Lost]]:
        by_asked = {asked: worker for worker in workers for asked in worker.asked}
        done, _ = self._ray.wait(list(by_asked), num_returns=1, timeout=timeout)
        answers = []
        for asked in done:
            worker = by_asked[asked]
            worker.asked = []
            try:
                answers.append((worker, self._ray.get(asked)))
            except self._ray.exceptions.RayError:
                answers.append((worker, Lost()))
        return answers

    def stop(self, worker: RayWorker) -> None:
        self._ray.kill(worker.actor)


def _knock(address: str) -> None:
    """Raise OSError where nobody listens at ``host:port``: Ray itself tries for a minute and more."""
    parts = urlsplit(address if "://" in address else f"//{address}")
    if parts.hostname and parts.port:
        socket.create_connection((parts.hostname, parts.port), timeout=_KNOCK_S).close()


class RayReader:
    """The actor: loads the model, reads images."""

    def __init__(self, options: ReadingOptions, make: MakeReader) -> None:
        self.options, self.make = options, make

    def load(self) -> Ready | Unfit:
        try:
            self.reader = self.make(self.options)
        except VerteNetError as error:
            return Unfit(error.sentence)
        return Ready()

    def read(self, job: Job) -> Outcome:
        return self.reader(job)
