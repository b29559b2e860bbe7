"""What a label must be held against, and what the pixels are not needed for: an image's size, geometry and spacing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vertenet.imaging.identity import identity_of
from vertenet.radiograph import Spacing, ViewerGeometry
from vertenet.spine import Side

from ..decoding import decode, fingerprint

_PLAIN = ("name", "rows", "columns", "anterior", "pixels_sha256", "person", "scanner")
_VECTORS = ("origin", "column_step", "row_step")


@dataclass(frozen=True, eq=False)
class ImageFacts:
    """Facts of one image file.

    Attributes
    ----------
    name : str
        The file's name.
    rows, columns : int
    geometry : ViewerGeometry
        Where a viewer puts the pixels.
    spacing : Spacing or None
        Size of a pixel; None where the file does not say, and then nothing is given in millimetres.
    anterior : {"left", "right"} or None
        The side that the front of the body faces, where the file says it.
    pixels_sha256 : str
        Which pixels these are facts of (`vertenet.imaging.fingerprint`).
    person, scanner : str or None
        Pseudonym of the patient and model of the scanner, from a DICOM header (`vertenet.imaging.identity`).
    """

    name: str
    rows: int
    columns: int
    geometry: ViewerGeometry
    spacing: Spacing | None
    anterior: Side | None
    pixels_sha256: str
    person: str | None
    scanner: str | None

    @classmethod
    def of(cls, path: Path) -> ImageFacts:
        """Read them from a file. Raises `ImageReadError`."""
        radiograph = decode(path)
        rows, columns = radiograph.pixels.shape
        return cls(
            path.name,
            rows,
            columns,
            radiograph.geometry,
            radiograph.spacing,
            radiograph.anterior,
            fingerprint(path),
            *identity_of(path),
        )

    def to_json(self) -> str:
        data = {
            **{name: getattr(self, name) for name in _PLAIN},
            "geometry": {name: getattr(self.geometry, name).tolist() for name in _VECTORS},
            "spacing": None if self.spacing is None else self.spacing.to_dict(),
        }
        return json.dumps(data, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> ImageFacts:
        data = json.loads(text)
        geometry, spacing = data.pop("geometry"), data.pop("spacing")
        return cls(
            **data,
            geometry=ViewerGeometry(*(geometry[name] for name in _VECTORS)),
            spacing=None if spacing is None else Spacing.from_dict(spacing),
        )


class OneImage(Mapping[str, ImageFacts]):
    """The same image under every name: what a landmark file calls its image does not matter here."""

    def __init__(self, facts: ImageFacts) -> None:
        self._facts = facts

    def __getitem__(self, name: str) -> ImageFacts:
        return self._facts

    def __iter__(self) -> Iterator[str]:
        return iter((self._facts.name,))

    def __len__(self) -> int:
        return 1
