"""The history of labels: every revision that ever was, and which of them holds now."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Literal

from .. import plain
from ..audit import note
from .changes import Change, changes, from_json, to_json
from .check import CheckedLabel, Points
from .database import Database
from .names import CONSENSUS, DONE, ORIGINAL

Action = Literal["proposed", "submitted", "imported", "taken over", "consensus", "removed"]

_OF_PERSONS = ("submitted", "imported", "taken over")
_REVISION = (
    "SELECT r.number, r.image_id, r.tag, r.annotator, r.created, r.action, r.model_sha256, r.model_version, r.based_on,"
    " r.changed, r.sha256, m.pixels_sha256 FROM revisions r LEFT JOIN made_on m USING (image_id, number)"
)


@dataclass(frozen=True)
class Revision:
    """One entry of an image's history.

    Attributes
    ----------
    number : int
        1, 2, 3 ... for each image.
    image_id, tag, annotator : str
    created : str
        UTC, ISO 8601, milliseconds.
    action : str
        What was done, see `Action`.
    model_sha256, model_version : str or None
        The model whose proposal the label started from; None where none is known to have.
    based_on : str or None
        What ``changed`` compares with: ``"proposal"``, ``"revision 3"``, or None where there was nothing.
    changed : tuple of Change
        Each point that was moved, added or removed.
    sha256 : str or None
        Of the label file; None for a removal.
    pixels_sha256 : str or None
        Of the image's pixels that the label was made on (`vertenet.imaging.fingerprint`); None for a removal, and for
        labels that are older than this entry.
    """

    number: int
    image_id: str
    tag: str
    annotator: str
    created: str
    action: Action
    model_sha256: str | None
    model_version: str | None
    based_on: str | None
    changed: tuple[Change, ...]
    sha256: str | None
    pixels_sha256: str | None

    @property
    def is_truth(self) -> bool:
        """It may be counted on: a person's label or a consensus of the server's, and no model's answer.

        Older servers kept under any tag what a client or a model's answer asked for.
        """
        made = ("consensus", "taken over") if self.tag == CONSENSUS else _OF_PERSONS
        return self.tag in DONE and self.action in made

    @property
    def timestamp(self) -> int:
        """Unix time of ``created``, whole seconds."""
        return int(datetime.fromisoformat(self.created).timestamp())


@dataclass(frozen=True)
class Origin:
    """Who made a label, and how.

    ``created`` is given for labels that are older than the store; ``info`` is what a client said beside the label;
    ``pixels_sha256`` is that of the image's pixels.
    """

    annotator: str
    action: Action = "submitted"
    created: str | None = None
    info: Mapping[str, Any] | None = None
    pixels_sha256: str | None = None


def utc_now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


class History:
    """Reads and extends the history in a database; every method is one transaction, unless it takes a connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(
        self, connection: sqlite3.Connection, image_id: str, tag: str, label: CheckedLabel, origin: Origin
    ) -> Revision:
        """Add a revision and make it the annotator's current label of this image and tag."""
        proposal = self._proposal(connection, image_id, label.proposed)
        before, based_on = self._before(connection, image_id, tag, origin.annotator, proposal)
        points = label.spine.present_points()
        return self._insert(
            connection,
            image_id,
            tag,
            origin,
            content=label.content,
            points=points,
            model=(None, None) if proposal is None else (proposal["model_sha256"], proposal["model_version"]),
            based_on=based_on,
            changed=() if before is None else changes(before, points),
        )

    def remove(self, connection: sqlite3.Connection, image_id: str, tag: str, annotator: str) -> list[Revision]:
        """End the current labels of an image and tag; each one's removal is a revision by ``annotator``."""
        owners = connection.execute(
            "SELECT annotator FROM labels WHERE image_id = ? AND tag = ?", (image_id, tag)
        ).fetchall()
        removed = []
        for owner in owners:
            info = {} if owner["annotator"] == annotator else {"label_of": owner["annotator"]}
            removed.append(self._insert(connection, image_id, tag, Origin(annotator, "removed", info=info)))
        connection.execute("DELETE FROM labels WHERE image_id = ? AND tag = ?", (image_id, tag))
        return removed

    def propose(
        self, connection: sqlite3.Connection, image_id: str, points: Points, sha256: str, version: str | None
    ) -> None:
        """Remember what a model answered, so that a label that starts from it can be told by its points."""
        if points:
            connection.execute(
                "INSERT OR IGNORE INTO proposals VALUES (?, ?, ?, ?, ?)",
                (image_id, _points_json(points), sha256, version, utc_now()),
            )

    def revisions(self, image_id: str) -> list[Revision]:
        """The image's whole history, oldest first."""
        rows = self._database.reading().execute(f"{_REVISION} WHERE r.image_id = ? ORDER BY r.number", (image_id,))
        return [_revision(row) for row in rows]

    def revision(self, image_id: str, number: int) -> Revision:
        """One revision, which exists."""
        query = f"{_REVISION} WHERE r.image_id = ? AND r.number = ?"
        return _revision(self._database.reading().execute(query, (image_id, number)).fetchone())

    def content(self, image_id: str, number: int) -> bytes | None:
        """The label file of a revision; None for a removal or an unknown number."""
        row = (
            self._database.reading()
            .execute("SELECT content FROM revisions WHERE image_id = ? AND number = ?", (image_id, number))
            .fetchone()
        )
        return None if row is None else row["content"]

    def current(self, image_id: str | None = None, tag: str | None = None) -> list[Revision]:
        """Every annotator's current label, oldest first in each image; all images, all tags by default."""
        query = f"{_REVISION} JOIN labels USING (image_id, number) JOIN images USING (image_id) WHERE present"
        wanted: list[str] = []
        for column, value in (("r.image_id", image_id), ("r.tag", tag)):
            if value is not None:
                query += f" AND {column} = ?"
                wanted.append(value)
        rows = self._database.reading().execute(f"{query} ORDER BY images.rowid, r.number", wanted)
        return [_revision(row) for row in rows]

    def knows(self, image_id: str, content: bytes) -> bool:
        """Whether this very file is a revision of the image."""
        found = self._database.reading().execute(
            "SELECT 1 FROM revisions WHERE image_id = ? AND sha256 = ? LIMIT 1",
            (image_id, hashlib.sha256(content).hexdigest()),
        )
        return found.fetchone() is not None

    def info(self, image_id: str, number: int) -> dict[str, Any]:
        row = (
            self._database.reading()
            .execute("SELECT info FROM revisions WHERE image_id = ? AND number = ?", (image_id, number))
            .fetchone()
        )
        return {} if row is None else plain.kept(row["info"])

    def update_info(self, image_id: str, number: int, info: Mapping[str, Any]) -> None:
        """Merge ``info`` into what is said beside a revision; the label itself never changes."""
        with self._database.writing() as connection:
            merged = plain.notes({**self.info(image_id, number), **info}, f"the label of {image_id}")
            connection.execute(
                "UPDATE revisions SET info = ? WHERE image_id = ? AND number = ?", (merged, image_id, number)
            )

    def _insert(
        self,
        connection: sqlite3.Connection,
        image_id: str,
        tag: str,
        origin: Origin,
        *,
        content: bytes | None = None,
        points: Points | None = None,
        model: tuple[str | None, str | None] = (None, None),
        based_on: str | None = None,
        changed: tuple[Change, ...] = (),
    ) -> Revision:
        row = connection.execute("SELECT MAX(number) AS last FROM revisions WHERE image_id = ?", (image_id,)).fetchone()
        sha256 = None if content is None else hashlib.sha256(content).hexdigest()
        revision = Revision(
            (row["last"] or 0) + 1,
            image_id,
            tag,
            origin.annotator,
            origin.created or utc_now(),
            origin.action,
            *model,
            based_on,
            changed,
            sha256,
            None if content is None else origin.pixels_sha256,
        )
        connection.execute(
            "INSERT INTO revisions (number, image_id, tag, annotator, created, action, model_sha256, model_version,"
            " based_on, changed, sha256, content, points, info) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(revision.number, image_id, tag, revision.annotator, revision.created, revision.action),
                *(*model, based_on, to_json(changed), sha256, content),
                *(_points_json(points or {}), json.dumps(plain.mended(origin.info or {}), default=str)),
            ),
        )
        if revision.pixels_sha256 is not None:
            made_on = (image_id, revision.number, revision.pixels_sha256)
            connection.execute("INSERT INTO made_on VALUES (?, ?, ?)", made_on)
        if content is not None:
            connection.execute(
                "INSERT OR REPLACE INTO labels VALUES (?, ?, ?, ?)",
                (image_id, tag, revision.annotator, revision.number),
            )
        note(
            tag=tag,
            revision_before=row["last"],
            revision_after=revision.number,
            label_sha256=sha256,
            model_sha256=revision.model_sha256,
            model_version=revision.model_version,
        )
        return revision

    def _proposal(self, connection: sqlite3.Connection, image_id: str, proposed: Points) -> sqlite3.Row | None:
        """The remembered answer that the file says it started from, to the last digit; the newest of several."""
        if not proposed:
            return None
        rows = connection.execute(
            "SELECT points, model_sha256, model_version FROM proposals WHERE image_id = ? ORDER BY rowid DESC",
            (image_id,),
        )
        wanted = {(name, *xy) for name, xy in proposed.items()}
        return next((row for row in rows if wanted <= {(name, *xy) for name, xy in _points(row).items()}), None)

    def _before(
        self,
        connection: sqlite3.Connection,
        image_id: str,
        tag: str,
        annotator: str,
        proposal: sqlite3.Row | None,
    ) -> tuple[Points | None, str | None]:
        """The points that a label is compared with, and what they are."""
        if proposal is not None:
            return _points(proposal), "proposal"
        if tag == ORIGINAL:
            return None, None
        row = connection.execute(
            "SELECT number, points FROM labels JOIN revisions USING (image_id, number)"
            " WHERE image_id = ? AND labels.tag = ? AND labels.annotator = ?",
            (image_id, tag, annotator),
        ).fetchone()
        if row is None:
            return None, None
        return _points(row), f"revision {row['number']}"


def _points_json(points: Mapping[str, tuple[float, float]]) -> str:
    return json.dumps({name: list(xy) for name, xy in sorted(points.items())}, allow_nan=False)


def _points(row: sqlite3.Row) -> Points:
    return {name: (xy[0], xy[1]) for name, xy in json.loads(row["points"]).items()}


def _revision(row: sqlite3.Row) -> Revision:
    return Revision(**{**dict(row), "changed": from_json(row["changed"])})
