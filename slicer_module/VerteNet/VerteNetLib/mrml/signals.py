"""Observers of VTK objects that are all taken back together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Observers:
    """Observers of VTK objects; each event calls its function without arguments."""

    def __init__(self) -> None:
        self._added: list[tuple[Any, int]] = []

    def add(self, node: Any, event: Any, function: Callable[[], None]) -> None:
        self._added.append((node, node.AddObserver(event, lambda *_: function())))

    def remove_all(self) -> None:
        for node, tag in self._added:
            node.RemoveObserver(tag)
        self._added.clear()
