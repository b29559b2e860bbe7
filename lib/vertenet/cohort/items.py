"""One image of a cohort: where it lies, what the table calls it, and how a worker gets hold of it as a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..errors import ImageReadError


class Item(Protocol):
    """An image that can be sent to a worker.

    Attributes
    ----------
    path : str
        What the table calls it; no two images of a cohort share it.
    folder : str
        Of its results, from the folder of all results, with slashes; empty for that folder itself.
    name : str
        The file's own name.
    """

    path: str
    folder: str

    @property
    def name(self) -> str: ...

    def file(self, scratch: Path | None):
        """A context that gives a path to read; ``scratch`` is a folder for copies. Raises `ImageReadError`."""


@dataclass(frozen=True)
class FileItem:
    """A file on the disk."""

    path: str
    folder: str = ""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2] or self.path

    @contextmanager
    def file(self, scratch: Path | None) -> Iterator[Path]:
        yield Path(self.path)


@dataclass(frozen=True)
class UnreadableItem:
    """What cannot be looked into, such as a folder without the right to list it: it fails with its reason."""

    path: str
    problem: str
    folder: str = ""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2] or self.path

    @contextmanager
    def file(self, scratch: Path | None) -> Iterator[Path]:
        raise ImageReadError(self.problem, subject=self.path)
        yield  # a generator, as its siblings are
