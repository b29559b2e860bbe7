"""What is kept for the user: Slicer's own settings file, per user, never the scene."""

from __future__ import annotations

import qt

PREFIX = "VerteNet/"


class UserSettings:
    """`interfaces.Settings` in QSettings."""

    def get(self, key: str, default: str = "") -> str:
        return str(qt.QSettings().value(PREFIX + key, default))

    def set(self, key: str, value: str) -> None:
        qt.QSettings().setValue(PREFIX + key, value)
