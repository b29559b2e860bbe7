"""Translation of user strings: Slicer's own where the module runs in Slicer, the text itself elsewhere."""

from __future__ import annotations

try:
    # Slicer's function itself and none around it: it looks a text up under the name of the file that called it.
    from slicer.i18n import tr as _
except ImportError:  # outside Slicer, or before 5.6

    def _(text: str) -> str:
        """The text as it is."""
        return text


__all__ = ["_"]
