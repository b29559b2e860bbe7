"""What was there before this store: MONAI Label's own index, and landmark files of other programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from vertenet.errors import OptionError, SchemaError
from vertenet.filenames import AmbiguousNameError, Names, base_of

from ..identity import check_name
from .facts import ImageFacts
from .history import Origin, Revision
from .images import ImageEntry, ImageIndex

#: MONAI Label's index of a folder. It is read on the first start and left as it is.
INDEX = "datastore_v2.json"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class ImportReport:
    """What became of a landmark file's images.

    Attributes
    ----------
    taken : tuple of Revision
        Labels that were added.
    unchanged : tuple of str
        Ids whose history holds the same label already.
    unmatched : tuple of str
        Image names in the file that no image here has.
    refused : tuple of str
        Sentences on labels that are not valid.
    """

    taken: tuple[Revision, ...]
    unchanged: tuple[str, ...]
    unmatched: tuple[str, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True)
class StockIndex:
    """MONAI Label's index: the file of each id, and what is noted of images and labels."""

    name: str
    description: str
    files: Mapping[str, str]
    image_info: Mapping[str, Mapping[str, Any]]
    label_info: Mapping[tuple[str, str], Mapping[str, Any]]

    @classmethod
    def read(cls, folder: Path) -> StockIndex | None:
        """The index of a folder, None where there is none.

        Raises
        ------
        SchemaError
            It is damaged.
        """
        path = folder / INDEX
        if not path.is_file():
            return None
        try:
            data = json.loads(path.read_text("utf-8"))
            objects = data["objects"]
            return cls(
                str(data.get("name", "")),
                str(data.get("description", "")),
                {image_id: image_id + entry["image"]["ext"] for image_id, entry in objects.items()},
                {image_id: dict(entry["image"].get("info", {})) for image_id, entry in objects.items()},
                {
                    (image_id, tag): dict(label.get("info", {}))
                    for image_id, entry in objects.items()
                    for tag, label in entry.get("labels", {}).items()
                },
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SchemaError(
                f"MONAI Label's index is damaged ({type(error).__name__})",
                subject=str(path),
                remedy="Restore it from a backup; or move it away, and images and labels are listed from their files",
            ) from error


def found_origin(path: Path, info: Mapping[str, Any]) -> Origin:
    """Who made a found label and when, as MONAI Label noted it; else nobody is known and the file's date counts."""
    name = info.get("user") or info.get("client_id") or UNKNOWN
    try:
        annotator = check_name(name)
    except OptionError:
        annotator = UNKNOWN
    stamp = info.get("ts")
    seconds = stamp if isinstance(stamp, (int, float)) else path.stat().st_mtime
    created = datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")
    return Origin(annotator, "taken over", created, info)


class NamedImages(Mapping[str, ImageFacts]):
    """The facts of the store's images by the name that a landmark file uses, by the rule of `vertenet.filenames`."""

    def __init__(self, images: ImageIndex) -> None:
        self._images = images
        self._entries = {entry.file: entry for entry in images.entries()}
        self._ids = {entry.image_id: entry for entry in self._entries.values()}
        self._names = Names(self._entries)

    def find(self, name: str) -> ImageEntry | None:
        """The image of this file name, else of this id, else the one that the name means.

        Raises
        ------
        AmbiguousNameError
            It could mean two.
        """
        name = base_of(name)
        exact = self._entries.get(name) or self._ids.get(name)
        if exact is not None:
            return exact
        alike = self._names.alike(name)
        if len(alike) > 1:
            raise AmbiguousNameError(alike, name, "the images of this server")
        return self._entries[alike[0]] if alike else None

    def __getitem__(self, name: str) -> ImageFacts:
        entry = self.find(name)
        if entry is None:
            raise KeyError(name)
        return self._images.facts(entry.image_id)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
