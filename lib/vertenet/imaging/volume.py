"""NIfTI, NRRD and MetaImage files that hold a single slice, to Radiograph.

Any of the three axes may be the one of length 1. A slice whose directions say that it was stored foot first (usual in
NIfTI) or lying on its side is turned head up; the geometry follows, so markups stay in place.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import SimpleITK

from ..errors import ImageReadError
from ..radiograph import Radiograph, Spacing, SpacingSource
from ..spine import Side
from .geometry import Turn, named_with, open_header, plane_geometry
from .intensity import as_display
from .limits import check_size
from .nifti import check_nifti
from .orientation import direction_letter
from .sniff import Kind, is_gzipped
from .spacing import warn_if_implausible

_OWN_EXTENSIONS = {
    Kind.NIFTI: (".nii", ".nii.gz", ".hdr", ".img", ".img.gz"),
    Kind.NRRD: (".nrrd", ".nhdr"),
    Kind.META: (".mha", ".mhd"),
}
_DETACHED = {Kind.NRRD: ("data file", "datafile"), Kind.META: ("elementdatafile",)}
_REQUIRED = {
    Kind.NRRD: ("type", "dimension", "sizes", "encoding"),
    Kind.META: ("ndims", "dimsize", "elementtype", "elementdatafile"),
}
_HEADER_BYTES = 65536


def read_volume(path: Path, kind: Kind) -> Radiograph:
    """The slice of a volume file, with the spacing and, for a sagittal slice, the anterior side of its header.

    Raises
    ------
    ImageReadError
        More than one slice, several values a pixel, values that are not finite, cut off, or of an impossible size.
    """
    if kind is Kind.NIFTI:
        check_nifti(path)
    data, packed = (None, False) if kind is Kind.NIFTI else data_file(path, kind)
    with named_with(path, _extension(path, kind)) as readable:
        reader = open_header(readable)
        column_axis, row_axis = _plane(path, reader)
        _check_complete(path, None if packed else data, reader)
        values = SimpleITK.GetArrayFromImage(reader.Execute())
    if not np.isfinite(values).all():
        raise ImageReadError("the volume holds values that are not finite numbers (NaN or infinity)", subject=path)
    size = reader.GetSize()
    # NumPy's axes run in the opposite order of ITK's, so the later ITK axis comes first: rows, then columns.
    stored = values.reshape(size[row_axis], size[column_axis])
    geometry = plane_geometry(reader, column_axis, row_axis)
    warnings: list[str] = []
    turn, anterior = _upright(geometry.column_step, geometry.row_step, warnings)
    pixels = turn.array(as_display(stored))
    geometry = turn.geometry(geometry, *pixels.shape)
    return Radiograph(
        pixels,
        spacing=_spacing(geometry.row_step, geometry.column_step, warnings),
        anterior=anterior,
        name=path.name,
        warnings=tuple(warnings),
        geometry=geometry,
    )


def _plane(path: Path, reader: SimpleITK.ImageFileReader) -> tuple[int, int]:
    """The two axes of the slice: the one of its columns and the one of its rows."""
    size = reader.GetSize()
    pixel_type = _pixel_type(reader)
    if reader.GetNumberOfComponents() != 1 or not pixel_type[0].isdigit():
        raise ImageReadError(f"a pixel is a {pixel_type}, but one grey value is needed", subject=path)
    long = [axis for axis, n in enumerate(size) if n > 1]
    shape = " x ".join(str(n) for n in size)
    if len(long) > 2:
        raise ImageReadError(
            f"the volume has {shape} voxels, more than one slice", subject=path, remedy="Save the lateral view alone"
        )
    if len(long) < 2 or max(long) > 2:
        raise ImageReadError(f"the volume has {shape} voxels, which is no image", subject=path)
    check_size(path, size[long[1]], size[long[0]], int(pixel_type.split("-")[0]) / 8)
    return long[0], long[1]


def _pixel_type(reader: SimpleITK.ImageFileReader) -> str:
    """ITK's words for the type, such as "16-bit signed integer" or "vector of 8-bit unsigned integer"."""
    return SimpleITK.GetPixelIDValueAsString(reader.GetPixelID())


