"""What the files of an image's results are called: distinct, and the same again when a run goes on."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from ..filenames import stem_of
from .items import Item

#: Bytes of a name; file systems take 255, and endings and a number come behind.
LONGEST = 180
_UNSAFE = re.compile(r"[\x00-\x1f<>:\"|?*\\/]")


def safe_name(name: str) -> str:
    """A name that every file system takes and that leads nowhere; of a long one the beginning and a hash."""
    name = name.encode("utf-8", "replace").decode("utf-8")  # bytes that are no text become question marks
    name = _UNSAFE.sub("_", name).rstrip(". ") or "_"
    raw = name.encode("utf-8")
    if len(raw) <= LONGEST:
        return name
    digest = hashlib.sha256(raw).hexdigest()[:12]
    return f"{raw[: LONGEST - 13].decode('utf-8', 'ignore')}-{digest}"


def safe_place(folder: str) -> str:
    """A relative path of safe names, without any way up."""
    parts = folder.replace("\\", "/").split("/")
    return "/".join(safe_name(part) for part in parts if part not in ("", ".", ".."))


def result_places(items: Sequence[Item], kept: Mapping[str, str] | None = None, within: str = "") -> list[str]:
    """For each image where its results go, from the folder of all results, without an ending.

    In the folder that the image was in, under its name without its ending, or with it where two images of the folder
    differ in nothing else, or with a number.

    Parameters
    ----------
    kept : mapping of str to str, optional
        Places by path that were given out before; they stay what they are and are nobody else's.
    within : str
        A folder of all of them.
    """
    kept = kept or {}
    taken = {place.casefold() for place in kept.values()}
    stems = [stem_of(item.name) for item in items]
    alike = Counter((folder, stem) for folder, stem, _ in {(i.folder, s, i.name) for i, s in zip(items, stems)})
    tried: dict[str, int] = {}
    places = []
    for item, stem in zip(items, stems):
        if item.path in kept:
            places.append(kept[item.path])
            continue
        name = safe_name(stem if alike[item.folder, stem] == 1 else item.name)
        wanted = place = "/".join(filter(None, (within, safe_place(item.folder), name)))
        while place.casefold() in taken:
            tried[wanted] = tried.get(wanted, 1) + 1
            place = f"{wanted}-{tried[wanted]}"
        taken.add(place.casefold())
        places.append(place)
    return places
