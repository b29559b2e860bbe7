"""Sending files to an archive, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import ImageReadError
from .destination import Destination
from .outcome import Sent

TIMEOUT_S = 30.0


def send(paths: Sequence[Path], destination: Destination, *, timeout_s: float = TIMEOUT_S) -> list[Sent]:
    """Send DICOM files, each in its turn; where nobody answers, the rest is not tried.

    The files stay where they are, and an archive knows an instance by its UID, so all may be sent again.

    Parameters
    ----------
    paths : sequence of Path
    destination : Destination
    timeout_s : float
        How long an archive may be silent.

    Returns
    -------
    list of Sent
        In the order of ``paths``.

    Raises
    ------
    ImageReadError
        A file is no DICOM file; nothing has been sent then.
    """
    datasets = [_opened(Path(path)) for path in paths]
    if destination.url:
        from .stow import store
    else:
        from .cstore import store
    return store(list(zip(map(Path, paths), datasets)), destination, timeout_s)


def _opened(path: Path):
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    try:
        dataset = dcmread(path)
    except OSError as error:
        raise ImageReadError(f"the file cannot be read ({error.strerror or error})", subject=path) from error
    except (InvalidDicomError, EOFError, ValueError, KeyError) as error:
        raise ImageReadError("this is no complete DICOM file", subject=path, remedy="Write it again") from error
    if "SOPInstanceUID" not in dataset or "SOPClassUID" not in dataset:
        raise ImageReadError("the DICOM file has no SOPInstanceUID", subject=path)
    return dataset
