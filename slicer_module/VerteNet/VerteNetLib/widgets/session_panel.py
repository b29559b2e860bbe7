"""From one image to the next: submit, skip, back; how far the sitting is, and what waits to be sent."""

from __future__ import annotations

from collections.abc import Callable

from ..i18n import _
from ..interfaces import Settings
from ..session import Session, Wish
from ..session_state import Statistics
from ..states import Action, Situation
from . import dialogs, forms, habits
from .controls import Controls, Tell


class SessionPanel:
    """Submit and next by one key; previous, skip; case n of N, the time; labels that wait.

    Parameters
    ----------
    wish : callable
        How the next image is asked for, as it is chosen in the other panels.
    """

    def __init__(self, session: Session, settings: Settings, wish: Callable[[], Wish], tell: Tell) -> None:
        self._session, self._settings, self._wish = session, settings, wish
        self.root, self.ui = forms.load("SessionPanel")
        self.controls = Controls(session, tell)
        ui, button = self.ui, self.controls.button
        button(ui.submitNextButton, Action.SUBMIT, self._submit_and_next, key="Ctrl+Return", more_keys=("Ctrl+Enter",))
        button(ui.submitButton, Action.SUBMIT, self._submit, key="Ctrl+Shift+Return")
        button(ui.skipButton, Action.SKIP, self._skip)
        button(ui.nextButton, Action.NEXT_IMAGE, lambda: session.go_on(self._wish()), key="PgDown")
        button(ui.previousButton, Action.PREVIOUS_IMAGE, session.previous_image, key="PgUp", obstacle=self._first)
        button(ui.sendUnsentButton, Action.SEND_UNSENT, session.send_unsent)

    def refresh(self, situation: Situation) -> None:
        ui, unsent, rejected = self.ui, self._session.unsent, self._session.rejected()
        ui.statisticsLabel.text = statistics_sentence(self._session.statistics)
        ui.unsentLabel.visible = ui.sendUnsentButton.visible = bool(unsent)
        ui.unsentLabel.text = _("⚠ Labels that wait on this computer: {n}.").format(n=unsent) if unsent else ""
        ui.rejectedLabel.visible = bool(rejected)
        ui.rejectedLabel.text = "\n".join(f"✖ {sentence}" for sentence in rejected)
        self.show_time()
        self.controls.refresh(situation)

    def show_time(self) -> None:
        """Which image of the sitting this is, and how long it has taken."""
        session = self._session
        if not session.sitting.number:
            self.ui.caseLabel.text = _("No image yet.")
            return
        minutes, seconds = divmod(int(60 * session.minutes), 60)
        text = _("Case {n} of {total}, {minutes}:{seconds:02d} minutes").format(
            n=session.sitting.number, total=session.number_of_cases, minutes=minutes, seconds=seconds
        )
        if self.ui.caseLabel.text != text:
            self.ui.caseLabel.text = text

    def _submit(self) -> None:
        if self._sure():
            self._session.submit()

    def _submit_and_next(self) -> None:
        if self._sure():
            self._session.submit_and_next(self._wish())

    def _sure(self) -> bool:
        """Whether the label may go: what is open in it is asked first."""
        if not habits.is_on(self._settings, habits.ASK):
            return True
        open_ends = self._session.questions()
        return not open_ends or dialogs.confirm(self.root, "\n".join(open_ends), _("Submit all the same"))

    def _first(self) -> str:
        return "" if self._session.sitting.previous is not None else _("This is the first image of this sitting.")

    def _skip(self) -> None:
        reason = dialogs.ask_reason(self.root)
        if reason is not None:
            self._session.skip(reason)


def statistics_sentence(statistics: Statistics) -> str:
    """``4 labelled, 12 left, 1.2 minutes an image.``"""
    parts = [_("{n} labelled in this session").format(n=statistics.labelled)]
    if statistics.left is not None:
        parts.append(_("{n} left on the server").format(n=statistics.left))
    if statistics.minutes_per_image is not None:
        parts.append(_("{minutes:.1f} minutes an image").format(minutes=statistics.minutes_per_image))
    return ", ".join(parts) + "."
