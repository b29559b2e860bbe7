"""Who wants to hear of changes: plain callbacks, and observers of VTK objects that are all taken back together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..interfaces import Unsubscribe


class Listeners:
    """Functions without arguments, called in the order in which they subscribed."""

    def __init__(self) -> None:
        self._functions: list[Callable[[], None]] = []

    def subscribe(self, changed: Callable[[], None]) -> Unsubscribe:
        self._functions.append(changed)

        def unsubscribe() -> None:
            if changed in self._functions:
                self._functions.remove(changed)

        return unsubscribe

    def tell(self) -> None:
        for function in tuple(self._functions):
            function()


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
