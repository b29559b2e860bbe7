"""Scores of several readers from one CSV file: who read what, under which condition, and what could not be read.

Long form, one score a row: ``image, reader, region, score`` and, optional, ``condition`` (such as with and without
guides), ``session`` (repeated readings) and ``highest`` (the highest score of the region's scale). Wide form, one image
a row: ``image, reader``, a column for each of L1 to L4, and ``condition`` and ``session``. An empty score says
"unreadable": cropped, hidden by gas, not visible. It is not a zero and never becomes one.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...errors import AnnotationError, OptionError

#: The four AAC-24 segments, each scored 0 to 6 (Kauppila 1997, both walls).
SEGMENTS = ("L1", "L2", "L3", "L4")
HIGHEST_SEGMENT_SCORE = 6
#: Their sum, AAC-24; there is one only where all four segments were read.
TOTAL = "AAC-24"
#: Name of the condition that others are compared with, unless another is named.
BASELINE = "without"
#: What a table without the column ``condition`` or ``session`` is taken to say.
ONLY = ""


@dataclass(frozen=True)
class Score:
    """One score; ``value`` None: unreadable."""

    image: str
    reader: str
    region: str
    value: int | None
    condition: str = ONLY
    session: str = ONLY


@dataclass(frozen=True)
class Readings:
    """Every score of a reader study.

    Attributes
    ----------
    scores : tuple of Score
        No two of the same image, reader, region, condition and session.
    highest : mapping of region to int
        Highest score of each region's scale; the scale starts at 0.
    """

    scores: tuple[Score, ...]
    highest: Mapping[str, int] = field(default_factory=dict)

    @property
    def readers(self) -> tuple[str, ...]:
        return _in_order(score.reader for score in self.scores)

    @property
    def conditions(self) -> tuple[str, ...]:
        """The baseline, where there is one of that name, comes first."""
        names = _in_order(score.condition for score in self.scores)
        return tuple(sorted(names, key=lambda name: name != BASELINE))

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions of the file, and `TOTAL` where all four segments are among them."""
        found = tuple(sorted({score.region for score in self.scores}))
        return (*found, TOTAL) if set(SEGMENTS) <= set(found) else found

    @property
    def unreadable(self) -> int:
        return sum(score.value is None for score in self.scores)

    def highest_of(self, region: str) -> int:
        return len(SEGMENTS) * HIGHEST_SEGMENT_SCORE if region == TOTAL else self.highest[region]

    def sessions(self, condition: str, reader: str) -> tuple[str, ...]:
        """Sessions of a reader under a condition, in natural order ("2" before "10")."""
        found = {score.session for score in self.scores if (score.condition, score.reader) == (condition, reader)}
        return tuple(sorted(found, key=_natural))

    def values(self, condition: str, reader: str, region: str, session: str | None = None) -> dict[str, float]:
        """Score by image, NaN where unreadable; of the reader's first session unless another is named."""
        if session is None:
            session = next(iter(self.sessions(condition, reader)), ONLY)
        if region == TOTAL:
            parts = [self.values(condition, reader, segment, session) for segment in SEGMENTS]
            images = set(parts[0]).intersection(*parts[1:])
            return {image: sum(part[image] for part in parts) for image in sorted(images)}
        wanted = (condition, reader, region, session)
        return {
            score.image: float("nan") if score.value is None else float(score.value)
            for score in self.scores
            if (score.condition, score.reader, score.region, score.session) == wanted
        }

    def restricted_to(self, readers: Sequence[str]) -> Readings:
        """Only these readers; raises `OptionError` for one who is not in the file."""
        unknown = [reader for reader in readers if reader not in self.readers]
        if unknown:
            raise OptionError(
                f"there are no readings by {' or '.join(unknown)}", remedy=f"The file has {', '.join(self.readers)}"
            )
        return Readings(tuple(score for score in self.scores if score.reader in readers), self.highest)


@dataclass(frozen=True, eq=False)
class Matrix:
    """The images that every one of several readings could score.

    Attributes
    ----------
    images : tuple of str
    scores : (readings, images) float64
        Whole numbers, no NaN.
    unreadable : int
        Images left out because one of the readings calls them unreadable.
    unread : int
        Images left out because one of the readings does not have them.
    """

    images: tuple[str, ...]
    scores: np.ndarray
    unreadable: int
    unread: int


