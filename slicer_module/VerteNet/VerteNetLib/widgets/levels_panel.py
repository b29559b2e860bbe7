"""Are the vertebrae named as they should be? Looked at first, decided with one key or two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Optional

import numpy as np
import qt

from vertenet.measure.matching import paired_names, pixel_size
from vertenet.spine import Level, Spine, Transition

from ..i18n import _
from ..interfaces import Stage
from ..session import Session
from ..states import Action, Situation
from . import forms
from .controls import Controls, Tell

ROW_PX, HEADER_PX = 22, 24
NONE = "–"


class LevelsPanel:
    """Both namings side by side where the model is not sure; confirm, swap, shift, transitional anatomy.

    Parameters
    ----------
    confirmed : callable
        Called when the reader has said that the levels are right.
    """

    def __init__(self, session: Session, stage: Stage, confirmed: Callable[[], None], tell: Tell) -> None:
        self._session, self._stage, self._confirmed = session, stage, confirmed
        self.root, self.ui = forms.load("LevelsPanel")
        self.controls = Controls(session, tell)
        ui, button = self.ui, self.controls.button
        ui.uncertainFrame.setStyleSheet(
            "#uncertainFrame { background: #ffe9b8; border: 1px solid #5c3a00; border-radius: 4px; }"
            " QLabel { color: #5c3a00; }"
        )
        forms.fill(ui.transitionCombo, _transitions())
        table = ui.namingTable
        table.setRowCount(2)
        table.setVerticalHeaderLabels([_("now"), _("other (S)")])
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        table.setSelectionMode(qt.QAbstractItemView.NoSelection)
        table.setFocusPolicy(qt.Qt.NoFocus)
        table.horizontalHeader().setVisible(False)
        table.horizontalHeader().setMinimumSectionSize(20)
        table.horizontalHeader().setSectionResizeMode(qt.QHeaderView.Stretch)
        table.verticalHeader().setDefaultSectionSize(ROW_PX)
        table.setFixedHeight(2 * ROW_PX + 2)
        button(ui.confirmButton, Action.CONFIRM_LEVELS, self._confirm, key="Y", obstacle=self._already)
        button(ui.swapButton, Action.SWAP, session.swap, key="S")
        button(ui.shiftUpButton, Action.EDIT, lambda: session.shift_levels(-1), key="Alt+Up", obstacle=self._locked)
        button(ui.shiftDownButton, Action.EDIT, lambda: session.shift_levels(1), key="Alt+Down", obstacle=self._locked)
        self.controls.choice(ui.transitionCombo, Action.EDIT, self._next_transition, key="X", obstacle=self._locked)
        ui.transitionCombo.connect("activated(int)", lambda _place: self.controls.attempt(self._set_transition))

    def refresh(self, situation: Situation) -> None:
        ui, spine, other = self.ui, self._stage.landmarks.spine(), self._session.alternative
        uncertain = self._session.levels_open
        ui.uncertainFrame.visible = uncertain
        if uncertain:
            size = pixel_size(self._stage.image.spacing)
            ui.uncertainLabel.text = uncertainty(spine, other, size)
            ui.namingTable.visible = other is not None
            ui.swapButton.visible = other is not None
            if other is not None:
                self._show_namings(namings(spine, other, size))
        beside, outlines = self._session.beside
        self._stage.overlays.compare(beside, outlines=outlines)
        ui.levelsLabel.text = self._state(spine)
        if spine is not None:
            forms.choose(ui.transitionCombo, spine.transition.value)
        self.controls.refresh(situation)

    def _state(self, spine: Optional[Spine]) -> str:
        if spine is None:
            return ""
        return _("✔ confirmed") if self._session.levels_checked else _("? not confirmed yet")

    def _show_namings(self, pairs: Sequence[tuple[str, str]]) -> None:
        self.ui.namingTable.setColumnCount(len(pairs))
        forms.show_table(self.ui.namingTable, [list(row) for row in zip(*pairs)] or [[], []], ["", ""])

    def _confirm(self) -> None:
        self._session.confirm_levels()
        self._confirmed()

    def _already(self) -> str:
        return _("The levels are confirmed already.") if self._session.levels_checked else ""

    def _locked(self) -> str:
        return _("The points are locked: press Unlock first.") if self._stage.landmarks.is_locked() else ""

    def _set_transition(self) -> None:
        self._session.set_transition(Transition(self.ui.transitionCombo.currentData))

    def _next_transition(self) -> None:
        """The key goes through the choices."""
        choices = list(_transitions())
        place = choices.index(self._stage.landmarks.spine().transition.value)
        self._session.set_transition(Transition(choices[(place + 1) % len(choices)]))


def _transitions() -> dict[str, str]:
    return {
        Transition.UNKNOWN.value: _("LSTV: not looked at"),
        Transition.NONE.value: _("LSTV: none"),
        Transition.SACRALISED_L5.value: _("L5 sacralised"),
        Transition.LUMBARISED_S1.value: _("S1 lumbarised (L6)"),
    }


def namings(spine: Spine, other: Spine, size: Optional[np.ndarray] = None) -> list[tuple[str, str]]:
    """The bodies from head to foot with both of their names; a body that one of the readings lacks has one name."""
    pairs = paired_names(spine, other, size)
    return [tuple(NONE if level is None else level.value for level in pair) for pair in pairs]


def uncertainty(spine: Spine, alternative: Optional[Spine], size: Optional[np.ndarray] = None) -> str:
    """What the other reading would name otherwise, and the keys that decide."""
    if alternative is None:
        return _("⚠ Levels uncertain: count the vertebrae. Y: they are right as shown.")
    keys = _("Y: as shown. S: the other.")
    steps = {_rank(b) - _rank(a) for a, b in namings(spine, alternative, size) if NONE not in (a, b)}
    if len(steps) != 1 or steps == {0}:
        return _("⚠ Levels uncertain: a second reading names the vertebrae otherwise. {keys}").format(keys=keys)
    (step,) = steps
    if step > 0:
        text = _("⚠ Levels uncertain: a second reading names every vertebra {n} level(s) nearer to the feet. {keys}")
    else:
        text = _("⚠ Levels uncertain: a second reading names every vertebra {n} level(s) nearer to the head. {keys}")
    return text.format(n=abs(step), keys=keys)


def _rank(name: str) -> int:
    return Level(name).rank
