"""Who wants to hear of changes."""

from __future__ import annotations

from collections.abc import Callable

from .interfaces import Unsubscribe


class Listeners:
    """Functions without arguments, called in the order in which they subscribed."""

    def __init__(self) -> None:
        self._functions: dict[object, Callable[[], None]] = {}

    def subscribe(self, changed: Callable[[], None]) -> Unsubscribe:
        key = object()
        self._functions[key] = changed
        return lambda: self._functions.pop(key, None) and None

    def tell(self) -> None:
        for function in tuple(self._functions.values()):
            function()