def complete_matrix(readings: Sequence[Mapping[str, float]]) -> Matrix:
    """Put readings (score by image) side by side and keep the images that all of them have a score for."""
    everything = sorted(set().union(*readings))
    common = [image for image in everything if all(image in reading for reading in readings)]
    scores = np.array([[reading[image] for image in common] for reading in readings], dtype=float)
    readable = np.isfinite(scores.reshape(len(readings), len(common))).all(axis=0)
    images = tuple(image for image, keep in zip(common, readable) if keep)
    kept = scores.reshape(len(readings), len(common))[:, readable]
    return Matrix(images, kept, int((~readable).sum()), len(everything) - len(common))


def read_readings(path: str | Path) -> Readings:
    """Read a CSV file in long or wide form (see the module).

    Raises
    ------
    AnnotationError
        A column is missing, a score is no whole number or off its scale, a region has no known scale, a name is empty,
        or a score is given twice. The sentence names the line.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AnnotationError(f"the readings cannot be read ({error})", subject=path) from error
    table = csv.DictReader(text.splitlines())
    columns = [(name or "").strip().lower() for name in table.fieldnames or ()]
    table.fieldnames = columns
    rows = _wide_rows if "score" not in columns and any(s.lower() in columns for s in SEGMENTS) else _long_rows
    scores: dict[tuple[str, ...], Score] = {}
    lines: dict[tuple[str, ...], int] = {}
    highest: dict[str, int] = {}
    for line, row in rows(table, columns, path):
        where = f"{path}, line {line}"
        score, scale = _score(row, where)
        if highest.setdefault(score.region, scale) != scale:
            raise AnnotationError(
                f"the highest score of {score.region} is {scale} here and {highest[score.region]} above", subject=where
            )
        key = (score.image, score.reader, score.region, score.condition, score.session)
        if key in scores:
            what = f"{score.region} of image {score.image} by reader {score.reader}"
            raise AnnotationError(
                f"{what} was given in line {lines[key]} already",
                subject=where,
                remedy="Remove one of them, or tell repeated readings apart in a column 'session'",
            )
        scores[key], lines[key] = score, line
    if not scores:
        raise AnnotationError("the file holds no readings", subject=path)
    return Readings(tuple(scores.values()), highest)


def _long_rows(table: csv.DictReader, columns: list[str], path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    _require(columns, ("image", "reader", "region", "score"), path)
    for row in table:
        yield table.line_num, _stripped(row)


def _wide_rows(table: csv.DictReader, columns: list[str], path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    _require(columns, ("image", "reader"), path)
    for row in table:
        cells = _stripped(row)
        for segment in SEGMENTS:
            if segment.lower() in columns:
                yield table.line_num, {**cells, "region": segment, "score": cells.get(segment.lower(), "")}


def _stripped(row: Mapping) -> dict[str, str]:
    return {name: (value or "").strip() for name, value in row.items() if name is not None}


def _require(columns: list[str], needed: Sequence[str], path: Path) -> None:
    missing = [name for name in needed if name not in columns]
    if missing:
        raise AnnotationError(
            f"the column {missing[0]!r} is missing among {', '.join(columns) or 'none at all'}",
            subject=path,
            remedy="Give image, reader, region, score (one score a row) or image, reader, L1, L2, L3, L4",
        )


def _score(row: Mapping[str, str], where: str) -> tuple[Score, int]:
    for name in ("image", "reader", "region"):
        if not row.get(name):
            raise AnnotationError(f"the {name} is empty", subject=where)
    region = row["region"].upper() if row["region"].upper() in SEGMENTS else row["region"]
    scale = row.get("highest", "")
    if scale and not (scale.isdecimal() and int(scale) > 0):
        raise AnnotationError(f"the highest score is {scale!r}, which is no whole number above 0", subject=where)
    if not scale and region not in SEGMENTS:
        raise AnnotationError(
            f"the region {region!r} is none of {', '.join(SEGMENTS)}",
            subject=where,
            remedy="Give the highest score of its scale in a column 'highest'",
        )
    highest = int(scale) if scale else HIGHEST_SEGMENT_SCORE
    text = row["score"]
    if text and not text.isdecimal():
        raise AnnotationError(
            f"the score {text!r} is no whole number", subject=where, remedy="Leave it empty where it was unreadable"
        )
    if text and int(text) > highest:
        raise AnnotationError(f"the score {text} of {region} is above {highest}", subject=where)
    value = int(text) if text else None
    condition = row.get("condition", ONLY).lower()
    return Score(row["image"], row["reader"], region, value, condition, row.get("session", ONLY)), highest


def _in_order(names) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sorted(names, key=_natural)))


def _natural(name: str) -> tuple:
    return (0, int(name), "") if name.isdecimal() else (1, 0, name)
