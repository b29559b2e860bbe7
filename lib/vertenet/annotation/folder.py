"""The landmarks of a folder of images: every landmark file in it, each image's found by the rule of `filenames`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..errors import AnnotationError
from ..filenames import image_of
from ..radiograph import Radiograph
from .formats import Format, detect
from .record import Annotation, Known
from .store import SUFFIXES, read_file

#: Beside the folder itself, its folder of this name is searched, where COCO exports have their files.
ANNOTATIONS = "annotations"
#: Endings that promise landmarks; a ``.csv`` or ``.json`` may be anything.
_CERTAIN = (".mrk.json", ".coco.json", ".mat")
_TRUTH, _READING = ".truth.json", ".reading.json"


class Images(Protocol):
    """Images by name, as `vertenet.imaging.ImageFolder` has them."""

    def find(self, name: str) -> str | None: ...

    def __getitem__(self, name: str) -> Radiograph: ...


@dataclass(frozen=True)
class FolderLandmarks:
    """What the landmark files of a folder say.

    Attributes
    ----------
    found : mapping of str to Annotation
        By the image's file, as `Images.find` gives it.
    files : mapping of str to Path
        The landmark file of each.
    problems : tuple of str
        A sentence for each image and file that was left out.
    others : tuple of str
        A sentence for each ``.csv`` and ``.json`` that is no landmark file; of interest where nothing was found.
    """

    found: Mapping[str, Annotation]
    files: Mapping[str, Path]
    problems: tuple[str, ...]
    others: tuple[str, ...]


def load_folder(
    folder: Path, images: Images, *, known: Collection[str] = (), besides: Collection[str] = ()
) -> FolderLandmarks:
    """Read every landmark file of a folder of images.

    An image or a file that something is wrong with is left out and named; the others go on. Readings
    (``.reading.json``) are results rather than annotations, and count for images of which no other file speaks.

    Parameters
    ----------
    folder : Path
    images : Images
    known : collection of str
        Images whose landmarks are known already.
    besides : collection of str
        Names of files that are no landmarks.

    Raises
    ------
    AmbiguousNameError
        A file could be of two images.
    AnnotationError
        Two files say different things of an image, or one is named after another image than it says.
    """
    found: dict[str, Annotation] = {}
    files: dict[str, Path] = {}
    problems: list[str] = []
    others: list[str] = []
    for path in _landmark_files(folder, besides):
        is_reading = path.name.endswith(_READING)
        try:
            entry = detect(path)
        except AnnotationError as error:
            certain = is_reading or path.name.endswith(_CERTAIN) or images.find(image_of(path.name)) is not None
            (problems if certain else others).append(error.sentence)
            continue
        mine = _ImagesOfFile(images, path, entry)
        try:
            annotations = read_file(path, entry, Known(images=mine, refused=problems))
        except _ContradictionError:
            raise
        except AnnotationError as error:
            problems.append(error.sentence)
            continue
        absent = []
        for name, annotation in annotations.items():
            image = mine.find(name)
            if image is None:
                absent.append(name)
            elif image in found and not is_reading:
                if found[image].spine != annotation.spine:
                    raise _ContradictionError(
                        f"{files[image].name} and {path.name} have different landmarks of {image}",
                        subject=folder,
                        remedy="Keep the one that is right",
                    )
            elif image not in found and image not in known:
                found[image], files[image] = annotation, path
        if absent:
            others_too = f", nor are {len(absent) - 1} others of its images" if len(absent) > 1 else ""
            problem = f"its image {absent[0]} is not in the folder{others_too}"
            problems.append(AnnotationError(problem, subject=path).sentence)
    return FolderLandmarks(found, files, tuple(problems), tuple(others))


class _ContradictionError(AnnotationError):
    """Names or files that contradict each other: nobody may guess which is right."""


class _ImagesOfFile(Mapping[str, Radiograph]):
    """The images of a folder by the names that one landmark file gives them; else by the file's own."""

    def __init__(self, images: Images, path: Path, entry: Format) -> None:
        self._images, self._path, self._entry = images, path, entry

    def find(self, name: str) -> str | None:
        said = self._images.find(name)
        if self._entry.many:
            return said
        own = self._images.find(image_of(self._path.name))
        if said is not None and own is not None and said != own:
            raise _ContradictionError(
                f"it says that it is of the image {said}, but it is named after {own}",
                subject=self._path,
                remedy="Rename it, or write it anew for its image",
            )
        return said or own

    def __getitem__(self, name: str) -> Radiograph:
        found = self.find(name)
        if found is None:
            raise KeyError(name)
        return self._images[found]

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _landmark_files(folder: Path, besides: Collection[str]) -> list[Path]:
    """Readings come last; within the folder before those in `ANNOTATIONS`."""
    inside = folder / ANNOTATIONS
    paths = [*sorted(folder.iterdir()), *(sorted(inside.iterdir()) if inside.is_dir() else ())]
    files = [
        path
        for path in paths
        if path.suffix.lower() in SUFFIXES
        and path.is_file()
        and path.name not in besides
        and not path.name.startswith(".")
        and not path.name.endswith(_TRUTH)
    ]
    return sorted(files, key=lambda path: path.name.endswith(_READING))
