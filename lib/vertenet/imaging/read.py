"""One door for every image file."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from ..errors import ImageReadError, OptionError, PathLike, VerteNetError
from ..radiograph import Radiograph, Spacing
from ..spine import Side
from .sniff import Kind, kind_of
from .spacing import given_magnification, given_spacing

_NOISE = re.compile(r"^(sitk::|ITK )ERROR: |\w+\(0x[0-9a-f]+\): | (file )?<_io\.\w+ object at 0x[0-9a-f]+>")


def read(
    path: PathLike,
    *,
    anterior: Side | None = None,
    spacing: float | tuple[float, float] | None = None,
    magnification: float | None = None,
) -> Radiograph:
    """Read one radiograph from a DICOM, PNG, JPEG, TIFF, NIfTI, NRRD or MetaImage file.

    The content decides what a file is; its name does not matter.

    Parameters
    ----------
    path : path
    anterior : {"left", "right"}, optional
        The side that the front of the body faces; goes before what the file says. Without either it is unknown.
    spacing : float or (row, column), optional
        Size of a pixel in the patient, mm; goes before what the file says.
    magnification : float, optional
        Radiographic magnification, at least 1: ImagerPixelSpacing is divided by it.

    Returns
    -------
    Radiograph
        With every warning that arose while reading.

    Raises
    ------
    ImageReadError
        The file is not one readable grey image; the message names it and says what is wrong.
    OptionError
        An option has an impossible value.

    Examples
    --------
    >>> radiograph = read("scan.dcm", anterior="right")                                     # doctest: +SKIP
    >>> radiograph.spacing.source                                                           # doctest: +SKIP
    <SpacingSource.IMAGER_PIXEL_SPACING: 'ImagerPixelSpacing'>
    """
    if anterior not in (None, "left", "right"):
        raise OptionError(f"anterior is {anterior!r}, but only 'left' and 'right' exist")
    given = given_spacing(spacing)
    factor = given_magnification(magnification)
    path = Path(path)
    kind = kind_of(path)
    try:
        radiograph = _parse(path, kind, factor)
    except VerteNetError:
        raise
    except ImportError as error:
        raise ImageReadError(
            f"reading {kind} files needs {error.name}, which is not installed",
            subject=path,
            remedy="Run: pip install 'vertenet[imaging]'",
        ) from error
    except MemoryError as error:
        raise ImageReadError("the image does not fit into memory", subject=path) from error
    # Three third-party parsers and their codecs raise some twenty types on damaged bytes, from struct.error to
    # AttributeError. Whatever they raise here means the same to the caller: this file cannot be read.
    except Exception as error:
        raise ImageReadError(
            f"the file cannot be read as {kind} ({_last_line(error)})",
            subject=path,
            remedy="It is damaged or incomplete: copy or export it again",
        ) from error
    return _with_options(radiograph, anterior, given)


def _parse(path: Path, kind: Kind, magnification: float | None) -> Radiograph:
    # Imported here, so that reading a PNG needs no pydicom and importing the library needs neither.
    if kind is Kind.DICOM:
        from .dicom import read_dicom

        return read_dicom(path, magnification)
    if kind in (Kind.PNG, Kind.JPEG, Kind.TIFF):
        from .raster import read_raster

        return read_raster(path, kind)
    from .volume import read_volume

    return read_volume(path, kind)


def _with_options(radiograph: Radiograph, anterior: Side | None, given: Spacing | None) -> Radiograph:
    """The radiograph with what the user said in place of what the file said; a contradiction becomes a warning."""
    warnings = list(radiograph.warnings)
    stated = radiograph.anterior
    if anterior and stated and anterior != stated:
        warnings.append(f"The file says that anterior is {stated}; {anterior} was given and is used")
    own = radiograph.spacing
    if given and own and not _alike(given, own):
        warnings.append(
            f"The file says {own.row:g} x {own.column:g} mm a pixel ({own.source}); "
            f"{given.row:g} x {given.column:g} mm was given and is used"
        )
    return replace(
        radiograph, anterior=anterior or stated, spacing=given or own, warnings=tuple(dict.fromkeys(warnings))
    )


def _alike(a: Spacing, b: Spacing) -> bool:
    return abs(a.row - b.row) <= 0.01 * b.row and abs(a.column - b.column) <= 0.01 * b.column


def _last_line(error: Exception) -> str:
    """The gist of a parser's message: its last line, without the parser's name and addresses in memory."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    gist = _NOISE.sub("", lines[-1]).strip() if lines else ""
    return gist[:160] or type(error).__name__
