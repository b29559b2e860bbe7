"""A folder of images, looked up by the name that an annotation uses."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from ..errors import ImageReadError, PathLike
from ..filenames import AmbiguousNameError, Names
from ..radiograph import Radiograph
from .read import read
from .sniff import sniff


class ImageFolder(Mapping[str, Radiograph]):
    """The readable images of a folder by name, each read when it is asked for.

    ``folder["scan.png"]`` is the image that this name means by the rule of `vertenet.filenames`: annotations often
    outlive a change of format. A name that no image of the folder itself has is looked for in the folders in it;
    iterating gives the images of the folder itself. Raises KeyError where there is none, `AmbiguousNameError`
    where the name could mean two, and `ImageReadError` where the file is damaged.
    """

    def __init__(self, folder: PathLike) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise ImageReadError("there is no such folder of images", subject=folder)
        files = sorted(path for path in self.folder.iterdir() if path.is_file() and not path.name.startswith("."))
        self._files = [path.name for path in files if sniff(path) is not None]
        self._names = Names(self._files)

    def __getitem__(self, name: str) -> Radiograph:
        found = self.find(name)
        if found is None:
            raise KeyError(name)
        return read(self.folder / found)

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.find(name) is not None

    def find(self, name: str) -> str | None:
        """The image's file that a name means, as a path in this folder with slashes; None where there is none.

        Raises
        ------
        AmbiguousNameError
            It could mean two.
        """
        wanted = name.replace("\\", "/")
        alike = self._names.alike(wanted)
        if not alike or "/" in wanted:
            inside = [file for file in self._inside.alike(wanted) if sniff(self.folder / file) is not None]
            # A path that is right to the letter goes before a file of the same last name.
            alike = inside if not alike or inside == [wanted] else alike
        if len(alike) > 1:
            raise AmbiguousNameError(alike, name, self.folder)
        return alike[0] if alike else None

    @cached_property
    def _inside(self) -> Names:
        """Every file in the folders of this folder; only those that are asked for are looked into."""
        found = []
        for parent, folders, files in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            where = Path(parent).relative_to(self.folder)
            if where.parts:
                found += [(where / name).as_posix() for name in sorted(files) if not name.startswith(".")]
        return Names(found)
