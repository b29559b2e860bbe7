"""What a panel's buttons and fields do, when they may be used, and what their tooltips say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vertenet.errors import VerteNetError

from ..board import Message
from ..i18n import _
from ..session import Session
from ..states import Action, Situation
from .reasons import why_not

Tell = Callable[[Message], None]


def _free() -> str:
    return ""


@dataclass(frozen=True)
class Control:
    """``obstacle`` adds a reason to those of the table of states; ``tip`` is the tooltip of the ``.ui`` file, with
    ``key``; ``more_keys`` do the same."""

    widget: Any
    action: Action
    obstacle: Callable[[], str]
    tip: str
    key: str = ""
    more_keys: tuple[str, ...] = ()


class Controls:
    """The buttons and fields of one panel; each follows the table of states.

    Parameters
    ----------
    session : Session
    tell : callable
        Shows a `Message`; an error that a button's work raises becomes one.
    """

    def __init__(self, session: Session, tell: Tell) -> None:
        self._session = session
        self._tell = tell
        self.all: list[Control] = []
        #: What keys do that press no button.
        self._runs: dict[str, Callable[[], None]] = {}

    def button(
        self,
        widget: Any,
        action: Action,
        run: Callable[[], None],
        *,
        key: str = "",
        more_keys: tuple[str, ...] = (),
        obstacle: Callable[[], str] = _free,
    ) -> None:
        """Let a button start ``run``; keys are for `shortcuts.Shortcuts`."""
        self.field(widget, action, obstacle, key=key, more_keys=more_keys)
        widget.connect("clicked()", lambda: self.attempt(run))

    def choice(
        self, widget: Any, action: Action, run: Callable[[], None], *, key: str, obstacle: Callable[[], str] = _free
    ) -> None:
        """Like `field`, for a list whose key does ``run``."""
        self.field(widget, action, obstacle, key=key)
        self._runs[key] = run

    def field(
        self,
        widget: Any,
        action: Action,
        obstacle: Callable[[], str] = _free,
        *,
        key: str = "",
        more_keys: tuple[str, ...] = (),
    ) -> None:
        """Let a field, or a box with its own signals, be used only while an action is allowed."""
        tip = _("{tip} Key: {key}").format(tip=widget.toolTip, key=key) if key else widget.toolTip
        self.all.append(Control(widget, action, obstacle, tip, key, more_keys))

    def attempt(self, run: Callable[[], None]) -> None:
        """Run what a user asked for; what it cannot do is said, and everything stays usable."""
        try:
            run()
        except VerteNetError as error:
            self._tell(Message("error", str(error)))

    def press(self, control: Control) -> None:
        """As the mouse would; says why where the button is not to be pressed."""
        reason = why_not(self._session.situation, control.action) or control.obstacle()
        if reason:
            self._tell(Message("info", reason))
        elif control.key in self._runs:
            self.attempt(self._runs[control.key])
        else:
            control.widget.click()

    def refresh(self, situation: Situation) -> None:
        for control in self.all:
            reason = why_not(situation, control.action) or control.obstacle()
            control.widget.enabled = not reason
            tip = f"{control.tip}\n{reason}" if reason else control.tip
            if control.widget.toolTip != tip:
                control.widget.toolTip = tip
