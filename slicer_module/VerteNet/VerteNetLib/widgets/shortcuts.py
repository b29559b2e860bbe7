"""Keys that press the panels' buttons while the module is shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import qt

from .controls import Controls


class Shortcuts:
    """Installed on a window on entering the module, removed on leaving it.

    A key that another part of the application also claims reaches both of us as "ambiguous": then it is ours, because
    the user is in this module. Text fields keep the letters that are typed into them.
    """

    def __init__(self, window: Any, panels: Iterable[Controls]) -> None:
        self._window = window
        self._panels = tuple(panels)
        self._installed: list[Any] = []

    def install(self) -> None:
        if self._installed:
            return
        for controls in self._panels:
            for control in controls.all:
                if not control.key:
                    continue
                shortcut = qt.QShortcut(self._window)
                shortcut.setKey(qt.QKeySequence(control.key))
                for signal in ("activated()", "activatedAmbiguously()"):
                    shortcut.connect(signal, lambda controls=controls, control=control: controls.press(control))
                self._installed.append(shortcut)

    def remove(self) -> None:
        for shortcut in self._installed:
            shortcut.enabled = False
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._installed = []
