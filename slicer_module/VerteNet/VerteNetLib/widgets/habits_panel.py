"""What a reader decides once: whether images are fetched ahead, whether the view follows the cell, what is asked."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ..i18n import _
from ..interfaces import Settings
from ..prefetch import BLINDED, SEEN
from ..session import Session
from ..states import Action, Situation
from . import dialogs, forms, habits
from .controls import Controls, Tell

FOLDER_KEY = "sitting/folder"


class HabitsPanel:
    """Boxes for the habits, and the summary of the sitting."""

    def __init__(self, session: Session, settings: Settings, tell: Tell) -> None:
        self._session, self._settings = session, settings
        self.root, self.ui = forms.load("HabitsPanel")
        self.controls = Controls(session, tell)
        ui = self.ui
        forms.fill(
            ui.kindCombo,
            {
                "": _("first readings"),
                BLINDED: _("second readings, blinded"),
                SEEN: _("second readings, from the first one's landmarks"),
            },
        )
        self.controls.field(ui.kindCombo, Action.SET_UP)
        for box, habit in ((ui.aheadBox, habits.AHEAD), (ui.zoomBox, habits.ZOOM), (ui.askBox, habits.ASK)):
            box.checked = habits.is_on(settings, habit)
            self.controls.field(box, Action.SET_UP)
            box.connect("toggled(bool)", lambda on, habit=habit: self._set(habit, on))
        self.controls.button(ui.sittingButton, Action.SET_UP, self._write, obstacle=self._nothing_read)
        session.ahead = ui.aheadBox.checked

    def refresh(self, situation: Situation) -> None:
        self.controls.refresh(situation)

    @property
    def second(self) -> str:
        """Which kind of second readings is wished (`prefetch.Wish`); empty: first ones."""
        return self.ui.kindCombo.currentData or ""

    def _set(self, habit: str, on: bool) -> None:
        habits.put(self._settings, habit, on)
        self._session.ahead = self.ui.aheadBox.checked

    def _nothing_read(self) -> str:
        return "" if len(self._session.sitting) else _("No image was looked at yet.")

    def _write(self) -> None:
        folder = dialogs.choose_folder(self.root, _("Folder for the summary"), self._settings.get(FOLDER_KEY))
        if folder:
            self._settings.set(FOLDER_KEY, folder)
            self._session.write_sitting(Path(folder, f"sitting-{datetime.now():%Y-%m-%d-%H%M%S}.csv"))
