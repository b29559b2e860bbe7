"""What the user is told, and who wants to know when something changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Optional

from vertenet.errors import VerteNetError

from .i18n import _
from .jobs import CancelledError
from .listeners import Listeners


@dataclass(frozen=True)
class Message:
    """The last word to the user: ``text`` is one sentence or a few. ``kind``: info, warning or error."""

    kind: Literal["info", "warning", "error"]
    text: str


class Board:
    """The message that is shown, and its readers."""

    def __init__(self) -> None:
        self.message: Optional[Message] = None
        #: Everybody who is to hear that something is different now.
        self.listeners = Listeners()

    def inform(self, text: str) -> None:
        self.show(Message("info", text))

    def warn(self, text: str) -> None:
        self.show(Message("warning", text))

    def fail(self, error: Exception) -> None:
        """Show an error as a sentence; that of a fault in this module names its kind, for a report."""
        if isinstance(error, CancelledError):
            self.inform(error.sentence)
        elif isinstance(error, (VerteNetError, OSError)):
            self.show(Message("error", error.sentence if isinstance(error, VerteNetError) else _about_disk(error)))
        else:
            text = _("This should not have happened ({kind}). Your work is kept; please report it.")
            self.show(Message("error", text.format(kind=repr(error)[:200])))

    def changed(self) -> None:
        """Tell everybody that something is different now."""
        self.listeners.tell()

    def show(self, message: Message) -> None:
        self.message = message
        self.changed()


def _about_disk(error: OSError) -> str:
    text = _("{file} could not be read or written ({reason}). Nothing was deleted; see to the disk, and try again.")
    return text.format(file=error.filename or _("A file"), reason=error.strerror or error)
