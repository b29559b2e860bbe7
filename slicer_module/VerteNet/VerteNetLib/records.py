"""A folder of small JSON files that must not get lost: written whole, and never deleted because they cannot be read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Optional

from vertenet.files import write_text

DAMAGED = "damaged"


class Records:
    """JSON objects by name in a folder that several instances of the module may share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Replace the record at once; readers see the old one or the new one."""
        write_text(self.path(name), json.dumps(content, allow_nan=False) + "\n")

    def names(self) -> list[str]:
        """Sorted; temporary files of a write that was interrupted are not among them."""
        if not self.folder.is_dir():
            return []
        found = [path for path in self.folder.iterdir() if path.suffix == ".json" and not path.name.startswith(".")]
        return sorted(path.stem for path in found if path.is_file())

    def stamp(self) -> tuple[int, int]:
        """Another one after any record came or went."""
        names = self.names()
        return (self.folder.stat().st_mtime_ns if names else 0, len(names))

    def read(self, name: str) -> Optional[dict[str, Any]]:
        """None where it is gone, because another instance took it. Raises ValueError where it is damaged."""
        try:
            content = json.loads(self.path(name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        if not isinstance(content, dict):
            raise ValueError("no JSON object")
        return content

    def read_all(self, damaged: list[Path]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every record in the order of names; damaged ones are set aside, and their new paths put into ``damaged``."""
        for name in self.names():
            try:
                content = self.read(name)
            except ValueError:
                damaged.append(self.set_aside(name))
                continue
            if content is not None:
                yield name, content

    def set_aside(self, name: str) -> Path:
        """Move a record that makes no sense out of the way, for a person to look at; where it is now."""
        target = self.folder / DAMAGED / f"{name}.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        number = 1
        while target.exists():
            number += 1
            target = target.with_name(f"{name}-{number}.json")
        with suppress(FileNotFoundError):  # another instance was quicker
            os.replace(self.path(name), target)
        return target

    def remove(self, name: str) -> None:
        self.path(name).unlink(missing_ok=True)
