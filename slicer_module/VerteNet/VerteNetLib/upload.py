"""An image of this computer on its way to the server, without the patient."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from vertenet.files import sha256_of

from .deidentify import deidentify, is_dicom, pseudonymous_id
from .interfaces import Progress, Server, Stage


@dataclass(frozen=True)
class PreparedUpload:
    """What may be sent: a DICOM file that is freed of the patient while it is sent, or pixels that never had one."""

    folder: Path
    secret: bytes
    dicom: Optional[Path] = None
    pixels: Optional[Path] = None
    burned_in_checked: bool = False

    def send(self, server: Server, progress: Progress) -> tuple[str, str]:
        """Send it; the image's id on the server, and the SHA-256 of the file that was sent.

        The copies on this computer are removed.

        Raises
        ------
        ServerError, ImageReadError, BurnedInError, jobs.CancelledError
        """
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            path = self.pixels
            if self.dicom is not None:
                path = Path(folder, "image.dcm")
                deidentify(self.dicom, path, self.secret, burned_in_checked=self.burned_in_checked)
            sha256 = sha256_of(path)
            image_id = server.upload(path, pseudonymous_id(path, self.secret), progress)
        if self.pixels is not None:
            self.pixels.unlink(missing_ok=True)
        return image_id, sha256


def prepare_upload(stage: Stage, folder: Path, secret: bytes, burned_in_checked: bool) -> PreparedUpload:
    """Look at the image on the stage; to be called in the main thread.

    Raises
    ------
    ImageReadError, OSError
        The pixels cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = stage.source_file()
    if source is not None and is_dicom(source):
        return PreparedUpload(folder, secret, dicom=source, burned_in_checked=burned_in_checked)
    pixels = folder / "pixels.nrrd"
    stage.write_pixels(pixels)
    return PreparedUpload(folder, secret, pixels=pixels)
