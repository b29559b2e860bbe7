"""What lands in the package: every file that the module needs, and none that is not there."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from .extension import Extension
from .source import syntax_tree

#: Comes with Slicer; everything else that is not Python's own would have to be installed.
SHIPPED = {"numpy", "scipy", "requests", "pydicom", "SimpleITK", "vtk", "vtkmodules", "slicer", "qt", "ctk", "DICOMLib"}
OURS = {"vertenet", "VerteNet", "VerteNetLib"}
#: What the library's `imaging` imports when it reads a file or feeds a network, neither of which the module asks of it.
LEFT_OUT = {"vertenet.imaging.dicom", "vertenet.imaging.raster", "vertenet.imaging.volume", "torch"}


def check_lists(extension: Extension) -> Iterator[str]:
    """The lists in CMake against the folder: whatever is not listed is not packaged."""
    packaged = extension.packaged()
    for target, source in packaged.items():
        if not source.is_file():
            yield f"CMake lists {target}, but there is no file {source}."
    folder = extension.module_folder
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        private = "__pycache__" in path.parts or name.startswith("Testing/") or path.name == "CMakeLists.txt"
        if path.is_file() and not private and name not in packaged:
            yield f"{name} is in the module's folder, but CMake does not list it: it would not be packaged."
    scripts = {path.name for path in (folder / "Testing" / "Python").glob("*ModuleTest.py")}
    for name in sorted(scripts ^ extension.test_scripts()):
        where = "is a test that CMake does not list" if name in scripts else "is listed by CMake as a test but missing"
        yield f"Testing/Python/{name} {where}."
    for needed in (
        f"{extension.name}.py",
        f"Resources/Icons/{extension.name}.png",
        f"Resources/UI/{extension.name}.ui",
    ):
        if needed not in packaged:
            yield f"The package has no {needed}, which Slicer looks for."


def check_imports(extension: Extension) -> Iterator[str]:
    """Every import of a packaged file is packaged, Python's own, or shipped with Slicer."""
    packaged = extension.packaged()
    modules = {_module_name(target) for target in packaged if target.endswith(".py")}
    for target, source in sorted(packaged.items()):
        if target.endswith(".py") and source.is_file():
            for name in sorted(_imports(source, target, modules) - LEFT_OUT):
                top = name.split(".")[0]
                if top in OURS and name not in modules:
                    yield f"{target} imports {name}, which is not packaged."
                elif top not in OURS | SHIPPED | set(sys.stdlib_module_names):
                    yield f"{target} imports {name}, which Slicer does not ship."


def _module_name(target: str) -> str:
    parts = Path(target).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(source: Path, target: str, modules: set[str]) -> set[str]:
    """Full names of the modules that a file imports, at its top or later."""
    package = _module_name(target).split(".")
    package = package if target.endswith("__init__.py") else package[:-1]
    names: set[str] = set()
    try:
        tree = syntax_tree(source.read_text(encoding="utf-8"))
    except SyntaxError:
        return names  # `python_rules` names the line
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            members = {f"{module}.{alias.name}" for alias in node.names}
            # ``from package import name`` may name a module, or something that the package defines.
            names |= {module} | (members & modules)
    return names
