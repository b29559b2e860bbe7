"""The AAC-24 grid: four segments by two walls, filled with the keyboard or the mouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt

from vertenet.measure.aac import CELLS, UNREADABLE, Aac24, Grade, Risk, Wall
from vertenet.measure.guides import SEGMENTS
from vertenet.spine import Level

from ..i18n import _

ROW_PX, HEADER_PX = 28, 26
WALLS = tuple(Wall)
#: Of the hatching of cropped cells: seen on light and on dark, and no hindrance to the grade in it.
_HATCH = (200, 120, 60, 150)


class AacTable:
    """A table of grades; arrows and Tab move in it, and a grade moves on to the next cell.

    Parameters
    ----------
    table : QTableWidget
    score : callable
        Gets the segment, the wall and the grade that the reader gave; whether it was taken.
    moved : callable
        Called when another cell is the current one.
    """

    def __init__(self, table: Any, score: Callable[[Level, Wall, Grade], bool], moved: Callable[[], None]) -> None:
        self._table = table
        self._score = score
        #: The turn (`Session.turn`) that the current cell belongs to.
        self._turn = 0
        table.setRowCount(len(SEGMENTS))
        table.setColumnCount(len(WALLS) + 1)
        table.setVerticalHeaderLabels([str(segment) for segment in SEGMENTS])
        table.setHorizontalHeaderLabels([_("Anterior wall"), _("Posterior wall"), _("Segment")])
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        table.setSelectionMode(qt.QAbstractItemView.SingleSelection)
        table.horizontalHeader().setSectionResizeMode(qt.QHeaderView.Stretch)
        table.horizontalHeader().setFixedHeight(HEADER_PX)
        table.verticalHeader().setSectionResizeMode(qt.QHeaderView.Fixed)
        table.verticalHeader().setDefaultSectionSize(ROW_PX)
        table.setFixedHeight(HEADER_PX + ROW_PX * len(SEGMENTS) + 2)
        for row in range(len(SEGMENTS)):
            for column in range(len(WALLS) + 1):
                item = qt.QTableWidgetItem()
                item.setTextAlignment(qt.Qt.AlignCenter)
                if column == len(WALLS):
                    item.setFlags(qt.Qt.NoItemFlags)  # a sum: neither the mouse nor Tab stops here
                table.setItem(row, column, item)
        table.setCurrentCell(0, 0)
        table.connect("currentCellChanged(int,int,int,int)", lambda *_places: moved())

    def follow(self, turn: int, score: Aac24) -> None:
        """Begin at the first open cell of an image that has just come; to be called before anything else is done."""
        if turn != self._turn:
            self._turn = turn
            self.go(next((place for place, cell in enumerate(CELLS) if score.grade(*cell) is None), 0))

    def give(self, grade: Grade) -> None:
        """Grade the current cell and go to the next one; a grade taken back stays where it was."""
        place = self.place()
        if self._score(*CELLS[place], grade) and grade is not None and place + 1 < len(CELLS):
            self.go(place + 1)
        self._table.setFocus()

    def place(self) -> int:
        """Index into `CELLS` of the current cell."""
        row, column = max(self._table.currentRow(), 0), max(self._table.currentColumn(), 0)
        return row * len(WALLS) + min(column, len(WALLS) - 1)

    def go(self, place: int) -> None:
        self._table.setCurrentCell(place // len(WALLS), place % len(WALLS))

    def show(self, score: Aac24, cropped: Sequence[str] = ()) -> None:
        """Grades and sums; cells of segments that are cropped are hatched, and U is suggested where they are open."""
        for row, segment in enumerate(SEGMENTS):
            lost = segment.value in cropped
            for column, wall in enumerate(WALLS):
                item, grade = self._table.item(row, column), score.grade(segment, wall)
                item.setText(_("U ?") if lost and grade is None else _cell_text(grade))
                item.setBackground(qt.QBrush(qt.QColor(*_HATCH), qt.Qt.BDiagPattern) if lost else qt.QBrush())
                item.setToolTip(_("The aorta may be cropped here.") if lost else "")
            total = score.segment_total(segment)
            self._table.item(row, len(WALLS)).setText("–" if total is None else str(total))


def _cell_text(grade: Grade) -> str:
    if grade is None:
        return ""
    return _("U") if grade == UNREADABLE else str(grade)


def total_sentence(score: Aac24) -> str:
    """Total and risk, or what they can still be, and how many answers are missing."""
    least, most = score.bounds
    if score.is_empty:
        return _("Not scored yet. Press 0, 1, 2, 3 or U.")
    parts = []
    if score.total is not None:
        parts.append(_("AAC-24: {total} of 24.").format(total=score.total))
    else:
        parts.append(_("AAC-24: between {least} and {most} of 24.").format(least=least, most=most))
    parts.append(_risk_sentence(score))
    if score.unscored:
        parts.append(_("Incomplete: {n} of 8 cells are not scored.").format(n=len(score.unscored)))
    if score.unreadable:
        parts.append(_("{n} unreadable.").format(n=len(score.unreadable)))
    return " ".join(parts)


def _risk_sentence(score: Aac24) -> str:
    words = {Risk.LOW: _("low"), Risk.MODERATE: _("moderate"), Risk.HIGH: _("high")}
    if score.risk is not None:
        return _("Risk class: {risk}.").format(risk=words[score.risk])
    least, most = (Risk.of(bound) for bound in score.bounds)
    return _("Risk class open: {least} to {most}.").format(least=words[least], most=words[most])
