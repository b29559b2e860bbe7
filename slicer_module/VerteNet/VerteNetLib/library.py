"""Images fetched from servers, and of which server's image a file is the copy."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple, Optional

from .interfaces import Progress, Server
from .records import Records


class Origin(NamedTuple):
    """Where an image comes from: `Connection.store`, and its id there."""

    store: str
    image_id: str


class Library:
    """A folder for each server, since ids are unique within one server only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fetch(self, server: Server, origin: Origin, progress: Progress) -> Path:
        """Download an image. Raises `ServerError`."""
        folder = self._folder / hashlib.sha256(origin.store.encode()).hexdigest()[:12]
        folder.mkdir(parents=True, exist_ok=True)
        path = server.fetch_image(origin.image_id, folder, progress)
        Records(folder).write(path.name, origin._asdict())
        return path

    def origin_of(self, path: Optional[Path]) -> Optional[Origin]:
        """Of a file that was fetched; None for any other."""
        if path is None or path.parent.parent != self._folder:
            return None
        try:
            known = Records(path.parent).read(path.name)
            return None if known is None else Origin(str(known["store"]), str(known["image_id"]))
        except (ValueError, KeyError):
            return None
