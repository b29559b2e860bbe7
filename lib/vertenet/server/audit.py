"""Who did what to which image, one line of JSON each, for those who have to answer that question later.

Patient data stays out: ids and hashes only. Lines are appended in one write, so that processes and tools that rotate
logs do not disturb each other.
"""

from __future__ import annotations

import json
import os
from contextvars import ContextVar
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

_details: ContextVar[dict[str, Any] | None] = ContextVar("audit_details", default=None)


def note(**details: Any) -> None:
    """Add to the line of the request that is being answered, also from its worker thread; nothing outside of one.

    Names in use: ``image``, ``tag``, ``model``, ``model_sha256``, ``model_version``, ``revision_before``,
    ``revision_after``, ``label_sha256``, ``overruled_reason``.
    """
    line = _details.get()
    if line is not None:
        line.update(details)


def begin() -> dict[str, Any]:
    """Collect the notes of the request that begins in this context."""
    details: dict[str, Any] = {}
    _details.set(details)
    return details


class AuditLog:
    """The file ``audit.log``, readable by its owner alone."""

    #: Longer values are cut: a request's words must not fill the disk.
    LONGEST = 200

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, **fields: Any) -> None:
        """Append one line; raises `OSError` where the disk refuses."""
        time = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        row = {"time": time, **{name: self._short(value) for name, value in fields.items()}}
        line = json.dumps(row, ensure_ascii=True, allow_nan=False) + "\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode("ascii"))
        finally:
            os.close(descriptor)

    def writable(self) -> bool:
        """Whether the next line can be written."""
        return os.access(self.path if self.path.exists() else self.path.parent, os.W_OK)

    def _short(self, value: Any) -> Any:
        return value if value is None or isinstance(value, (int, bool)) else str(value)[: self.LONGEST]
