"""The tables of a cohort, written from its journal row by row: a row an image, a point, a vertebra; CSV and Parquet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..files import beside
from ..report.dictionary import FAILURES, LANDMARKS, VERTEBRAE, Column, described
from ..report.tables import RESULT_COLUMNS
from ..spine import STANDARD_LEVELS
from .journal import Journal

RESULTS: tuple[Column, ...] = tuple(described(RESULT_COLUMNS))
#: Name of a table to its columns.
TABLES: dict[str, tuple[Column, ...]] = {
    "results": RESULTS,
    "failures": FAILURES,
    "landmarks": LANDMARKS,
    "vertebrae": VERTEBRAE,
}
#: Tables that are written as Parquet as well.
AS_PARQUET = ("results", "landmarks", "vertebrae")
DICTIONARY = "dictionary.csv"
#: Rows that are held at a time.
_BATCH = 500


def write_tables(journal: Journal, paths: Sequence[str], out: Path) -> None:
    """Write every table of `TABLES` and the dictionary to ``out``, each all or nothing, in the order of ``paths``."""
    with ExitStack() as stack:
        writers = {name: stack.enter_context(_table(out / name, columns)) for name, columns in TABLES.items()}
        for record in journal.records(paths):
            row = record["row"]
            writers["results"].add([row])
            if record["failed"]:
                writers["failures"].add([row])
            writers["landmarks"].add(landmark_rows(record))
            writers["vertebrae"].add(vertebra_rows(row))
    write_dictionary(out / DICTIONARY)


def write_dictionary(path: Path) -> None:
    """The meaning of every column of every table as CSV."""
    with beside(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("table", "column", "kind", "unit", "meaning"))
        for table, columns in TABLES.items():
            writer.writerows((table, column.name, column.kind, column.unit, column.meaning) for column in columns)


def landmark_rows(record: Mapping) -> Iterator[dict[str, object]]:
    """The long form of one image: a row a point."""
    names = [column.name for column in LANDMARKS[1:]]
    for level, point, status, x, y, confidence, radius in record["landmarks"]:
        values = (level, point, status, x, y, confidence, radius)
        yield {"path": record["row"]["path"], **dict(zip(names, values))}


def vertebra_rows(row: Mapping) -> Iterator[dict[str, object]]:
    """The long form of one image: a row a vertebra; none where nothing was read."""
    if row["outcome"] != "read":
        return
    found = str(row.get("levels", "")).split()
    own = [column.name for column in VERTEBRAE[5:]]
    for level in map(str, STANDARD_LEVELS):
        yield {
            **{name: row.get(name) for name in ("path", "patient", "levels_certain")},
            "level": level,
            "found": "yes" if level in found else "no",
            **{name: row.get(f"{level}_{name}") for name in own},
        }


def csv_rows(rows: Iterable[Mapping[str, object]], columns: Sequence[Column]) -> list[list[object]]:
    return [[row.get(column.name) for column in columns] for row in rows]


class _Table:
    """Rows on their way into a CSV file and, where there is a writer for it, a Parquet file."""

    def __init__(self, columns: Sequence[Column], csv_writer, parquet_writer) -> None:
        self._columns, self._csv, self._parquet = columns, csv_writer, parquet_writer
        self._rows: list[Mapping[str, object]] = []
        csv_writer.writerow([column.name for column in columns])

    def add(self, rows: Iterable[Mapping[str, object]]) -> None:
        self._rows += rows
        if len(self._rows) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        self._csv.writerows(csv_rows(self._rows, self._columns))
        if self._parquet is not None and self._rows:
            import pyarrow as pa

            schema = _schema(self._columns)
            cells = ([_typed(row.get(column.name), column) for row in self._rows] for column in self._columns)
            columns = [pa.array(values, field.type) for values, field in zip(cells, schema)]
            self._parquet.write_table(pa.Table.from_arrays(columns, schema=schema))
        self._rows = []


@contextmanager
def _table(path: Path, columns: Sequence[Column]) -> Iterator[_Table]:
    """``path`` has no ending; the files take their names when the block ends without an error."""
    with ExitStack() as stack:
        temporary = stack.enter_context(beside(path.with_name(f"{path.name}.csv")))
        file = stack.enter_context(temporary.open("w", encoding="utf-8", newline=""))
        parquet = None
        if path.name in AS_PARQUET:
            from pyarrow.parquet import ParquetWriter

            temporary = stack.enter_context(beside(path.with_name(f"{path.name}.parquet")))
            parquet = stack.enter_context(ParquetWriter(temporary, _schema(columns), compression="zstd"))
        table = _Table(columns, csv.writer(file), parquet)
        yield table
        table.flush()


def _schema(columns: Sequence[Column]):
    import pyarrow as pa

    types = {"text": pa.string(), "number": pa.float64(), "integer": pa.int64()}
    fields = []
    for column in columns:
        meaning = {"meaning": column.meaning, "unit": column.unit}
        fields.append(pa.field(column.name, types[column.kind], metadata=meaning))
    return pa.schema(fields)


def _typed(value: object, column: Column) -> object:
    if value is None or value == "":
        return None
    return {"text": str, "number": float, "integer": int}[column.kind](value)
