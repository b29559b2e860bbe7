"""From one image to the next: submit, skip, what is left, what waits to be sent."""

from __future__ import annotations

from collections.abc import Callable

from ..i18n import _
from ..session import Session
from ..session_state import Statistics
from ..states import Action, Situation
from . import dialogs, forms
from .controls import Controls, Tell


class SessionPanel:
    """Submit, skip, next; progress of the session; labels that wait.

    Parameters
    ----------
    next_image : callable
        As the button of the image panel does it, in the order that is chosen there.
    """

    def __init__(self, session: Session, next_image: Callable[[], None], tell: Tell) -> None:
        self._session = session
        self.root, self.ui = forms.load("SessionPanel")
        self.controls = Controls(session, tell)
        ui, button = self.ui, self.controls.button
        button(ui.submitButton, Action.SUBMIT, self._submit, key="Ctrl+Return")
        button(ui.skipButton, Action.SKIP, self._skip)
        button(ui.nextButton, Action.NEXT_IMAGE, next_image)
        button(ui.sendUnsentButton, Action.SEND_UNSENT, session.send_unsent)

    def refresh(self, situation: Situation) -> None:
        ui, unsent, rejected = self.ui, self._session.unsent, self._session.rejected()
        ui.statisticsLabel.text = statistics_sentence(self._session.statistics)
        ui.unsentLabel.text = (
            _("⚠ Labels that wait on this computer: {n}.").format(n=unsent) if unsent else _("No label waits.")
        )
        ui.rejectedLabel.visible = bool(rejected)
        ui.rejectedLabel.text = "\n".join(f"✖ {sentence}" for sentence in rejected)
        self.controls.refresh(situation)

    def _submit(self) -> None:
        if self._sure():
            self._session.submit()

    def _sure(self) -> bool:
        """Whether the label may go: what is open in it is asked first."""
        open_ends = self._session.questions()
        return not open_ends or dialogs.confirm(self.root, "\n".join(open_ends), _("Submit all the same"))

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
