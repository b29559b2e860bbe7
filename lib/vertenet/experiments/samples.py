"""Training samples of a cohort, made once per input size and shared by every network that sees it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path

from ..learning.cases import case_samples
from ..learning.samples import Samples, load_shard, save_shard
from .data import Cohort, Source

#: Cases in a file of the cache.
SHARD = 25


def samples_of(
    cohort: Cohort,
    size: tuple[int, int],
    cache: Path,
    *,
    workers: int = 1,
    report: Callable[[int], None] = lambda count: None,
) -> Samples:
    """The cohort's samples in its order, faced right and resized to ``size`` (rows, columns).

    They are kept in ``cache`` in files of `SHARD` cases, named by a hash of the cohort and the size. ``report`` is
    called with the number of cases of each finished file.
    """
    shards = [range(i, min(i + SHARD, len(cohort))) for i in range(0, len(cohort), SHARD)]
    paths = [cache / _name(cohort, size, shard) for shard in shards]
    missing = [(shard, path) for shard, path in zip(shards, paths) if not path.exists()]
    report(len(cohort) - sum(len(shard) for shard, _ in missing))
    if workers <= 1:
        for job in missing:
            report(_make_shard(cohort, size, job))
    elif missing:
        # A case's loader cannot be sent to another process; where it comes from can.
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for count in pool.map(partial(_make_shard, cohort.source, size), missing):
                report(count)
    return Samples.concatenate([load_shard(path) for path in paths])


def _name(cohort: Cohort, size: tuple[int, int], shard: Sequence[int]) -> str:
    key = hashlib.sha256(f"{cohort.fingerprint} {tuple(size)}".encode()).hexdigest()[:16]
    return f"{key}-{size[0]}x{size[1]}-{shard[0]}-{len(shard)}.npz"


def _make_shard(source: Cohort | Source, size: tuple[int, int], job: tuple[Sequence[int], Path]) -> int:
    shard, path = job
    cohort = source if isinstance(source, Cohort) else _cohort(source)
    save_shard(case_samples((cohort.case(i) for i in shard), size), path)
    return len(shard)


@lru_cache(maxsize=1)
def _cohort(source: Source) -> Cohort:
    """A worker lists a folder once, not for every file of the cache."""
    return Cohort(source)
