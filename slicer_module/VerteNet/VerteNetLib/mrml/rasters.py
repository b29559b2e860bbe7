"""PNG, JPEG and TIFF files through VTK, which reads them the same in 3D Slicer and without the application."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any, Optional

import vtk

from vertenet.errors import ImageReadError
from vertenet.imaging.sniff import Kind

_READERS = {Kind.PNG: vtk.vtkPNGReader, Kind.JPEG: vtk.vtkJPEGReader, Kind.TIFF: vtk.vtkTIFFReader}
RASTERS = tuple(_READERS)
_ORIENTATION = 0x0112
_UPRIGHT = 1
_HEADER_BYTES = 1 << 16


def read_raster(path: Path, kind: Kind) -> Any:
    """The pixels of a raster file, first row on top as in ITK.

    Returns
    -------
    vtkImageData
        One slice, origin 0, spacing 1 mm whatever resolution the file states: that describes a print.

    Raises
    ------
    ImageReadError
        The file is damaged, or stored turned.
    """
    if _orientation(path) not in (None, _UPRIGHT):
        raise ImageReadError(
            "the picture is stored turned or mirrored, and says so in its EXIF data",
            subject=path,
            remedy="Open it in an image editor and save it upright",
        )
    if kind is Kind.PNG:
        _check_png(path)
    reader = _READERS[kind]()
    reader.SetFileName(str(path))
    failures: list = []
    reader.AddObserver(vtk.vtkCommand.ErrorEvent, lambda *_: failures.append(True))
    reader.Update()
    image = reader.GetOutput() if kind is Kind.TIFF else _upside_down(reader)
    if failures or image.GetNumberOfPoints() == 0:
        raise _damaged(path, kind)
    image.SetOrigin(0.0, 0.0, 0.0)
    image.SetSpacing(1.0, 1.0, 1.0)
    return image


def _upside_down(reader: Any) -> Any:
    """VTK counts the rows of PNG and JPEG (not of TIFF) from below, everybody's pixel coordinates from above."""
    flip = vtk.vtkImageFlip()
    flip.SetFilteredAxis(1)
    flip.SetInputConnection(reader.GetOutputPort())
    flip.Update()
    return flip.GetOutput()


def _check_png(path: Path) -> None:
    """Refuse a PNG file with a damaged or missing chunk (ISO/IEC 15948, 5.3): VTK's reader ends the process on it."""
    content = path.read_bytes()
    place, kind = 8, b""
    while kind != b"IEND" and place + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, place)
        kind, end = content[place + 4 : place + 8], place + 8 + length
        if zlib.crc32(content[place + 4 : end]).to_bytes(4, "big") != content[end : end + 4]:
            break
        place = end + 4
    else:
        if kind == b"IEND":
            return
    raise _damaged(path, Kind.PNG)


def _damaged(path: Path, kind: Kind) -> ImageReadError:
    return ImageReadError(
        f"the file cannot be read as {kind}", subject=path, remedy="It is damaged: copy or export it again"
    )


def _orientation(path: Path) -> Optional[int]:
    """The EXIF (CIPA DC-008) or TIFF 6.0 orientation of a file; None where it states none."""
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    start = 0 if head[:2] in (b"II", b"MM") else head.find(b"Exif\x00\x00") + 6
    if start == 5:
        start = head.find(b"eXIf") + 4  # PNG's chunk of the same
    order = {b"II": "<", b"MM": ">"}.get(head[start : start + 2])
    if order is None:
        return None
    try:
        (directory,) = struct.unpack_from(order + "I", head, start + 4)
        (entries,) = struct.unpack_from(order + "H", head, start + directory)
        for i in range(entries):
            tag, _, _, value = struct.unpack_from(order + "HHIH", head, start + directory + 2 + 12 * i)
            if tag == _ORIENTATION:
                return value
    except struct.error:  # a directory beyond the first bytes: of a TIFF with its tags last
        return None
    return None
