"""A file on its way to the server as a form (RFC 7578), read while it is sent."""

from __future__ import annotations

import io
import os
import uuid
from pathlib import Path
from typing import Optional

from .i18n import _
from .interfaces import Progress


class FileForm:
    """The body of a form with one file, for requests: it has a length and is read piece by piece.

    requests itself would read the whole file into memory, and neither tell how far it is nor stop on the way.

    Parameters
    ----------
    field : str
        Name of the form's field.
    path : Path
    name : str
        What the server is told that the file is called.
    values : dict of str to str
        Further fields.
    """

    def __init__(
        self, field: str, path: Path, name: str, values: dict[str, str], progress: Optional[Progress] = None
    ) -> None:
        boundary = uuid.uuid4().hex
        plain = "".join(c if c.isprintable() and c not in '"\\' else "_" for c in name)
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in values.items()
        )
        head += f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{plain}"\r\n'
        head += "Content-Type: application/octet-stream\r\n\r\n"
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._file = path.open("rb")
        self._parts = [io.BytesIO(head.encode()), self._file, io.BytesIO(f"\r\n--{boundary}--\r\n".encode())]
        self._length = os.fstat(self._file.fileno()).st_size + sum(len(part.getbuffer()) for part in self._parts[::2])
        self._sent, self._progress = 0, progress

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        """The next ``size`` bytes at most; empty at the end. Raises `jobs.CancelledError`."""
        while self._parts:
            piece = self._parts[0].read(size)
            if piece:
                self._sent += len(piece)
                if self._progress is not None:
                    self._progress.report(_("Sending the image"), self._sent / self._length)
                return piece
            self._parts.pop(0)
        return b""

    def __enter__(self) -> FileForm:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()
