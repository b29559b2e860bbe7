"""One sitting of a reader: the images in the order in which they were looked at, and what became of each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Optional

from vertenet.measure.aac import CELLS, UNREADABLE

from .work import Work

#: What became of an image; the words are those of the table.
OPEN, SUBMITTED, SKIPPED = "open", "submitted", "skipped"
COLUMNS = (
    "number",
    "image",
    "reader",
    "result",
    "minutes",
    "levels",
    *(f"{level} {wall}" for level, wall in CELLS),
    "AAC-24",
    "least",
    "most",
    "risk",
    "cropped at",
    "model",
)


@dataclass(frozen=True)
class Case:
    """An image of the sitting. ``work`` is what was made of it; ``volume_id`` names its volume in the scene."""

    work: Work
    volume_id: str
    cropped: tuple[str, ...] = ()
    result: str = OPEN


class Sitting:
    """Goes back and forth in what was looked at, and tells it as a table."""

    def __init__(self) -> None:
        self._cases: dict[str, Case] = {}
        self._behind: list[str] = []
        self._ahead: list[str] = []
        self._present: Optional[str] = None

    def shown(self, case: Case) -> None:
        """``case`` is on the screen now."""
        key = case.work.key
        if key not in self._cases:
            self._cases[key] = case
        else:
            self._cases[key] = replace(self._cases[key], volume_id=case.volume_id)
        if key == self._present:
            return
        if self._behind and self._behind[-1] == key:
            self._behind.pop()
            self._leave(self._ahead)
        elif self._ahead and self._ahead[-1] == key:
            self._ahead.pop()
            self._leave(self._behind)
        else:
            self._behind = [each for each in self._behind + self._ahead[::-1] if each != key]
            self._ahead = []
            self._leave(self._behind)
        self._present = key

    def note(self, case: Case) -> None:
        """What was made of an image by now; a result that it had stays, unless ``case`` has another than open."""
        known = self._cases.get(case.work.key)
        if known is not None:
            result = known.result if case.result == OPEN else case.result
            self._cases[case.work.key] = replace(case, result=result)

    def again(self, old: str, work: Work) -> None:
        """The work of an image has another key now, since the server has the image."""
        if old in self._cases:
            self._cases = {
                work.key if key == old else key: replace(case, work=work) if key == old else case
                for key, case in self._cases.items()
            }
            self._behind, self._ahead = (
                [work.key if k == old else k for k in ks] for ks in (self._behind, self._ahead)
            )
            self._present = work.key if self._present == old else self._present

    def result(self, key: str) -> str:
        """What became of the image with this `Work.key`."""
        return self._cases[key].result if key in self._cases else OPEN

    @property
    def previous(self) -> Optional[Case]:
        return self._cases[self._behind[-1]] if self._behind else None

    @property
    def next(self) -> Optional[Case]:
        """Where the reader had gone back: the image after this one."""
        return self._cases[self._ahead[-1]] if self._ahead else None

    @property
    def number(self) -> int:
        """Of the present image, from 1; 0 without one."""
        return 0 if self._present is None else len(self._behind) + 1

    def __len__(self) -> int:
        return len(self._cases)

    def image_ids(self, store: str) -> frozenset[str]:
        """Images of a store that were looked at."""
        return frozenset(case.work.image_id for case in self._cases.values() if case.work.store == store)

    def table(self, reader: str) -> str:
        """A row for each image, CSV (RFC 4180). An empty cell was not scored, ``U`` could not be read."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        writer.writerows(self._rows(reader))
        return out.getvalue()

    def _rows(self, reader: str) -> Iterator[tuple]:
        for number, case in enumerate(self._cases.values(), start=1):
            work, (least, most) = case.work, case.work.aac.bounds
            grades = ["U" if grade == UNREADABLE else grade for grade in work.aac.grades]
            yield (
                number,
                work.image_id or work.name,
                reader,
                case.result,
                f"{work.minutes:.2f}",
                _levels(work),
                *grades,
                work.aac.total,
                least,
                most,
                work.aac.risk,
                " ".join(case.cropped),
                "" if work.proposal is None else work.proposal.model_version,
            )

    def _leave(self, stack: list[str]) -> None:
        if self._present is not None:
            stack.append(self._present)


def _levels(work: Work) -> str:
    if work.levels_checked:
        return "confirmed"
    certain = work.proposal is None or work.proposal.reading.levels.certain
    return "not confirmed" if certain else "uncertain"
