"""Image files to volume nodes: one grey slice, loaded by the same code in 3D Slicer and without the application."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from vertenet.errors import ImageReadError
from vertenet.imaging.colour import grey_of
from vertenet.imaging.sniff import Kind, kind_of

from . import attributes, dicom_tags
from .grid import PixelGrid
from .rasters import RASTERS, read_raster

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def load_volume(scene: Any, path: Path, name: str) -> Any:
    """Add the image of a file to the scene; where it cannot be read, nothing is added.

    Returns
    -------
    vtkMRMLScalarVolumeNode

    Raises
    ------
    ImageReadError
        The file is not one readable grey image.
    """
    kind = kind_of(path)
    tags = dicom_tags.read_tags(path) if kind is Kind.DICOM else None
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    try:
        if kind in RASTERS:
            _fill_from_raster(volume, path, kind)
        else:
            _fill_by_itk(volume, path, kind)
        volume.SetName(name)
        adopt_volume(volume, kind, tags)
    except ImageReadError:
        storage = volume.GetStorageNode()
        scene.RemoveNode(volume)
        if storage is not None:
            scene.RemoveNode(storage)
        raise
    volume.CreateDefaultDisplayNodes()
    return volume


def adopt_volume(volume: Any, kind: Optional[Kind], tags: Optional[Dataset]) -> None:
    """Note on a volume what its file says beyond pixels. Raises `ImageReadError` where it is not one grey slice."""
    grid = PixelGrid.of(volume)
    grey_values(grid.values(volume), volume.GetName())
    attributes.set_format(volume, "" if kind is None else kind.value)
    if tags is not None:
        attributes.set_tags_json(volume, dicom_tags.to_json(tags))


def grey_copy(picture: Any) -> Any:
    """The scalar volume with what a picture of several values a pixel shows, made once: Slicer loads PNG like that.

    Raises
    ------
    ImageReadError
        It shows colours, or is not one slice.
    """
    scene = picture.GetScene()
    known = picture.GetNodeReference(attributes.GREY_COPY)
    if known is not None:
        return known
    PixelGrid.of(picture)
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", picture.GetName())
    try:
        _set_image(volume, picture.GetImageData(), picture.GetName())
    except ImageReadError:
        scene.RemoveNode(volume)
        raise
    matrix = vtk.vtkMatrix4x4()
    picture.GetIJKToRASMatrix(matrix)
    volume.SetIJKToRASMatrix(matrix)
    volume.SetAndObserveTransformNodeID(picture.GetTransformNodeID())
    volume.CreateDefaultDisplayNodes()
    path = source_file(picture)
    if path is not None:
        _storage(volume, path)
    picture.SetNodeReferenceID(attributes.GREY_COPY, volume.GetID())
    return volume


def source_file(volume: Any) -> Optional[Path]:
    """The file that a volume was read from, where it is one file that still exists.

    A volume that Slicer's DICOM module loaded has no storage node; the application's database knows its file.
    """
    storage = volume.GetStorageNode()
    if storage is not None and storage.GetFileName():
        name = storage.GetFullNameFromFileName() or storage.GetFileName()
    else:
        name = _file_in_database(volume)
    return Path(name) if name and Path(name).is_file() else None


def _file_in_database(volume: Any) -> str:
    instances = (volume.GetAttribute("DICOM.instanceUIDs") or "").split()
    database = getattr(slicer, "dicomDatabase", None)  # not there without the application's DICOM module
    return database.fileForInstance(instances[0]) if database is not None and len(instances) == 1 else ""


def grey_values(values: np.ndarray, name: str) -> np.ndarray:
    """(rows, columns) grey of (rows, columns[, components]) values; transparency is ignored, colour refused.

    Raises
    ------
    ImageReadError
        The image is in colour, or holds values that are no finite numbers.
    """
    if values.ndim == 3:
        values = values[..., 0] if values.shape[-1] == 2 else grey_of(values[..., :3], name)
    if not np.isfinite(values).all():
        raise ImageReadError("the image holds values that are not finite numbers (NaN or infinity)", subject=name)
    return values


def _fill_from_raster(volume: Any, path: Path, kind: Kind) -> None:
    _set_image(volume, read_raster(path, kind), path)
    # LPS identity, as ITK reads a file that states no orientation.
    volume.SetIJKToRASDirections(-1, 0, 0, 0, -1, 0, 0, 0, 1)
    _storage(volume, path)


def _fill_by_itk(volume: Any, path: Path, kind: Kind) -> None:
    storage = _storage(volume, path)
    storage.SetSingleFile(True)  # a series is several images, and one is asked for
    if not storage.ReadData(volume) and not _read_colour(storage, volume, path):
        raise _unreadable(path, kind)


def _storage(volume: Any, path: Path) -> Any:
    storage = volume.GetScene().AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    storage.SetFileName(str(path))
    volume.SetAndObserveStorageNodeID(storage.GetID())
    return storage


def _read_colour(storage: Any, volume: Any, path: Path) -> bool:
    """Read an image of several values a pixel, such as a secondary capture saved as RGB, as grey."""
    scene = volume.GetScene()
    colour = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode")
    try:
        if not storage.ReadData(colour) or colour.GetImageData() is None:
            return False
        matrix = vtk.vtkMatrix4x4()
        colour.GetIJKToRASMatrix(matrix)
        _set_image(volume, colour.GetImageData(), path)
        volume.SetIJKToRASMatrix(matrix)
        return True
    finally:
        scene.RemoveNode(colour)


def _set_image(volume: Any, image: Any, name: Union[Path, str]) -> None:
    """Give a volume the pixels of a VTK image, made grey."""
    grey = vtk.vtkImageData()
    grey.CopyStructure(image)
    grey.SetOrigin(0.0, 0.0, 0.0)
    grey.SetSpacing(1.0, 1.0, 1.0)
    scalars = image.GetPointData().GetScalars()
    if scalars.GetNumberOfComponents() > 1:
        columns, rows = image.GetDimensions()[:2]
        stored = vtk_to_numpy(scalars).reshape(rows, columns, -1)
        scalars = numpy_to_vtk(grey_values(stored, str(name)).ravel(), deep=True, array_type=scalars.GetDataType())
    scalars.SetName("ImageScalars")
    grey.GetPointData().SetScalars(scalars)
    volume.SetAndObserveImageData(grey)


def _unreadable(path: Path, kind: Kind) -> ImageReadError:
    if kind is Kind.DICOM:
        return ImageReadError(
            f"the pixels cannot be decoded here ({dicom_tags.transfer_syntax(path)})",
            subject=path,
            remedy="Export the image uncompressed, or copy it again if it is damaged",
        )
    return ImageReadError(
        f"the file cannot be read as {kind}", subject=path, remedy="It is damaged: copy or export it again"
    )
