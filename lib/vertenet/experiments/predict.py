"""Predictions of one weight file on the cases of a cohort, as a long table on disk that grows image by image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from ..errors import VerteNetError
from ..evaluation.landmark_table import COLUMNS, landmark_rows, read_tables
from ..files import write_text
from ..inference import Predictor
from ..spine import STANDARD_LEVELS
from .data import Cohort, Source


@dataclass(frozen=True)
class Variant:
    """One way of reading an image with the same weights.

    ``refine`` and ``calibrated`` as for `Predictor`. ``anterior`` "auto" has the model find the side that is anterior;
    None gives it the true one.
    """

    name: str
    decoder: str = "levels"
    refine: bool = False
    calibrated: bool | None = None
    anterior: str | None = None

    @classmethod
    def of(cls, decoder: str) -> Variant:
        """A decoder with what belongs to it: the authors' top-six refuses nothing and has no error radii."""
        return cls(decoder, decoder, calibrated=False if decoder == "top-six" else None)

    def predictor(self, weights: Path) -> Predictor:
        return Predictor(weights, decoder=self.decoder, refine=self.refine, calibrated=self.calibrated)


def predict_cases(
    weights: Path,
    source: Source,
    indices: Sequence[int],
    variants: Sequence[Variant],
    path: Path,
    *,
    workers: int = 1,
    threads: int = 1,
    readings: Path | None = None,
    report: Callable[[int], None] = lambda images: None,
) -> pd.DataFrame:
    """Read the cases ``indices`` of ``source`` in every way of ``variants`` and write ``path``.

    The table has the columns of `vertenet.evaluation.landmark_table` and, first, ``variant``. Every image is written as
    soon as it is read; images that are whole in the file already are not read again. An image that cannot be read is
    in the table too, with nothing found and the reason as its ``problem``.

    Parameters
    ----------
    workers : int
        Processes; 1 reads in this one.
    threads : int
        CPU threads of each.
    readings : Path, optional
        A folder to keep every reading in, as `reading_file` names it.
    report : callable
        Called with the number of images that are new in the table.
    """
    cohort = Cohort(source)
    done = _kept(path, len(variants))
    todo = [index for index in indices if cohort[index].name not in done]
    report(len(indices) - len(todo))
    with (
        _readers(workers, weights, source, variants, threads, readings) as read,
        path.open("a", encoding="utf-8") as file,
    ):
        for rows in read(todo):
            rows.to_csv(file, index=False, header=False, lineterminator="\n")
            file.flush()
            report(1)
    return read_tables([path])


def reading_file(folder: Path, image: str, variant: int) -> Path:
    """Where the reading of an image in the variant of this number is kept."""
    return folder / f"{image}.{variant}.reading.json"


class _Reader:
    """Weights loaded once for every variant, and the cohort to read with them."""

    def __init__(
        self, weights: Path, source: Source, variants: Sequence[Variant], threads: int, readings: Path | None
    ) -> None:
        torch.set_num_threads(threads)
        self.cohort, self.variants, self.readings = Cohort(source), variants, readings
        self.predictors = [variant.predictor(weights) for variant in variants]

    def __call__(self, index: int) -> pd.DataFrame:
        case = self.cohort.case(index)
        known = {
            **{"image": case.name, "person": case.person, "scanner": case.scanner, "grades": case.grades},
            **{"centres": case.centres, "set": case.set, "doubtful": case.doubtful},
        }
        problem, radiograph = "", None
        try:
            radiograph = case.radiograph()
        except VerteNetError as error:
            problem = error.sentence
        parts = []
        for number, (variant, predictor) in enumerate(zip(self.variants, self.predictors)):
            reading = None if radiograph is None else predictor(radiograph, anterior=variant.anterior)
            truth = case.spine
            if reading is not None and not case.side_known:
                truth = replace(truth, anterior=reading.spine.anterior)
            rows = landmark_rows(reading, truth, problem=problem, **known)
            if not case.side_known:
                rows["anterior_right"] = np.nan
            if reading is not None and self.readings is not None:
                write_text(reading_file(self.readings, case.name, number), reading.to_json() + "\n")
            rows.insert(0, "variant", variant.name)
            parts.append(rows)
        return pd.concat(parts, ignore_index=True)


@contextmanager
def _readers(workers: int, *arguments) -> Iterator[Callable[[Sequence[int]], Iterator]]:
    """A function from indices to their rows in order, backed by this process or by several."""
    if workers <= 1:
        reader: list[_Reader] = []

        def read(indices: Sequence[int]) -> Iterator:
            for index in indices:
                if not reader:  # nothing to read needs no weights
                    reader.append(_Reader(*arguments))
                yield reader[0](index)

        yield read
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _start_worker, arguments) as pool:
        yield lambda indices: pool.map(_read_in_worker, indices)


_worker: list[_Reader] = []


def _start_worker(*arguments) -> None:
    _worker.append(_Reader(*arguments))


def _read_in_worker(index: int) -> pd.DataFrame:
    return _worker[0](index)


def _kept(path: Path, variants: int) -> set[str]:
    """Names of the images that are whole in the file; it is rewritten without what a killed run left half-done."""
    if not path.exists():
        write_text(path, ",".join(("variant", *COLUMNS)) + "\n")
        return set()
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    whole_lines = "".join(line for line in lines if line.endswith("\n"))
    write_text(path, whole_lines)
    table = read_tables([path])
    whole = table.groupby("image").filter(lambda rows: _is_whole(rows, variants))
    if len(whole) < len(table):
        write_text(path, whole.to_csv(index=False, lineterminator="\n"))
    return set(whole["image"])


def _is_whole(rows: pd.DataFrame, variants: int) -> bool:
    counts = rows.groupby(["variant", "level"]).size()
    ways = counts.groupby(level="variant")
    return len(ways) == variants and all(len(c) == len(STANDARD_LEVELS) and c.nunique() == 1 for _, c in ways)
