"""What became of a file that was sent: stored, refused, or not sent because nobody answered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class SendState(str, Enum):
    """What became of a file."""

    STORED = "stored"
    REFUSED = "refused"
    UNAUTHORIZED = "not allowed"
    UNREACHABLE = "not sent"

    __str__ = str.__str__


@dataclass(frozen=True)
class Sent:
    """A file, its state and, unless it was stored, why not."""

    path: Path
    state: SendState
    reason: str = ""
