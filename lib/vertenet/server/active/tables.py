"""The tables of this package in the server's database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from vertenet.errors import SchemaError

from ..state import connect, told, transaction

SCHEMA_VERSION = 1

_TABLES = """
CREATE TABLE active_leases (
    image_id TEXT PRIMARY KEY,
    annotator TEXT NOT NULL,
    strategy TEXT NOT NULL,
    taken REAL NOT NULL,
    expires REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE active_skips (
    image_id TEXT NOT NULL,
    annotator TEXT NOT NULL,
    reason TEXT NOT NULL,
    created REAL NOT NULL,
    PRIMARY KEY (image_id, annotator)
) WITHOUT ROWID;
CREATE TABLE active_scores (
    image_id TEXT NOT NULL,
    model_sha256 TEXT NOT NULL,
    file_stamp TEXT NOT NULL,
    created REAL NOT NULL,
    margin REAL,
    doubt REAL,
    dispersion REAL,
    typical INTEGER,
    quality REAL,
    features BLOB,
    error TEXT,
    PRIMARY KEY (model_sha256, image_id)
)
"""


def create_tables(database: Path) -> None:
    """Make the tables where they are missing; any number of processes may do so at once.

    Raises
    ------
    SchemaError
        They were made by a newer version of this program.
    """
    with told(database), closing(connect(database, create=True)) as connection, transaction(connection):
        connection.execute("CREATE TABLE IF NOT EXISTS active_schema (version INTEGER NOT NULL)")
        found: sqlite3.Row | None = connection.execute("SELECT version FROM active_schema").fetchone()
        if found is None:
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute("INSERT INTO active_schema VALUES (?)", (SCHEMA_VERSION,))
        elif found["version"] > SCHEMA_VERSION:
            raise SchemaError(
                f"its active-learning tables have version {found['version']}, this program knows {SCHEMA_VERSION}",
                subject=str(database),
                remedy="Start the newer version of the program that made them",
            )
