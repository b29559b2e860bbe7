"""The one line that speaks to the user, and the progress of what is under way."""

from __future__ import annotations

from typing import Any, Optional

from ..board import Message
from ..i18n import _
from ..session import Session
from ..states import Action, Situation
from .controls import Controls

#: Sign, colour of text and of background: all legible on a dark and on a bright application, and not by colour alone.
_LOOKS = {
    "info": ("ℹ", "#0b3d66", "#dcecf9"),
    "warning": ("⚠", "#5c3a00", "#ffe9b8"),
    "error": ("✖", "#7a0c0c", "#fbdcdc"),
}


class MessageBar:
    """Shows the last message of the session or of a panel.

    Parameters
    ----------
    ui : object
        With ``messageFrame``, ``messageIcon``, ``messageLabel``, ``progressFrame``, ``progressLabel``, ``progressBar``
        and ``cancelButton``.
    session : Session
    """

    def __init__(self, ui: Any, session: Session) -> None:
        self._ui = ui
        self._session = session
        self._of_session: Optional[Message] = None
        self.controls = Controls(session, self.show)
        self.controls.button(ui.cancelButton, Action.CANCEL, session.cancel)
        self.show(Message("info", _("Connect to a server, or open an image.")))

    def show(self, message: Message) -> None:
        sign, ink, paper = _LOOKS[message.kind]
        self._ui.messageIcon.text = sign
        self._ui.messageLabel.text = message.text
        self._ui.messageFrame.setStyleSheet(
            f"#messageFrame {{ background: {paper}; border: 1px solid {ink}; border-radius: 4px; }}"
            f" QLabel {{ color: {ink}; }} #messageIcon {{ font-size: 18px; }}"
        )

    def refresh(self, situation: Situation) -> None:
        """A message of the session is shown once, so that it does not hide a later one of a panel."""
        message = self._session.message
        if message is not None and message is not self._of_session:
            self.show(message)
        self._of_session = message
        progress = self._session.progress
        self._ui.progressFrame.visible = progress is not None
        if progress is not None:
            sentence, fraction = progress
            self._ui.progressLabel.text = sentence
            # A range of nothing is Qt's way to say "busy, nobody knows how long".
            self._ui.progressBar.maximum = 0 if fraction is None else 100
            self._ui.progressBar.value = 0 if fraction is None else round(100 * fraction)
        self.controls.refresh(situation)
