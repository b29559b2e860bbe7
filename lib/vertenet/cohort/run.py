"""Many images, one model: every image read once, its results kept at once, whatever happens to the process after it."""

from __future__ import annotations

import csv
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from .. import __version__
from ..files import write_bytes, write_text
from ..report.tables import write_results_csv
from .dicomweb import is_url
from .dispatch import dispatch
from .folder import CohortFolder, settings_of
from .items import Item
from .journal import Journal
from .names import result_places
from .page import write_pages
from .reader import ImageReader, Job, MakeReader, Outcome, ReadingOptions
from .sources import Found, find_items
from .summary import Summary
from .tables import RESULTS, csv_rows, write_tables

#: Where a cohort keeps the files of its images, in its own folder.
READINGS = "readings"


@dataclass(frozen=True)
class Workers:
    """Who reads the images.

    Attributes
    ----------
    count : int
        0 reads in this process, one image after another; otherwise processes or actors.
    ray : str or None
        Address of Ray (`vertenet.cohort.on_ray`); None: processes of this machine.
    """

    count: int = 1
    ray: str | None = None


@dataclass(frozen=True)
class Steps:
    """What is told of a run while it goes on: each is called with what its name says."""

    listed: Callable[[int, int], None] = lambda images, todo: None
    read: Callable[[Outcome], None] = lambda outcome: None


def read_cohort(
    inputs: Sequence[str],
    out: Path,
    options: ReadingOptions,
    *,
    workers: Workers = Workers(),
    retry_failed: bool = False,
    start_over: bool = False,
    steps: Steps = Steps(),
    make: MakeReader = ImageReader,
) -> Summary:
    """Read everything that the inputs hold into the folder ``out``; started again, it goes on where it stopped.

    Written there: ``results.csv`` (grows image by image), ``results.parquet``, ``failures.csv``, ``landmarks`` and
    ``vertebrae`` (long forms, CSV and Parquet), ``dictionary.csv``, ``summary.json``, ``index.html``, and the files of
    every image under ``readings/``.

    Parameters
    ----------
    inputs : sequence of str
        See `find_items`.
    retry_failed : bool
        Images that failed are read again; otherwise they stay failed.
    start_over : bool
        Nothing that was read before counts.
    make : callable
        What reads in every worker.

    Raises
    ------
    OptionError
        There is nothing to read, another run is writing to ``out``, or it was begun with other options.
    ModelError
        No worker can load the model.
    """
    import pyarrow  # noqa: F401  (what is missing is said before hours of work, not after)

    folder, began = CohortFolder(out), time.monotonic()
    with folder.held():
        if start_over:
            folder.forget()
        named = [given if is_url(given) else os.path.abspath(given) for given in inputs]
        folder.agree(settings_of(options, named, "cohort"))
        found = find_items(inputs, besides=out)
        with Journal(folder.journal) as journal:
            again = {path for path, entry in journal.entries.items() if entry.failed} if retry_failed else set()
            read_items(
                found.items, journal, folder, options, workers, within=READINGS, again=again, steps=steps, make=make
            )
            return _finish(found, journal, out, time.monotonic() - began)


def predict_images(
    inputs: Sequence[str],
    out: Path,
    options: ReadingOptions,
    *,
    steps: Steps = Steps(),
    make: MakeReader = ImageReader,
) -> list[dict[str, object]]:
    """Read images in this process and write their files and ``results.csv`` to ``out``; gives its rows in their order.

    Ended before it is through it goes on when it is started again in the same way; when it is through, no record of it
    is kept, and it reads everything again.

    Raises
    ------
    OptionError
        There is nothing to read, or ``out`` belongs to another run or to a cohort.
    """
    found = find_items(inputs, besides=out)
    folder = CohortFolder(out)
    settings = settings_of(options, [item.path for item in found.items], "predict")
    with folder.held():
        if folder.began("predict") and not folder.agrees(settings):
            folder.forget()
        folder.agree(settings)
        with Journal(folder.journal) as journal:
            read_items(found.items, journal, folder, options, Workers(0), steps=steps, make=make)
            rows = [record["row"] for record in journal.records(item.path for item in found.items)]
        write_results_csv(rows, out / "results.csv")
        shutil.rmtree(folder.settings.parent, ignore_errors=True)
    return rows


def read_items(
    items: Sequence[Item],
    journal: Journal,
    folder: CohortFolder,
    options: ReadingOptions,
    workers: Workers,
    *,
    within: str = "",
    again: Iterable[str] = (),
    steps: Steps = Steps(),
    make: MakeReader = ImageReader,
) -> None:
    """Read the images that are not in the journal, and those ``again`` that are; every one is kept before the next.

    An image's files are whole on the disk before its record is, so a record promises its files.
    """
    again = set(again)
    places = result_places(items, {path: entry.place for path, entry in journal.entries.items()}, within)
    todo = [
        Job(item, place) for item, place in zip(items, places) if item.path in again or item.path not in journal.entries
    ]
    steps.listed(len(items), len(todo))
    if not todo:
        return
    options = replace(options, scratch=str(folder.scratch))
    kept = [path for path in journal.entries if path not in again]
    with (
        _growing(folder.path / "results.csv", journal, kept) as table,
        closing(_outcomes(todo, options, workers, make)) as outcomes,  # a full disk ends the workers too
    ):
        for outcome in outcomes:
            for ending, content in outcome.files.items():
                write_bytes(folder.path / f"{outcome.place}{ending}", content)
            journal.append(outcome)
            table(outcome.row)
            steps.read(outcome)


def _outcomes(todo: Sequence[Job], options: ReadingOptions, workers: Workers, make: MakeReader) -> Iterator[Outcome]:
    count = min(workers.count, len(todo))
    if workers.ray is not None:
        from .on_ray import RayCrew

        with RayCrew(options, workers.ray, max(count, 1), make) as crew:
            yield from dispatch(todo, crew, max(count, 1))
    elif count:
        from .processes import ProcessCrew

        yield from dispatch(todo, ProcessCrew(options, make), count)
    else:
        yield from map(make(options), todo)


@contextmanager
def _growing(path: Path, journal: Journal, kept: Iterable[str]) -> Iterator[Callable]:
    """``results.csv`` as far as it is known, open for further rows."""
    write_results_csv((record["row"] for record in journal.records(kept)), path)
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)

        def add(row) -> None:
            writer.writerows(csv_rows([row], RESULTS))
            file.flush()

        yield add


def _finish(found: Found, journal: Journal, out: Path, seconds: float) -> Summary:
    """Write every table and page of what is in the journal, in the order in which images are listed."""
    listed = {item.path for item in found.items}
    gone = [path for path in journal.entries if path not in listed]  # read before, and no longer there
    paths = [item.path for item in found.items if item.path in journal.entries] + gone
    summary = Summary()
    for record in journal.records(paths):
        summary.add(record["row"])
    write_tables(journal, paths, out)
    write_pages(journal, paths, out, summary, found.passed_over)
    facts = {
        "format": "vertenet-cohort-summary/1",
        "software": f"vertenet {__version__}",
        "listed": len(found.items),
        "no_longer_listed": len(gone),
        "passed_over": dict(found.passed_over.most_common()),
        "seconds_of_this_run": round(seconds, 1),
    }
    write_text(out / "summary.json", json.dumps({**facts, **summary.to_dict()}, indent=1) + "\n")
    return summary
