"""Keys that press the panels' buttons while the module is shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import qt

from .controls import Control, Controls


class Shortcuts:
    """Installed on a window on entering the module, removed on leaving it.

    No key is one of Slicer's main window. One that an extension claims too, Qt offers to each of us in turn, as
    "ambiguous"; our turns count. They belong to the window and not to a widget, so that they work wherever the reader
    clicked last, the image above all. Text fields keep the letters that are typed into them.

    Parameters
    ----------
    window : QWidget or None
        None where Slicer runs without a main window: then there are no keys.
    """

    def __init__(self, window: Any, panels: Iterable[Controls]) -> None:
        self._window = window
        self._panels = tuple(panels)
        self._installed: list[Any] = []

    def install(self) -> None:
        if self._installed or self._window is None:
            return
        for controls in self._panels:
            for control in controls.all:
                for key in (control.key, *control.more_keys):
                    if key:
                        self._install(key, controls, control)

    def _install(self, key: str, controls: Controls, control: Control) -> None:
        shortcut = qt.QShortcut(self._window)
        shortcut.setKey(qt.QKeySequence(key))
        shortcut.autoRepeat = False  # a key held a moment too long is still one grade, and one label
        for signal in ("activated()", "activatedAmbiguously()"):
            shortcut.connect(signal, lambda: controls.press(control))
        self._installed.append(shortcut)

    def remove(self) -> None:
        for shortcut in self._installed:
            shortcut.enabled = False
            shortcut.deleteLater()
        self._installed = []
