"""What a zip file may unpack to, by its table of contents: the one rule for data sets to learn from and for cohorts."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from .errors import VerteNetError

#: A cohort has fewer files; a million empty ones fill a disk as well.
MOST_FILES = 200_000
#: Radiographs pack to a half or a third, landmark files to a tenth, black images to a fiftieth; bombs to a thousandth.
MOST_TIMES = 100
#: What any zip may unpack to, however small it is.
ALWAYS_BYTES = 64 << 20


def unpacked_size(path: Path, members: Sequence[zipfile.ZipInfo], error: type[VerteNetError]) -> int:
    """Bytes that all members say they unpack to; of a member that holds more, no more than that is ever unpacked.

    Raises
    ------
    error
        They are more files than anybody has images, or more bytes than a zip of images of its size can hold.
    """
    if len(members) > MOST_FILES:
        raise error(f"the zip file holds {len(members)} files, more than {MOST_FILES}", subject=path, remedy="Split it")
    size = sum(member.file_size for member in members)
    if size > max(MOST_TIMES * path.stat().st_size, ALWAYS_BYTES):
        raise error(
            f"the zip file would unpack to {size >> 20} MiB, more than {MOST_TIMES} times its own size",
            subject=path,
            remedy="Check where it comes from; if it is your cohort, unpack it and give the folder",
        )
    return size
