"""Who has which image on the desk, and who put which one aside: leases and skips, shared by every process.

A lease is taken by one SQL statement that succeeds for one annotator only, so two people cannot get the same image
however many requests, threads and processes ask at once. It ends when it expires or its holder skips the image; once
the image has a final label it no longer matters. Leases are per name: people who share one, or give none, share leases.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from vertenet.errors import OptionError

from ..state import connect, transaction
from .tables import create_tables

#: How long an image stays with whom it was offered to, seconds.
LEASE_S = 3600.0
#: Images that one annotator may hold at once; who has as many is offered those again.
MOST_LEASES = 32
#: An image that so many people have put aside is offered to nobody.
ENOUGH_SKIPS = 2
LONGEST_REASON = 300


@dataclass(frozen=True)
class Lease:
    """An image on an annotator's desk; times are Unix seconds."""

    image_id: str
    annotator: str
    strategy: str
    taken: float
    expires: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON, times as UTC in ISO 8601."""
        return {**asdict(self), "taken": utc(self.taken), "expires": utc(self.expires)}


@dataclass(frozen=True)
class Skip:
    """An image that an annotator put aside, and why; ``created`` in Unix seconds."""

    image_id: str
    annotator: str
    reason: str
    created: float

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "created": utc(self.created)}


class Desk:
    """Leases and skips in the server's database.

    Parameters
    ----------
    database : Path
        The server's SQLite file; the tables are made if missing.
    lease_s : float
        Length of a lease, seconds.
    clock : callable
        Unix time; the wall clock, since it is what processes share.

    Examples
    --------
    >>> desk = Desk(state_folder(studies) / DATABASE)                   # doctest: +SKIP
    >>> desk.take("anna", ["scan-7"], "hybrid")                         # doctest: +SKIP
    """

    def __init__(self, database: Path, *, lease_s: float = LEASE_S, clock: Callable[[], float] = time.time) -> None:
        self.database = Path(database)
        self.lease_s = lease_s
        self.clock = clock
        create_tables(self.database)

    def take(self, annotator: str, images: Sequence[str], strategy: str) -> list[Lease] | None:
        """Lease all of ``images`` to ``annotator``, or none of them: None where one is leased by now, even to them."""
        now = self.clock()
        leases = [Lease(image, annotator, strategy, now, now + self.lease_s) for image in images]
        try:
            with closing(connect(self.database)) as connection, transaction(connection):
                for lease in leases:
                    _insert(connection, lease)
        except _TakenError:
            return None
        return leases

    def renew(self, annotator: str, images: Sequence[str]) -> list[Lease]:
        """Start those of the annotator's leases of ``images`` anew that have not expired; they are given back."""
        now = self.clock()
        query = "SELECT * FROM active_leases WHERE image_id = ? AND annotator = ? AND expires > ?"
        with closing(connect(self.database)) as connection, transaction(connection):
            rows = [connection.execute(query, (image, annotator, now)).fetchone() for image in images]
            leases = [replace(Lease(**row), taken=now, expires=now + self.lease_s) for row in rows if row is not None]
            for lease in leases:
                connection.execute(
                    "UPDATE active_leases SET taken = :taken, expires = :expires WHERE image_id = :image_id",
                    asdict(lease),
                )
        return leases

    def leases(self) -> list[Lease]:
        """Those that have not expired, the oldest first; some may be of images that have been labelled since."""
        query = "SELECT * FROM active_leases WHERE expires > ? ORDER BY taken, image_id"
        return [Lease(**row) for row in self._rows(query, self.clock())]

    def skip(self, annotator: str, image_id: str, reason: str) -> Skip:
        """Put an image aside; the annotator's lease of it ends. A second skip of the same image replaces the reason.

        Raises
        ------
        OptionError
            The reason is empty, too long or not plain text.
        """
        reason = reason.strip() if isinstance(reason, str) else ""
        if not (0 < len(reason) <= LONGEST_REASON and reason.isprintable()):
            raise OptionError(
                f"an image is skipped with a reason of 1 to {LONGEST_REASON} characters on one line",
                remedy="Say what is wrong with the image, without the patient's name",
            )
        skip = Skip(image_id, annotator, reason, self.clock())
        with closing(connect(self.database)) as connection, transaction(connection):
            connection.execute(
                "INSERT OR REPLACE INTO active_skips VALUES (:image_id, :annotator, :reason, :created)", asdict(skip)
            )
            connection.execute("DELETE FROM active_leases WHERE image_id = ? AND annotator = ?", (image_id, annotator))
        return skip

    def skips(self) -> list[Skip]:
        """All of them, the oldest first."""
        return [Skip(**row) for row in self._rows("SELECT * FROM active_skips ORDER BY created, image_id")]

    def _rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with closing(connect(self.database)) as connection:
            return [dict(row) for row in connection.execute(query, values)]


def put_aside(skips: Iterable[Skip], annotator: str) -> set[str]:
    """Images that ``annotator`` is not offered: those that they skipped, and those that `ENOUGH_SKIPS` people did."""
    by_image: dict[str, set[str]] = {}
    for skip in skips:
        by_image.setdefault(skip.image_id, set()).add(skip.annotator)
    return {image for image, people in by_image.items() if annotator in people or len(people) >= ENOUGH_SKIPS}


def utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")


class _TakenError(Exception):
    """Somebody else holds the image."""


def _insert(connection: sqlite3.Connection, lease: Lease) -> None:
    done = connection.execute(
        "INSERT INTO active_leases VALUES (:image_id, :annotator, :strategy, :taken, :expires) "
        "ON CONFLICT (image_id) DO UPDATE SET annotator = :annotator, strategy = :strategy, taken = :taken, "
        "expires = :expires WHERE expires <= :taken",
        asdict(lease),
    )
    if done.rowcount != 1:
        raise _TakenError
