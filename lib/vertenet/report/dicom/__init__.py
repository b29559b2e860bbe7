"""Readings as DICOM objects that other software shows. Needs highdicom."""

from __future__ import annotations

from pathlib import Path

from ...files import beside
from ...reading import Reading
from .presentation import presentation_state
from .read_back import read_report
from .source import image_header
from .sr import structured_report

__all__ = ["image_header", "presentation_state", "read_report", "structured_report", "write_dicom_results"]


def write_dicom_results(
    image: str | Path, reading: Reading, out: str | Path, stem: str, *, organization: str = ""
) -> tuple[Path, Path]:
    """Write ``<stem>.sr.dcm`` and ``<stem>.gsps.dcm``, each all or nothing; their paths. The image is only read.

    Parameters
    ----------
    image : path
        The DICOM file that the reading is of.
    reading : Reading
    out : path
        Folder, made if missing.
    stem : str
    organization : str
        See `structured_report`.

    Raises
    ------
    OptionError
        The image is no DICOM file, or another one than that of the reading.
    ImageReadError
        It lacks the identifiers by which a result refers to it.
    """
    header = image_header(Path(image))
    made = {
        ".sr.dcm": structured_report(reading, header, organization=organization),
        ".gsps.dcm": presentation_state(reading, header),
    }
    paths = []
    for ending, dataset in made.items():
        path = Path(out) / f"{stem}{ending}"
        with beside(path) as temporary:
            dataset.save_as(temporary, write_like_original=False)
        paths.append(path)
    return tuple(paths)
