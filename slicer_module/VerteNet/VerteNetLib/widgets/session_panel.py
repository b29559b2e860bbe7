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
        forms.fill(ui.tagCombo, {"final": _("final label"), "reviewed": _("second reading of another's label")})
        button(ui.submitButton, Action.SUBMIT, lambda: session.submit(ui.tagCombo.currentData), key="Ctrl+Return")
        button(ui.skipButton, Action.SKIP, self._skip)
        button(ui.nextButton, Action.NEXT_IMAGE, next_image)
        button(ui.sendUnsentButton, Action.SEND_UNSENT, session.send_unsent)
        self.controls.field(ui.tagCombo, Action.SUBMIT)

    def refresh(self, situation: Situation) -> None:
        ui, unsent, rejected = self.ui, self._session.unsent, self._session.rejected()
        ui.statisticsLabel.text = statistics_sentence(self._session.statistics)
        ui.unsentLabel.text = (
            _("⚠ Labels that wait on this computer: {n}.").format(n=unsent) if unsent else _("No label waits.")
        )
        ui.rejectedLabel.visible = bool(rejected)
        ui.rejectedLabel.text = "\n".join(f"✖ {sentence}" for sentence in rejected)
        self.controls.refresh(situation)

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
