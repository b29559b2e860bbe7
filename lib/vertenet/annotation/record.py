"""What a landmark file says of one image, and what is known of images beside such files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import AnnotationError, GeometryError, ImageReadError, PathLike
from ..filenames import AmbiguousNameError, Names
from ..radiograph import Radiograph, ViewerGeometry
from ..spine import Side, Spine


@dataclass(frozen=True)
class Annotation:
    """The landmarks of one image.

    Attributes
    ----------
    spine : Spine
        Source pixels.
    image : str
        The image's name as the landmark file gives it, or the landmark file's own without its suffix.
    rows, columns : int or None
        Size of the image; None where nobody said.
    geometry : ViewerGeometry or None
        Where a viewer puts the pixels, for formats that are written in millimetres.
    pixels_sha256 : str or None
        Of the pixels that the landmarks were made on (`vertenet.imaging.fingerprint`), where the file says it.
    """

    spine: Spine
    image: str
    rows: int | None = None
    columns: int | None = None
    geometry: ViewerGeometry | None = field(default=None, compare=False)
    pixels_sha256: str | None = field(default=None, compare=False)

    @property
    def size(self) -> tuple[int, int] | None:
        """(rows, columns), or None where unknown."""
        return None if self.rows is None or self.columns is None else (self.rows, self.columns)


@dataclass(frozen=True)
class Known:
    """What the caller knows of the images, for formats that do not say it themselves.

    Attributes
    ----------
    anterior : {"left", "right"} or None
        Decides in formats without names; must agree with formats that have them.
    sizes : mapping of image name to (rows, columns)
    images : mapping of image name to Radiograph
        For size, geometry and the anterior side; may read a file at each look-up.
    names_needed : bool
        Points without names are refused, even where their places would tell.
    refused : list of str, optional
        Where it is given, an image that a file of many is wrong about is left out, and the sentence that says why is
        put here; else it is raised.
    """

    anterior: Side | None = None
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    images: Mapping[str, Radiograph] = field(default_factory=dict)
    names_needed: bool = False
    refused: list[str] | None = None
    _seen: dict = field(default_factory=dict, repr=False, compare=False)

    def size(self, image: str) -> tuple[int, int] | None:
        """(rows, columns) of the image that this name means, or None. Raises `AmbiguousNameError`."""
        alike = Names(self.sizes).alike(image)
        if len(alike) > 1:
            raise AmbiguousNameError(alike, image, "sizes")
        if alike:
            rows, columns = self.sizes[alike[0]]
            return int(rows), int(columns)
        radiograph = self._radiograph(image)
        return None if radiograph is None else (radiograph.rows, radiograph.columns)

    def geometry(self, image: str) -> ViewerGeometry | None:
        """Where a viewer puts the image's pixels, or None."""
        radiograph = self._radiograph(image)
        return None if radiograph is None else radiograph.geometry

    def side(self, image: str) -> Side:
        """The anterior side of an image whose points have no names: as given, as its file says, else the right."""
        radiograph = None if self.anterior else self._radiograph(image)
        return self.anterior or (radiograph and radiograph.anterior) or "right"

    @contextmanager
    def one_image(self) -> Iterator[None]:
        """Around what concerns one image of a file: see ``refused``. An ambiguity is always raised."""
        try:
            yield
        except AmbiguousNameError:
            raise
        except (AnnotationError, ImageReadError) as error:
            if self.refused is None:
                raise
            self.refused.append(error.sentence)

    def _radiograph(self, image: str) -> Radiograph | None:
        if image not in self._seen:
            self._seen.clear()  # one image at a time is asked for, and they are large
            try:
                self._seen[image] = self.images[image]
            except KeyError:
                self._seen[image] = None
        return self._seen[image]


def where(path: PathLike, image: str | None = None) -> str:
    """The subject of an error: the file, and the image in it."""
    return str(path) if image is None else f"{path} (image {image})"


def read_text(path: Path) -> str:
    """The file's text. Raises `AnnotationError` where it cannot be read or is no text."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise AnnotationError("the file is not text (UTF-8)", subject=path) from error
    except OSError as error:
        raise AnnotationError(f"the file cannot be read ({error.strerror})", subject=path) from error


def parse_csv(text: str, subject: str) -> list[list[str]]:
    """The rows of a comma-separated text, those of blank lines empty. Raises `AnnotationError` where it is none.

    What the csv module refuses differs between versions of Python (NUL characters up to 3.10).
    """
    try:
        return list(csv.reader(io.StringIO(text)))
    except csv.Error as error:
        raise AnnotationError(f"the file is not comma-separated text ({error})", subject=subject) from error


def parse_json(text: str, subject: str) -> dict:
    """The JSON object of a text. Raises `AnnotationError` where there is none."""
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise AnnotationError(f"the file is not JSON ({error})", subject=subject) from error
    if not isinstance(data, dict):
        raise AnnotationError("the JSON is not an object", subject=subject)
    return data


@contextmanager
def structured(kind: str, subject: str) -> Iterator[None]:
    """Say in one sentence what walking through a half or damaged structure raises in many ways."""
    try:
        yield
    except GeometryError as error:
        raise AnnotationError(error.problem, subject=subject) from error
    except KeyError as error:
        raise AnnotationError(
            f"the file is no complete {kind}: {error.args[0]!r} is not there", subject=subject
        ) from error
    except (TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise AnnotationError(f"the file is no proper {kind} ({error})", subject=subject) from error
