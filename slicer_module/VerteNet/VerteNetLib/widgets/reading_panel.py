"""AAC-24: the grid that is filled with eight keys, the cell that is looked at, and what the crop says to it."""

from __future__ import annotations

from typing import Optional

from vertenet.measure import CropResult, CropState
from vertenet.measure.aac import CELLS, UNREADABLE, Grade
from vertenet.radiograph import Spacing

from ..findings import crop_sentence
from ..interfaces import Settings, Stage
from ..session import Session
from ..states import Action, Situation
from . import forms, habits
from .aac_table import AacTable, total_sentence
from .controls import Controls, Tell


class ReadingPanel:
    """The AAC-24 grid; the current cell is marked in the image, and zoomed to once the levels are confirmed."""

    def __init__(self, session: Session, stage: Stage, settings: Settings, tell: Tell) -> None:
        self._session, self._stage, self._settings = session, stage, settings
        self.root, self.ui = forms.load("ReadingPanel")
        self.controls = Controls(session, tell)
        ui, button = self.ui, self.controls.button
        self.aac = AacTable(ui.aacTable, session.set_score, self._look_at)
        for widget, grade, *keys in (
            (ui.grade0Button, 0, "0"),
            (ui.grade1Button, 1, "1"),
            (ui.grade2Button, 2, "2"),
            (ui.grade3Button, 3, "3"),
            (ui.unreadableButton, UNREADABLE, "U"),
            (ui.eraseButton, None, "Del", "Backspace"),
        ):
            key, *more_keys = keys
            button(widget, Action.SCORE, lambda grade=grade: self._give(grade), key=key, more_keys=tuple(more_keys))
        self.controls.field(ui.aacTable, Action.SCORE)

    def refresh(self, situation: Situation) -> None:
        ui, crop = self.ui, self._stage.overlays.crop() if self._stage.landmarks.spine() is not None else None
        self.aac.follow(self._session.turn, self._session.aac)
        self.aac.show(self._session.aac, () if crop is None else crop.segments)
        ui.aacTotalLabel.text = total_sentence(self._session.aac)
        self._stage.overlays.mark_cell(self._cell() if self._session.levels_checked else None)
        ui.cropLabel.visible = crop is not None
        if crop is not None:
            ui.cropLabel.text = crop_line(crop, self._stage.image.spacing)
            ink, paper = {
                CropState.CLEAR: ("#0d4f1f", "#d9f2df"),
                CropState.CROPPED: ("#7a0c0c", "#fbdcdc"),
                CropState.NOT_ASSESSED: ("#5c3a00", "#ffe9b8"),
            }[crop.state]
            look = f"color: {ink}; background: {paper}; padding: 4px; border-radius: 4px;"
            if ui.cropLabel.styleSheet != look:  # a style is costly to set, and a drag refreshes often
                ui.cropLabel.styleSheet = look
        self.controls.refresh(situation)

    def begin(self) -> None:
        """The levels are confirmed: the first open cell is next."""
        self.aac.follow(self._session.turn, self._session.aac)
        self.ui.aacTable.setFocus()
        self._look_at()

    def _give(self, grade: Grade) -> None:
        # The panel is shown anew some time after an image came; a grade may come sooner.
        self.aac.follow(self._session.turn, self._session.aac)
        self.aac.give(grade)

    def _cell(self) -> tuple:
        return CELLS[self.aac.place()]

    def _look_at(self) -> None:
        """Show the cell that is graded now."""
        if not self._session.levels_checked:
            return
        self._stage.overlays.mark_cell(self._cell())
        area = self._stage.overlays.cell_area(self._cell())
        if area is not None and habits.is_on(self._settings, habits.ZOOM):
            self._stage.view.zoom_to(area)


def crop_line(crop: CropResult, spacing: Optional[Spacing]) -> str:
    """The finding with a sign, so that it is not told by colour alone."""
    sign = {CropState.CLEAR: "✔", CropState.NOT_ASSESSED: "⚠", CropState.CROPPED: "✖"}[crop.state]
    return f"{sign} {crop_sentence(crop, spacing)}"
