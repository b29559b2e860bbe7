"""The reader's name and notes, and what carries the reading away: files, or text to paste."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import qt

from vertenet.errors import VerteNetError
from vertenet.reading import Reading

from ..board import Message
from ..i18n import _
from ..interfaces import Settings
from ..prior import ENDING, changes, load_prior, picture_of
from ..report_text import report_text
from ..session import Session
from ..states import Action, Situation
from . import dialogs, forms
from .controls import Controls, Tell

EXPORT_FOLDER_KEY = "export/folder"


class NotesPanel:
    """Reader's name, notes, export, report."""

    def __init__(self, session: Session, settings: Settings, tell: Tell) -> None:
        self._session, self._settings, self._tell = session, settings, tell
        #: The reading of an earlier scan, and the window with its picture.
        self._prior: Optional[Reading] = None
        self._picture: Any = None
        self._turn = 0
        self.root, self.ui = forms.load("NotesPanel")
        self.controls = Controls(session, tell)
        ui, button = self.ui, self.controls.button
        button(ui.exportButton, Action.EXPORT, self._export, key="Ctrl+E")
        button(ui.copyReportButton, Action.EXPORT, self._copy_report, key="Ctrl+Shift+C")
        button(ui.priorButton, Action.EXPORT, self._open_prior)
        for field in (ui.readerEdit, ui.notesEdit):
            self.controls.field(field, Action.SCORE)
        ui.readerEdit.connect("editingFinished()", self._set_reader)
        ui.notesEdit.connect("textChanged()", self._set_notes)

    def refresh(self, situation: Situation) -> None:
        ui = self.ui
        if not ui.readerEdit.hasFocus() and ui.readerEdit.text != self._session.reader:
            ui.readerEdit.text = self._session.reader
        if ui.notesEdit.plainText != self._session.notes:
            ui.notesEdit.blockSignals(True)
            ui.notesEdit.plainText = self._session.notes
            ui.notesEdit.blockSignals(False)
        if self._session.turn != self._turn:  # another image, and another patient
            self._turn, self._prior = self._session.turn, None
            if self._picture is not None:
                self._picture.hide()
        self.ui.priorLabel.visible = self._prior is not None
        self.controls.refresh(situation)

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

    def _open_prior(self) -> None:
        kinds = _("Readings ({names})").format(names=f"*{ENDING}")
        chosen = dialogs.choose_file(self.root, _("Reading of an earlier scan"), kinds)
        if chosen:
            self._prior = load_prior(Path(chosen))
            self._show_picture(picture_of(Path(chosen)))
            self._show_prior()

    def _show_prior(self) -> None:
        """What changed since the prior scan."""
        label = self.ui.priorLabel
        label.visible = True
        title = _("Since {image}:").format(image=self._prior.image.name)
        label.text = "\n".join([title, *changes(self._prior, self._session.reading())])

    def _show_picture(self, path: Path) -> None:
        """The picture that was exported with a reading, in a window of its own beside the image."""
        picture = qt.QPixmap(str(path))
        if picture.isNull():
            return
        if self._picture is None:
            self._picture = qt.QLabel(self.root)
            self._picture.setWindowFlags(qt.Qt.Window)
        self._picture.windowTitle = _("Prior scan: {name}").format(name=path.stem)
        self._picture.setPixmap(picture)
        self._picture.show()

    def _copy_report(self) -> None:
        try:
            text = report_text(self._session.reading())
        except VerteNetError as error:
            self._tell(Message("error", str(error)))
            return
        qt.QApplication.clipboard().setText(text)
        self._tell(Message("info", _("The report is on the clipboard; check it where you paste it.")))
