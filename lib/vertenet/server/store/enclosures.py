"""What comes with a label: an id that makes sending it twice the same as once, which image the annotator saw, and the
reading that was made with it.

A client that never saw the answer cannot know whether its label was kept. It sends it again under the same id, and gets
the revision of the first time. Ids and sizes of images are alike in many folders, patients are not: so a client says
which file it had on the screen.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vertenet.errors import AnnotationError, OptionError, SchemaError, VerteNetError
from vertenet.files import sha256_of
from vertenet.reading import Reading
from vertenet.spine import Spine

from .check import CheckedLabel
from .database import Database
from .facts import ImageFacts

#: A reading of a full spine has about 60 000 characters; notes may be long.
LARGEST_CHARACTERS = 1 << 19
#: A reading's points are the label's, after the way through a viewer's millimetres.
TOLERANCE_PX = 0.01

_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class SubmissionConflictError(VerteNetError):
    """The id of a submission that was kept came again with something else, or the label is of another image."""


@dataclass(frozen=True, eq=False)
class Enclosure:
    """What a client put beside its label.

    Attributes
    ----------
    submission : str or None
        The client's id of this submission, such as a UUID; None: sent again, it is another revision.
    reading : mapping or None
        A `Reading` in its published form, not checked yet.
    image_sha256 : str or None
        Of the image file that the annotator saw, 64 hexadecimal digits; None: the client does not say.
    """

    submission: str | None = None
    reading: Mapping[str, Any] | None = None
    image_sha256: str | None = None

    @classmethod
    def taken_from(cls, info: dict[str, Any]) -> Enclosure:
        """Take ``submission``, ``reading`` and ``image_sha256`` out of what a client says beside a label.

        Raises
        ------
        OptionError
            They are no plain word, no JSON object, no SHA-256.
        """
        submission, reading, sha256 = (info.pop(name, None) for name in ("submission", "reading", "image_sha256"))
        if submission is not None and not (isinstance(submission, str) and _ID.fullmatch(submission)):
            raise OptionError(
                f"the submission {str(submission)[:80]!r} is no id",
                remedy="Use a UUID: letters, digits and dashes, at most 64",
            )
        if reading is not None and not isinstance(reading, Mapping):
            raise OptionError("the reading beside a label is not a JSON object")
        if sha256 is not None and not (isinstance(sha256, str) and _SHA256.fullmatch(sha256)):
            raise OptionError("image_sha256 is no SHA-256", remedy="Give the 64 hexadecimal digits of the image file's")
        return cls(submission, reading, sha256)

    def digest(self, tag: str, content: bytes) -> str:
        """SHA-256 of all that a submission asks to be kept."""
        said = json.dumps([tag, hashlib.sha256(content).hexdigest(), self.reading], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()

    def refuse_other_image(self, path: Path, image_id: str) -> None:
        """Raises `SubmissionConflictError` where the annotator saw another file than the one at ``path``."""
        if self.image_sha256 not in (None, sha256_of(path)):
            raise _other_image(image_id)

    @staticmethod
    def refuse_other_pixels(label: CheckedLabel, facts: ImageFacts, image_id: str) -> None:
        """The same where the label's own file says that it was made on other pixels."""
        if label.pixels_sha256 not in (None, facts.pixels_sha256):
            raise _other_image(image_id)

    def checked_reading(self, label: CheckedLabel, facts: ImageFacts, image_id: str) -> str | None:
        """The reading as JSON of the current schema; None where there is none.

        Raises
        ------
        SchemaError
            It does not follow its schema.
        AnnotationError
            It is of another image, or of other landmarks than the label.
        """
        if self.reading is None:
            return None
        subject = f"reading of {image_id}"
        try:
            reading = Reading.from_dict(self.reading)
        except SchemaError as error:
            raise SchemaError(error.problem, subject=subject, remedy=error.remedy) from error
        if (reading.image.rows, reading.image.columns) != (facts.rows, facts.columns):
            raise AnnotationError(
                f"it is of {reading.image.columns} x {reading.image.rows} pixels, "
                f"but the image has {facts.columns} x {facts.rows}",
                subject=subject,
            )
        _refuse_other_landmarks(reading.spine, label.spine, subject)
        text = json.dumps(reading.to_dict(), allow_nan=False)
        if len(text) > LARGEST_CHARACTERS:
            raise AnnotationError(f"it has {len(text)} characters, more than {LARGEST_CHARACTERS}", subject=subject)
        return text


class Enclosures:
    """Enclosures in the database; each method is one statement of its caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, image_id: str, annotator: str, submission: str | None, digest: str) -> int | None:
        """The revision that an annotator's submission became; None where it is new, or has no id.

        Raises
        ------
        SubmissionConflictError
            The id was used for something else.
        """
        if submission is None:
            return None
        row = (
            self._database.reading()
            .execute(
                "SELECT number, digest FROM submissions WHERE image_id = ? AND annotator = ? AND submission = ?",
                (image_id, annotator, submission),
            )
            .fetchone()
        )
        if row is None:
            return None
        if row["digest"] != digest:
            raise SubmissionConflictError(
                f"the submission {submission} was kept as revision {row['number']} with other content",
                subject=f"label of {image_id}",
                remedy="Submit it under a new id",
            )
        return row["number"]

    def keep_submission(
        self,
        connection: sqlite3.Connection,
        image_id: str,
        annotator: str,
        submission: str | None,
        digest: str,
        number: int,
    ) -> None:
        if submission is not None:
            row = (image_id, annotator, submission, number, digest)
            connection.execute("INSERT INTO submissions VALUES (?, ?, ?, ?, ?)", row)

    def keep_reading(self, connection: sqlite3.Connection, image_id: str, number: int, reading: str | None) -> None:
        if reading is not None:
            connection.execute("INSERT INTO readings VALUES (?, ?, ?)", (image_id, number, reading))

    def reading(self, image_id: str, number: int) -> str | None:
        """The reading kept with a revision, JSON; None where there is none."""
        row = (
            self._database.reading()
            .execute("SELECT reading FROM readings WHERE image_id = ? AND number = ?", (image_id, number))
            .fetchone()
        )
        return None if row is None else row["reading"]

    def numbers(self, image_id: str) -> frozenset[int]:
        """The revisions of an image that have a reading."""
        rows = self._database.reading().execute("SELECT number FROM readings WHERE image_id = ?", (image_id,))
        return frozenset(row["number"] for row in rows)


def _other_image(image_id: str) -> SubmissionConflictError:
    return SubmissionConflictError(
        "it was made on another image than the one that has this id here",
        subject=f"label of {image_id}",
        remedy="Load the image from this server, and compare",
    )


def _refuse_other_landmarks(spine: Spine, labelled: Spine, subject: str) -> None:
    read, drawn = spine.present_points(), labelled.present_points()
    for name in dict.fromkeys((*drawn, *read)):  # from head to foot
        if name not in read or name not in drawn:
            where = "the label" if name in drawn else "the reading"
            raise AnnotationError(f"only {where} has {name}", subject=subject, remedy="Measure the label anew")
        if max(abs(a - b) for a, b in zip(read[name], drawn[name])) > TOLERANCE_PX:
            raise AnnotationError(
                f"{name} lies elsewhere in the label", subject=subject, remedy="Measure the label anew"
            )
