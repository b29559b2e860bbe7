"""What was, for undo and redo: whole values, which cannot change behind anybody's back.

The scene's own undo is left alone: it would take back what other modules did as well. Landmarks and grades have a
history each; moments count through all of them, so that "undo" takes back what was done last, of whichever kind.
"""

from __future__ import annotations

from itertools import count
from typing import Generic, Optional, TypeVar

T = TypeVar("T")
#: So many steps can be taken back.
DEPTH = 100

_moments = count(1)


class History(Generic[T]):
    """Values before (undo) and after (redo) the present one."""

    def __init__(self) -> None:
        self._before: list[tuple[int, T]] = []
        self._after: list[tuple[int, T]] = []

    def remember(self, value: T) -> None:
        """``value`` is about to be replaced by something new, which ends what could be redone."""
        self._before = [*self._before, (next(_moments), value)][-DEPTH:]
        self._after.clear()

    def back(self, present: T) -> Optional[T]:
        """The value before ``present``; None where there is none."""
        if not self._before:
            return None
        moment, value = self._before.pop()
        self._after.append((moment, present))
        return value

    def forward(self, present: T) -> Optional[T]:
        """The value that was left by `back`; None where there is none."""
        if not self._after:
            return None
        moment, value = self._after.pop()
        self._before.append((moment, present))
        return value

    def forget_undone(self) -> None:
        """Something new of another kind was done: what was undone here is not made again."""
        self._after.clear()

    @property
    def last(self) -> int:
        """The moment of what `back` takes back, later ones are larger; 0 where it takes nothing back."""
        return self._before[-1][0] if self._before else 0

    @property
    def next(self) -> int:
        """The moment of what `forward` makes again; 0 where it makes nothing."""
        return self._after[-1][0] if self._after else 0
