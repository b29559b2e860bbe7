"""Readings as DICOM objects that other software shows. Needs highdicom."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset

from ...files import write_bytes
from ...reading import Reading
from .presentation import presentation_state
from .read_back import read_report
from .source import image_header
from .sr import structured_report

__all__ = [
    "dicom_results",
    "image_header",
    "presentation_state",
    "read_report",
    "structured_report",
    "write_dicom_results",
]


def dicom_results(image: str | Path, reading: Reading, *, organization: str = "") -> dict[str, bytes]:
    """The files by ending: ``.sr.dcm``, a structured report, and ``.gsps.dcm``, a presentation state.

    Parameters
    ----------
    image : path
        The DICOM file that the reading is of; it is only read.
    reading : Reading
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
    return {ending: _encoded(dataset) for ending, dataset in made.items()}


def write_dicom_results(
    image: str | Path, reading: Reading, out: str | Path, stem: str, *, organization: str = ""
) -> tuple[Path, Path]:
    """Write `dicom_results` to the folder ``out``, made if missing, as ``<stem><ending>``; their paths.

    Each all or nothing; raises as `dicom_results` does.
    """
    made = dicom_results(image, reading, organization=organization)
    paths = {Path(out) / f"{stem}{ending}": content for ending, content in made.items()}
    for path, content in paths.items():
        write_bytes(path, content)
    return tuple(paths)


def _encoded(dataset: Dataset) -> bytes:
    content = BytesIO()
    dataset.save_as(content, write_like_original=False)
    return content.getvalue()
