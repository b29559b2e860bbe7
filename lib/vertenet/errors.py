"""The few errors a caller can act on.

Each carries what a person needs: which file or object, what is wrong with it, and what to do. ``str(error)`` is
that sentence; doors (command line, server, Slicer) show it as it stands and add nothing.
"""

from __future__ import annotations

import os
from typing import Union

PathLike = Union[str, "os.PathLike[str]"]


class VerteNetError(Exception):
    """Base of every error that a person can act on.

    Parameters
    ----------
    problem : str
        What is wrong, as a clause without a final full stop ("the file ends before its pixel data").
    subject : path or str, optional
        The file, image or object concerned; comes first in the sentence.
    remedy : str, optional
        What to do about it, as a sentence without a final full stop.
    """

    def __init__(self, problem: str, *, subject: PathLike | None = None, remedy: str | None = None) -> None:
        self.problem = problem.rstrip(".")
        self.subject = None if subject is None else os.fspath(subject)
        self.remedy = None if remedy is None else remedy.rstrip(".")
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """The whole message for a person: subject, problem, remedy."""
        text = f"{self.subject}: {self.problem}." if self.subject else f"{self.problem}."
        return f"{text} {self.remedy}." if self.remedy else text


class ImageReadError(VerteNetError):
    """An image file cannot be read, or holds something other than one grey image."""


class AnnotationError(VerteNetError):
    """A landmark file is incomplete, ambiguous or not in the format it claims."""


class GeometryError(VerteNetError):
    """Landmarks cannot carry the measurement that was asked for."""


class ModelError(VerteNetError):
    """Weights or a network cannot be loaded, or do not belong together."""


class SchemaError(VerteNetError):
    """A stored Reading or card does not follow its published schema."""


class OptionError(VerteNetError):
    """An option has a value outside what is accepted."""