def _upright(column_step: np.ndarray, row_step: np.ndarray, warnings: list[str]) -> tuple[Turn, Side | None]:
    """The turn that puts the head up, and the anterior side, from the directions of a slice that names the head."""
    right, down = direction_letter(column_step), direction_letter(row_step)
    transpose = right in ("H", "F")
    if transpose:
        right, down = down, right
    if down not in ("H", "F"):
        return Turn(), None
    turn = Turn(transpose=transpose, flip_rows=down == "H")
    if turn != Turn():
        warnings.append("The slice was stored foot first or on its side and was turned head up; y counts from the head")
    if right not in ("A", "P"):
        warnings.append("The header says that this is not a sagittal view")
        return turn, None
    return turn, "right" if right == "A" else "left"


def _spacing(row_step: np.ndarray, column_step: np.ndarray, warnings: list[str]) -> Spacing | None:
    row, column = (float(np.linalg.norm(step)) for step in (row_step, column_step))
    if not (row > 0 and column > 0 and np.isfinite([row, column]).all()):
        warnings.append("The header gives no usable pixel size")
        return None
    if row == column == 1.0:
        note = "1 mm is also what files say whose size is unknown"
        warnings.append("The header says 1 mm a pixel, which often means unknown: check before trusting mm")
        return Spacing(row, column, SpacingSource.VOLUME_HEADER, note=note)
    spacing = Spacing(row, column, SpacingSource.VOLUME_HEADER)
    warn_if_implausible(spacing, warnings)
    return spacing


def _extension(path: Path, kind: Kind) -> str:
    own = [extension for extension in _OWN_EXTENSIONS[kind] if path.name.lower().endswith(extension)]
    if own:
        return own[-1]
    return {Kind.NIFTI: ".nii.gz" if is_gzipped(path) else ".nii", Kind.NRRD: ".nrrd", Kind.META: ".mha"}[kind]


def data_file(path: Path, kind: Kind) -> tuple[Path, bool]:
    """The file that holds the pixels of an NRRD or MetaImage, and whether they may be compressed.

    A header may name any file of the machine as its pixels, so only one beside the header is accepted.
    """
    with path.open("rb") as file:
        lines = file.read(_HEADER_BYTES).split(b"\n")
    fields = {}
    for line in lines:
        if not line.strip():
            break
        key, _, value = line.decode("latin-1").replace("=", ":", 1).partition(":")
        fields[key.strip().lower()] = value.strip()
        if key.strip().lower() in _DETACHED[Kind.META]:
            break
    lacking = [name for name in _REQUIRED[kind] if name not in fields]
    if lacking:
        raise ImageReadError(f"the {kind} header lacks {lacking[0]!r}", subject=path)
    names = [fields[key] for key in _DETACHED[kind] if key in fields]
    packed = fields.get("encoding", "raw") != "raw" or fields.get("compresseddata", "false").lower() == "true"
    if not names or names[0].upper() == "LOCAL":
        return path, packed
    name = names[0]
    detached = path.with_name(name) if name == os.path.basename(name) else None
    if detached is None or not detached.is_file():
        raise ImageReadError(
            f"the header says that the pixels are in {name!r}, which is not a file beside it", subject=path
        )
    return detached, packed


def _check_complete(path: Path, data: Path | None, reader: SimpleITK.ImageFileReader) -> None:
    """Refuse a file too short for its pixels: ITK fills what is missing with zeros for some formats."""
    if data is None:
        return
    bits = int(_pixel_type(reader).split("-")[0])  # "16-bit signed integer"
    expected = int(np.prod(reader.GetSize())) * bits // 8
    if data.stat().st_size < expected:
        raise ImageReadError("the file ends before its pixel data do", subject=path, remedy="Copy it again")
