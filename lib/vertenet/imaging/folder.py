"""A folder of images, looked up by the name that an annotation uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ..errors import ImageReadError, PathLike
from ..radiograph import Radiograph
from .read import read
from .sniff import sniff


class ImageFolder(Mapping[str, Radiograph]):
    """The readable images of a folder by name, each read when it is asked for.

    ``folder["scan.png"]`` is the file of that name, else the only image whose name is ``scan`` up to its extension:
    annotations often outlive a change of format. Raises KeyError where there is none, and `ImageReadError` where there
    are several or the file is damaged.
    """

    def __init__(self, folder: PathLike) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise ImageReadError("there is no such folder of images", subject=folder)
        files = sorted(path for path in self.folder.iterdir() if path.is_file() and not path.name.startswith("."))
        self._files = {path.name: path for path in files if sniff(path) is not None}

    def __getitem__(self, name: str) -> Radiograph:
        return read(self._find(Path(name).name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def _find(self, name: str) -> Path:
        if name in self._files:
            return self._files[name]
        alike = [path for path in self._files.values() if _bare(path.name) == _bare(name)]
        if len(alike) > 1:
            raise ImageReadError(
                f"{' and '.join(path.name for path in alike)} could both be the image {name!r}", subject=self.folder
            )
        if not alike:
            raise KeyError(name)
        return alike[0]


def _bare(name: str) -> str:
    return Path(name[:-3] if name.endswith(".gz") else name).stem
