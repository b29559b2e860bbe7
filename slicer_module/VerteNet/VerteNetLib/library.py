"""Images fetched from servers, and of which server's image a file is the copy."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Optional

from vertenet.files import sha256_of

from .answers import Origin
from .interfaces import Progress, Server
from .records import Records


class Library:
    """A folder for each image as it once was: ids are unique within one store only, and an image may be replaced."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fetch(self, server: Server, origin: Origin, progress: Progress) -> tuple[Path, Origin]:
        """Download an image; its file, and ``origin`` with the file's hash. Raises `ServerError`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            fetched = server.fetch_image(origin.image_id, Path(folder), progress)
            origin = replace(origin, sha256=sha256_of(fetched))
            known_as = f"{origin.store}\0{origin.image_id}\0{origin.sha256}"
            target = self._folder / hashlib.sha256(known_as.encode()).hexdigest()[:24]
            target.mkdir(exist_ok=True)
            path = target / fetched.name
            os.replace(fetched, path)
        Records(target).write(path.name, asdict(origin))
        return path, origin

    def origin_of(self, path: Optional[Path]) -> Optional[Origin]:
        """Of a file that was fetched and is still the same; None for any other."""
        if path is None or path.parent.parent != self._folder:
            return None
        try:
            known = Records(path.parent).read(path.name)
            origin = None if known is None else Origin(**{name: str(value) for name, value in known.items()})
            return origin if origin is not None and origin.sha256 == sha256_of(path) else None
        except (ValueError, TypeError, OSError):
            return None
