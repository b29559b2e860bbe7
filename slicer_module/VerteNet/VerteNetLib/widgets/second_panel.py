"""Second readings: everybody's grades and landmarks side by side, and what all can stand by."""

from __future__ import annotations

from typing import Any, Optional

import qt

from vertenet.measure.aac import CELLS, UNREADABLE, Grade

from ..answers import Comparison
from ..findings import total_words
from ..i18n import _
from ..prefetch import BLINDED, SEEN
from ..session import Session
from ..states import Action, Situation
from ..words import about_comparison
from . import dialogs, forms
from .controls import Controls, Tell

ROW_PX, HEADER_PX = 20, 24


class SecondPanel:
    """Compare, decide, and let the server make the consensus.

    Parameters
    ----------
    section : QWidget
        Shown for second readings alone.
    """

    def __init__(self, session: Session, section: Any, tell: Tell) -> None:
        self._session, self._section = session, section
        self._shown: Optional[Comparison] = None
        self.root, self.ui = forms.load("SecondPanel")
        self.controls = Controls(session, tell)
        table = self.ui.readersTable
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        table.setSelectionMode(qt.QAbstractItemView.NoSelection)
        table.setFocusPolicy(qt.Qt.NoFocus)
        table.horizontalHeader().setSectionResizeMode(qt.QHeaderView.Stretch)
        table.horizontalHeader().setFixedHeight(HEADER_PX)
        table.verticalHeader().setDefaultSectionSize(ROW_PX)
        table.setFixedHeight(HEADER_PX + ROW_PX * (len(CELLS) + 1) + 2)  # the cells and their total
        self.controls.button(self.ui.compareButton, Action.COMPARE, session.compare, key="K")
        self.controls.button(self.ui.consensusButton, Action.COMPARE, self._settle, obstacle=self._too_few)

    def refresh(self, situation: Situation) -> None:
        comparison, kind = self._session.comparison, self._session.second
        self._section.visible = bool(kind) or comparison is not None
        self.ui.kindLabel.visible = bool(kind)
        self.ui.kindLabel.text = {
            "": "",
            BLINDED: _("Second reading, blinded: what the first reader said is shown after you submit."),
            SEEN: _("Second reading: you began with the first reader's landmarks; grade on your own."),
        }[kind]
        self.ui.readersTable.visible = self.ui.agreementLabel.visible = comparison is not None
        if comparison is not None and comparison is not self._shown:
            show_readers(self.ui.readersTable, comparison)
            self.ui.agreementLabel.text = about_comparison(comparison).text
        self._shown = comparison
        self.controls.refresh(situation)

    def _too_few(self) -> str:
        comparison = self._session.comparison
        if comparison is None:
            return _("Compare first.")
        return "" if len(comparison.readings) > 1 else _("Only one person has read this image.")

    def _settle(self) -> None:
        question = _(
            "The server makes one label out of everybody's, and training believes it before all others. Go on?"
        )
        if dialogs.confirm(self.root, question, _("Make the consensus")):
            self._session.make_consensus()


def show_readers(table: Any, comparison: Comparison) -> None:
    """A row for each cell and one for the total, a column for each reader; rows that differ have a sign."""
    scores = [reading.aac for reading in comparison.readings]
    rows = [(f"{level} {wall}", [_grade(score.grade(level, wall)) for score in scores]) for level, wall in CELLS]
    rows.append((_("Total"), [total_words(score) for score in scores]))
    table.setColumnCount(len(scores))
    table.setHorizontalHeaderLabels([reading.annotator for reading in comparison.readings])
    forms.show_table(table, [texts for _title, texts in rows], ["" for _row in rows])
    titles = [_("≠ {cell}").format(cell=title) if len(set(texts)) > 1 else title for title, texts in rows]
    table.setVerticalHeaderLabels(titles)


def _grade(grade: Grade) -> str:
    if grade is None:
        return "–"
    return _("U") if grade == UNREADABLE else str(grade)
