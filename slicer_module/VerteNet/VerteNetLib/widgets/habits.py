"""How a reader likes to work: yes or no, kept in the user's settings."""

from __future__ import annotations

from ..interfaces import Settings

AHEAD, ZOOM, ASK = "habits/ahead", "habits/zoom", "habits/ask"
_YES, _NO = "yes", "no"


def is_on(settings: Settings, habit: str) -> bool:
    return settings.get(habit, _YES) == _YES


def put(settings: Settings, habit: str, on: bool) -> None:
    settings.set(habit, _YES if on else _NO)
