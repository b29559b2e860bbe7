"""What models said of the images, kept in the server's database: one row per image and model."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from vertenet.learning.informative import Informative

from ..state import connect, transaction
from .tables import create_tables


@dataclass(frozen=True, eq=False)
class ImageScore:
    """What one model says of one image.

    Attributes
    ----------
    image_id, model_sha256 : str
        ``model_sha256`` is that of the weight file.
    file_stamp : str
        Of the image file that was looked at, see `stamp`: another file under the same id is another image.
    found : Informative or None
        What the model makes of it.
    error : str or None
        Why the image could not be read; ``found`` is None then.
    """

    image_id: str
    model_sha256: str
    file_stamp: str
    found: Informative | None = None
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """For JSON, without the features."""
        values = {} if self.found is None else {**vars(self.found)}
        values.pop("features", None)
        return {**values, "model_sha256": self.model_sha256}


class ScoreTable:
    """Scores in the server's database.

    Parameters
    ----------
    database : Path
        The server's SQLite file; the tables are made if missing.
    """

    def __init__(self, database: Path) -> None:
        self.database = Path(database)
        create_tables(self.database)

    def put(self, score: ImageScore) -> None:
        """Keep a score in the place of an older one of the same image and model."""
        row = {**dict.fromkeys(field.name for field in fields(Informative)), **vars(score), "created": time.time()}
        if row.pop("found") is not None:
            row.update(vars(score.found), features=np.asarray(score.found.features, "<f4").tobytes())
        with closing(connect(self.database)) as connection, transaction(connection):
            connection.execute(
                "INSERT OR REPLACE INTO active_scores VALUES (:image_id, :model_sha256, :file_stamp, :created, "
                ":margin, :doubt, :dispersion, :typical, :quality, :features, :error)",
                row,
            )

    def of_model(self, model_sha256: str) -> dict[str, ImageScore]:
        """Image id to score."""
        query = "SELECT * FROM active_scores WHERE model_sha256 = ?"
        with closing(connect(self.database)) as connection:
            return {row["image_id"]: _score(row) for row in connection.execute(query, (model_sha256,))}

    def has(self, image_id: str, model_sha256: str, file_stamp: str) -> bool:
        query = "SELECT 1 FROM active_scores WHERE image_id = ? AND model_sha256 = ? AND file_stamp = ?"
        with closing(connect(self.database)) as connection:
            return connection.execute(query, (image_id, model_sha256, file_stamp)).fetchone() is not None

    def missing(self, stamps: Mapping[str, str], model_sha256: str) -> list[str]:
        """Images of ``stamps`` (id to file stamp) without a score of the model for that file, in the given order."""
        query = "SELECT image_id, file_stamp FROM active_scores WHERE model_sha256 = ?"
        with closing(connect(self.database)) as connection:
            known = {tuple(row) for row in connection.execute(query, (model_sha256,))}
        return [image for image, stamped in stamps.items() if (image, stamped) not in known]

    def best_informed(self, images: Iterable[str], current: str) -> str:
        """The model whose scores to go by: the one that has scored most of ``images``, the current one if it is equal.

        Features of two models have nothing to do with each other, so scores of one model are used at a time; those of
        the last model serve, marked as stale, until the current one has been through the folder.
        """
        wanted = set(images)
        counts: dict[str, int] = {current: 0}
        newest: dict[str, float] = {current: float("inf")}
        query = "SELECT image_id, model_sha256, created FROM active_scores"
        with closing(connect(self.database)) as connection:
            for image_id, model, created in connection.execute(query):
                counts[model] = counts.get(model, 0) + (image_id in wanted)
                newest[model] = max(newest.get(model, 0.0), created)
        return max(counts, key=lambda model: (counts[model], newest[model]))

    def forget_other_models(self, model_sha256: str) -> None:
        """Delete the scores of every model but this one."""
        with closing(connect(self.database)) as connection, transaction(connection):
            connection.execute("DELETE FROM active_scores WHERE model_sha256 <> ?", (model_sha256,))


def stamp(path: str | Path) -> str:
    """What tells a file from another one put in its place: size and time of change; "absent" where there is none."""
    try:
        status = Path(path).stat()
    except OSError:
        return "absent"
    return f"{status.st_size}-{status.st_mtime_ns}"


def _score(row: sqlite3.Row) -> ImageScore:
    key = (row["image_id"], row["model_sha256"], row["file_stamp"])
    if row["error"] is not None:
        return ImageScore(*key, error=row["error"])
    values = {field.name: row[field.name] for field in fields(Informative)}
    values["features"] = np.frombuffer(values["features"], "<f4")
    values["typical"] = None if values["typical"] is None else bool(values["typical"])
    return ImageScore(*key, found=Informative(**values))
