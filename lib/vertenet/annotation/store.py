"""Loading, saving and converting landmark files of any format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from ..errors import AnnotationError, OptionError, PathLike
from ..filenames import Names
from ..measure.consistency import check
from ..radiograph import Radiograph
from ..spine import Side, Spine
from .formats import FORMATS, Format, detect, format_for_writing, named_format
from .record import Annotation, Known, where

#: Endings of files that may hold landmarks.
SUFFIXES = (".csv", ".mat", ".json")


def load(
    path: PathLike,
    format: str | None = None,
    sizes: Mapping[str, tuple[int, int]] | None = None,
    *,
    images: Mapping[str, Radiograph] | None = None,
    anterior: Side | None = None,
) -> dict[str, Annotation]:
    """Read landmarks.

    Parameters
    ----------
    path : path
        A landmark file, or a folder of them (``.csv``, ``.mat``, ``.json``).
    format : str, optional
        A name of `FORMATS`; told from the content by default.
    sizes : mapping of image name to (rows, columns), optional
        For formats that lack sizes.
    images : mapping of image name to Radiograph, optional
        For sizes and geometry, such as a `vertenet.imaging.ImageFolder`.
    anterior : {"left", "right"}, optional
        For formats without names, "right" by default; must agree with those that have them.

    Returns
    -------
    dict of str to Annotation
        By image name, in the order of the file.

    Raises
    ------
    AnnotationError
        A file is incomplete, ambiguous or contradicts itself; the message names file, image and point.

    Examples
    --------
    >>> load("points.csv")["scan.png"].spine.levels[0]                                      # doctest: +SKIP
    <Level.T12: 'T12'>
    """
    path = Path(path)
    known = Known(anterior, sizes or {}, images or {})
    chosen = None if format is None else named_format(format)
    if not path.is_dir():
        return read_file(path, chosen, known)
    found: dict[str, Annotation] = {}
    for file in sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file()):
        for image, annotation in read_file(file, chosen, known).items():
            if image in found:
                raise AnnotationError("the image has landmarks in another file too", subject=where(file, image))
            found[image] = annotation
    if not found:
        raise AnnotationError("the folder holds no landmark files", subject=path)
    return found


def load_for_image(path: PathLike, radiograph: Radiograph, *, anterior: Side | None = None) -> Spine:
    """The spine that a landmark file gives for an image.

    The only annotation of the file is taken whatever image it names; of several, the one that names this image.

    Parameters
    ----------
    path : path
        A landmark file of any format.
    radiograph : Radiograph
        Gives size, geometry and, for formats without names, the anterior side.
    anterior : {"left", "right"}, optional
        Goes before the radiograph's.

    Raises
    ------
    AnnotationError
        As for `load`; or no annotation, or one for an image of another size.
    """
    path = Path(path)
    entry = detect(path)
    side = anterior or (None if entry.named else radiograph.anterior)
    found = read_file(path, entry, Known(side, images=_Always(radiograph)), compare_sizes=False)
    names = list(found)
    if len(found) > 1:
        names = Names(found).alike(radiograph.name)
    if len(names) != 1:
        raise AnnotationError(
            f"the file has landmarks for {len(found)} images, and {len(names) or 'none'} of them is {radiograph.name}",
            subject=path,
        )
    annotation = found[names[0]]
    _refuse_other_size(annotation, (radiograph.rows, radiograph.columns), path)
    return annotation.spine


def save(
    annotations: Mapping[str, Annotation] | Iterable[Annotation], path: PathLike, format: str | None = None
) -> list[Path]:
    """Write landmarks, all or nothing for each file.

    Parameters
    ----------
    annotations : annotations, or a mapping of image name to annotation
    path : path
        The file; a folder for several images in a format that holds one a file, named after the images.
    format : str, optional
        A name of `FORMATS`; by default what the name of ``path`` asks for.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    AnnotationError
        The format cannot hold a spine, or needs to know more of its image.
    OptionError
        Which format is meant is unclear, or it is only read.
    """
    path = Path(path)
    entry = format_for_writing(path) if format is None else named_format(format)
    if entry.write is None:
        writable = ", ".join(other.name for other in FORMATS.values() if other.write)
        raise OptionError(
            f"{entry.name} files are not written by conversion",
            remedy=f"Write one of {writable}; vertenet measure writes readings",
        )
    values = list(annotations.values() if isinstance(annotations, Mapping) else annotations)
    if not values:
        raise AnnotationError("there are no landmarks to write", subject=path)
    if entry.many or (len(values) == 1 and path.name.endswith(entry.suffix) and not path.is_dir()):
        entry.write(values, path)
        return [path]
    targets = [path / f"{Path(annotation.image).name}{entry.suffix}" for annotation in values]
    for target in targets:
        if targets.count(target) > 1:
            raise AnnotationError("two images have this name", subject=target)
    for annotation, target in zip(values, targets):
        entry.write([annotation], target)
    return targets


def convert(
    source: PathLike,
    target: PathLike,
    *,
    source_format: str | None = None,
    target_format: str | None = None,
    images: Mapping[str, Radiograph] | None = None,
    anterior: Side | None = None,
) -> list[Path]:
    """Read landmarks in one format and write them in another; parameters as for `load` and `save`.

    Without ``images`` Markups are written for a viewer that takes 1 mm a pixel, as 3D Slicer does for a PNG.

    Examples
    --------
    >>> convert("points.csv", "markups/", target_format="markups")                          # doctest: +SKIP
    [PosixPath('markups/scan.png.mrk.json')]
    """
    return save(load(source, source_format, images=images, anterior=anterior), target, target_format)


def read_file(path: Path, entry: Format | None, known: Known, *, compare_sizes: bool = True) -> dict[str, Annotation]:
    """The annotations of one file, checked, and completed by what is known of its images; see `load`."""
    entry = entry or detect(path)
    checked = {}
    for image, annotation in entry.read(path, known).items():
        with known.one_image():
            checked[image] = _checked(path, entry, known, annotation, compare_sizes)
    return checked


def _checked(path: Path, entry: Format, known: Known, annotation: Annotation, compare_sizes: bool) -> Annotation:
    image = annotation.image
    if known.anterior not in (None, annotation.spine.anterior):
        raise AnnotationError(
            f"anterior is {annotation.spine.anterior} in the file, but {known.anterior} was given",
            subject=where(path, image),
        )
    if entry.named:
        check(annotation.spine, where(path, image))
    size = known.size(image)
    if compare_sizes and size is not None:
        _refuse_other_size(annotation, size, path)
    if annotation.size is None and size is not None:
        annotation = replace(annotation, rows=size[0], columns=size[1])
    if annotation.geometry is None:
        annotation = replace(annotation, geometry=known.geometry(image))
    return annotation


def _refuse_other_size(annotation: Annotation, size: tuple[int, int], path: Path) -> None:
    if annotation.size not in (None, size):
        raise AnnotationError(
            f"the landmarks are for {annotation.columns} x {annotation.rows} pixels, "
            f"but the image has {size[1]} x {size[0]}",
            subject=where(path, annotation.image),
        )


class _Always(Mapping[str, Radiograph]):
    """The same radiograph under every name."""

    def __init__(self, radiograph: Radiograph) -> None:
        self._radiograph = radiograph

    def __getitem__(self, name: str) -> Radiograph:
        return self._radiograph

    def __iter__(self):
        return iter((self._radiograph.name,))

    def __len__(self) -> int:
        return 1
