"""What trying the package out has shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Trial:
    """Sentences: what is wrong, and what could not be tried on this machine."""

    faults: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
