"""The extension as its files describe it: what is built from where, and what lands in the package."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .cmake_text import CMakeFile, Command

MODULE_KEYWORDS = ("NAME", "SCRIPTS", "RESOURCES", "WITH_GENERIC_TESTS", "WITH_SUBDIR")
CORE_KEYWORDS = (
    *("TARGET_NAME", "SCRIPTS", "RESOURCES", "SOURCE_DIR", "DESTINATION_DIR", "INSTALL_DIR"),
    *("NO_INSTALL_SUBDIR", "GLOBAL_TARGET"),
)


class UnreadableError(Exception):
    """The extension cannot be checked at all; the text says why."""


@dataclass(frozen=True)
class Extension:
    """A repository that holds an extension.

    Attributes
    ----------
    root : Path
        The repository.
    catalog_path : Path
        The entry for the Extensions Index; its name is the extension's.
    catalog : mapping
        What the entry says.
    top, module, tests : CMakeFile
        ``CMakeLists.txt`` of the repository, of the module and of the module's tests.
    """

    root: Path
    catalog_path: Path
    catalog: Mapping[str, Any]
    top: CMakeFile
    module: CMakeFile
    tests: CMakeFile

    @classmethod
    def read(cls, root: Path) -> Extension:
        """Raises `UnreadableError`."""
        root = root.resolve()
        catalog_path = root / "slicer_module" / "VerteNet.json"
        module = root / "slicer_module" / "VerteNet"
        try:
            catalog = json.loads(catalog_path.read_text(encoding="utf-8"))
            top = CMakeFile.read(root / "CMakeLists.txt", {})
            lists = [CMakeFile.read(folder / "CMakeLists.txt", {}) for folder in (module, module / "Testing/Python")]
        except OSError as error:
            raise UnreadableError(f"{error.filename} cannot be read: {error.strerror}.") from None
        except ValueError as error:
            raise UnreadableError(f"{catalog_path} is not JSON: {error}.") from None
        if not isinstance(catalog, dict):
            raise UnreadableError(f"{catalog_path} does not hold a JSON object.")
        return cls(root, catalog_path, catalog, top, *lists)

    @property
    def name(self) -> str:
        return self.catalog_path.stem

    @property
    def module_folder(self) -> Path:
        return self.module.path.parent

    def packaged(self) -> dict[str, Path]:
        """Path within the folder of scripted modules to the file that is put there, as CMake lists them."""
        files: dict[str, Path] = {}
        for command in self.module.called("slicerMacroBuildScriptedModule"):
            files.update(_listed(command, MODULE_KEYWORDS, self.module_folder))
        for command in self.module.called("ctkMacroCompilePythonScript"):
            (source,) = command.values("SOURCE_DIR", CORE_KEYWORDS) or (str(self.module_folder),)
            files.update(_listed(command, CORE_KEYWORDS, Path(source).resolve()))
        return files

    def test_scripts(self) -> set[str]:
        """Names of the scripts that CMake runs as tests."""
        commands = self.tests.called("slicer_add_python_unittest") + self.tests.called("slicer_add_python_test")
        return {script for command in commands for script in command.values("SCRIPT", ("SCRIPT", "SLICER_ARGS"))}

    def python_files(self) -> list[Path]:
        """Everything of the module that is Python, tests too."""
        return sorted(path for path in self.module_folder.rglob("*.py") if "__pycache__" not in path.parts)

    def packaged_python(self) -> set[Path]:
        """The packaged Python files that exist."""
        return {path for path in self.packaged().values() if path.suffix == ".py" and path.is_file()}

    def relative(self, path: Path) -> str:
        return path.resolve().relative_to(self.root).as_posix()


def _listed(command: Command, keywords: tuple[str, ...], source: Path) -> dict[str, Path]:
    scripts = [
        name if name.endswith(".py") else f"{name}.py" for name in command.values("SCRIPTS", keywords)
    ]  # Slicer's macro lets the ending away
    return {name: source / name for name in (*scripts, *command.values("RESOURCES", keywords))}
