"""What the reader says of the image: AAC-24, heights, notes, and the files that carry it away."""

from __future__ import annotations

from pathlib import Path

from vertenet.measure.aac import UNREADABLE, Grade

from ..i18n import _
from ..interfaces import Settings, Stage
from ..session import Session
from ..states import Action, Situation
from ..trust import morphometry_of
from . import dialogs, forms
from .aac_table import AacTable, total_sentence
from .controls import Controls, Tell
from .morphometry_table import MorphometryTable, summary

EXPORT_FOLDER_KEY = "export/folder"


class ReadingPanel:
    """AAC-24 grid, morphometry, notes, reader's name, export."""

    def __init__(self, session: Session, stage: Stage, settings: Settings, tell: Tell) -> None:
        self._session, self._stage, self._settings = session, stage, settings
        self._measured: tuple = ()
        self.root, self.ui = forms.load("ReadingPanel")
        self.controls = Controls(session, tell)
        ui, button = self.ui, self.controls.button
        self.aac = AacTable(ui.aacTable, lambda *cell: self.controls.attempt(lambda: session.set_score(*cell)))
        self.morphometry = MorphometryTable(ui.morphometryTable)
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
        button(ui.exportButton, Action.EXPORT, self._export, key="Ctrl+E")
        for field in (ui.aacTable, ui.readerEdit, ui.notesEdit):
            self.controls.field(field, Action.SCORE)
        ui.readerEdit.connect("editingFinished()", self._set_reader)
        ui.notesEdit.connect("textChanged()", self._set_notes)

    def refresh(self, situation: Situation) -> None:
        ui = self.ui
        self.aac.follow(self._session.turn, self._session.aac)
        self.aac.show(self._session.aac)
        ui.aacTotalLabel.text = total_sentence(self._session.aac)
        if not ui.readerEdit.hasFocus() and ui.readerEdit.text != self._session.reader:
            ui.readerEdit.text = self._session.reader
        if ui.notesEdit.plainText != self._session.notes:
            ui.notesEdit.blockSignals(True)
            ui.notesEdit.plainText = self._session.notes
            ui.notesEdit.blockSignals(False)
        self._show_heights()
        self.controls.refresh(situation)

    def _give(self, grade: Grade) -> None:
        # The panel is shown anew some time after an image came; a grade may come sooner.
        self.aac.follow(self._session.turn, self._session.aac)
        self.aac.give(grade)

    def _show_heights(self) -> None:
        spine, image = self._stage.landmarks.spine(), self._stage.image
        spacing = None if image is None else image.spacing
        if (spine, spacing) == self._measured:
            return
        self._measured = (spine, spacing)
        known = spine is not None and image is not None
        self.ui.morphometryTable.visible = known
        unit = _("mm") if spacing is not None else _("pixels")
        self.ui.morphometryTitle.text = _("Heights of the vertebrae, {unit}").format(unit=unit)
        if known:
            found = morphometry_of(spine, spacing, self._stage.landmarks.doubts())
            self.morphometry.show(found)
            self.ui.morphometryLabel.text = summary(found)
        else:
            self.ui.morphometryLabel.text = _("Heights are shown when there are landmarks.")

    def _set_reader(self) -> None:
        if self.ui.readerEdit.text.strip() != self._session.reader:
            self._session.reader = self.ui.readerEdit.text.strip()

    def _set_notes(self) -> None:
        if self.ui.notesEdit.plainText != self._session.notes:
            self._session.notes = self.ui.notesEdit.plainText

    def _export(self) -> None:
        before = self._settings.get(EXPORT_FOLDER_KEY)
        folder = dialogs.choose_folder(self.root, _("Folder for the reading"), before)
        if folder:
            self._settings.set(EXPORT_FOLDER_KEY, folder)
            self._session.export(Path(folder))
