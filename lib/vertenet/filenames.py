"""Which file belongs to which image: one rule, by whole names.

Scanners name files by UID (``1.2.840.113619.2.55.1.dcm``), so a dot says nothing: only an ending that is known to be
one is left out of a comparison. A name means the file of exactly this name; else, because annotations outlive folders
and formats, the file of this name in another folder, or of this name with the ending of another image format. Where it
could mean two, it is for whoever asked to refuse it, with both names (`AmbiguousNameError`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath

from .errors import ImageReadError, PathLike

#: Endings of images, in the formats that are read here and in others that annotations name.
IMAGE_ENDINGS = (
    *(".nii.gz", ".img.gz", ".nii", ".img", ".hdr", ".nrrd", ".nhdr", ".mha", ".mhd"),
    *(".dcm", ".dicom", ".dic", ".ima", ".png", ".jpg", ".jpeg", ".jp2", ".tif", ".tiff", ".bmp", ".gif", ".webp"),
)
#: Endings of landmark files, longest first where one ends with another.
LANDMARK_ENDINGS = (
    *(".truth.json", ".reading.json", ".mrk.json", ".coco.json", ".json", ".csv", ".mat", ".sr.dcm", ".gsps.dcm"),
)


def base_of(name: str) -> str:
    """The last part of a name; annotation programs on Windows write paths with backslashes."""
    return PurePath(name.replace("\\", "/")).name


def stem_of(name: str) -> str:
    """An image's name without its folder, and without its ending where that is one of an image.

    Examples
    --------
    >>> stem_of("scans/1.2.840.113619.2.55.1.dcm"), stem_of("1.2.840.113619.2.55.1")
    ('1.2.840.113619.2.55.1', '1.2.840.113619.2.55.1')
    """
    return _without(base_of(name), IMAGE_ENDINGS)


def image_of(landmark_file: str) -> str:
    """The image that a landmark file's own name speaks of: ``scan.png`` for ``scan.png.mrk.json``."""
    return _without(base_of(landmark_file), LANDMARK_ENDINGS)


class AmbiguousNameError(ImageReadError):
    """A name that could mean two images: whoever guesses mixes patients up."""

    def __init__(self, files: Sequence[str], name: str, subject: PathLike) -> None:
        super().__init__(
            f"{' and '.join(files)} could both be the image {name!r}",
            subject=subject,
            remedy="Move one of them away, or name the image in full",
        )


class Names:
    """Names of image files, looked up by what others call them.

    Parameters
    ----------
    names : iterable of str
        Files' names, or their paths in a folder, with slashes.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = dict.fromkeys(names)
        self._bases: dict[str, list[str]] = {}
        self._stems: dict[str, list[str]] = {}
        for name in self._names:
            self._bases.setdefault(base_of(name), []).append(name)
            self._stems.setdefault(stem_of(name), []).append(name)

    def alike(self, name: str) -> list[str]:
        """All that ``name`` may mean, in the order of the names: one; none; several where it is ambiguous."""
        exact = name.replace("\\", "/").removeprefix("./")
        if exact in self._names:
            return [exact]
        return self._bases.get(base_of(name)) or self._stems.get(stem_of(name)) or []


def _without(name: str, endings: Sequence[str]) -> str:
    lower = name.lower()
    for ending in endings:
        if lower.endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return name
