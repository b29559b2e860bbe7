"""What was, for undo and redo: whole spines, which cannot change behind anybody's back.

The scene's own undo is left alone: it would take back what other modules did as well.
"""

from __future__ import annotations

from typing import Optional

from vertenet.spine import Spine

#: So many steps can be taken back.
DEPTH = 100


class History:
    """Spines before (undo) and after (redo) the present one."""

    def __init__(self) -> None:
        self._before: list[Spine] = []
        self._after: list[Spine] = []

    def remember(self, spine: Spine) -> None:
        """``spine`` is about to be replaced by something new, which ends what could be redone."""
        self._before = [*self._before, spine][-DEPTH:]
        self._after.clear()

    def back(self, present: Spine) -> Optional[Spine]:
        """The spine before ``present``; None where there is none."""
        if not self._before:
            return None
        self._after.append(present)
        return self._before.pop()

    def forward(self, present: Spine) -> Optional[Spine]:
        """The spine that was left by `back`; None where there is none."""
        if not self._after:
            return None
        self._before.append(present)
        return self._after.pop()

    @property
    def can_go_back(self) -> bool:
        return bool(self._before)

    @property
    def can_go_forward(self) -> bool:
        return bool(self._after)
