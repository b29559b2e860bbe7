"""The arrows inside the module: the session knows no Slicer, the panels no MRML, the scene no server and no panel."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from .mrml_scene import REPOSITORY

PACKAGE = REPOSITORY / "slicer_module" / "VerteNet" / "VerteNetLib"
#: Files of the package itself that everybody may know: what is said between the rooms, and what holds in each.
COMMON = {"interfaces", "answers", "failures", "states", "i18n", "history", "findings", "listeners"}
#: What Slicer adds to Python.
SLICER = {"slicer", "qt", "ctk", "vtk", "PythonQt"}
#: Packages that Slicer ships; nothing is installed.
SHIPPED = {"numpy", "scipy", "requests", "pydicom"}
#: Room to what it may import of Slicer, and to the rooms of the package that it may know.
ROOMS = {
    "session": (set(), {"session"}),
    "mrml": ({"slicer", "vtk"}, {"mrml"}),
    "widgets": ({"slicer", "qt", "ctk"}, {"widgets", "session"}),
}
#: The two doors to Slicer among the files of the session's floor: its translations, its parameter node.
DOORS = {"i18n": {"slicer"}, "parameter_node": {"slicer"}}


def room_of(path: Path) -> str:
    """A folder of the package; its own files are the session's room."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else "session"


def imports(path: Path) -> set[tuple[str, ...]]:
    """Names that a file imports, at its top or inside a function; those of the package begin with ``VerteNetLib``."""
    package = ("VerteNetLib", *path.relative_to(PACKAGE).parts[:-1])
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {tuple(alias.name.split(".")) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            base += tuple(node.module.split(".")) if node.module else ()
            found |= {(*base, alias.name) for alias in node.names}
    return found


def rooms_known(path: Path) -> set[str]:
    """Rooms of the package that a file knows; what is common does not count."""
    ours = {name[1:] for name in imports(path) if name[0] == "VerteNetLib"}
    folders = {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").is_file()}
    return {name[0] if name[0] in folders else "session" for name in ours if name[0] not in COMMON}


FILES = sorted(PACKAGE.rglob("*.py"))
IDS = [str(path.relative_to(PACKAGE)) for path in FILES]


def test_every_file_has_a_room():
    assert {room_of(path) for path in FILES} == set(ROOMS)


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_a_file_knows_of_slicer_only_what_its_room_may(path):
    allowed = ROOMS[room_of(path)][0] | (DOORS.get(path.stem, set()) if path.parent == PACKAGE else set())
    assert {name[0] for name in imports(path)} & SLICER <= allowed


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_a_file_knows_only_the_rooms_that_its_own_may(path):
    assert rooms_known(path) <= ROOMS[room_of(path)][1]


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_nothing_is_imported_that_slicer_does_not_ship(path):
    known = SLICER | SHIPPED | {"VerteNetLib", "vertenet"} | set(sys.stdlib_module_names)
    assert {name[0] for name in imports(path)} <= known


def test_the_reader_of_imports_sees_every_kind(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    folder = tmp_path / "widgets"
    folder.mkdir()
    (folder / "__init__.py").touch()
    lines = ["import qt", "from ..session import Session", "from . import forms"]
    inside = ["def f():", "    from ..i18n import _", "    import vtk.util"]
    (folder / "panel.py").write_text("\n".join([*lines, *inside]))
    assert rooms_known(folder / "panel.py") == {"session", "widgets"}
    assert {name[0] for name in imports(folder / "panel.py")} == {"qt", "vtk", "VerteNetLib"}


def test_the_session_runs_where_there_is_no_slicer_at_all():
    code = """
import sys
sys.path[:0] = sys.argv[1:]
sys.modules.update(dict.fromkeys(("slicer", "qt", "ctk", "vtk")))  # an import of one of these fails now
import VerteNetLib.session
print(*(name for name in ("torch", "PySide6", "SimpleITK") if name in sys.modules))
"""
    folders = [str(PACKAGE.parent), str(REPOSITORY / "lib")]
    done = subprocess.run(
        [sys.executable, "-c", code, *folders], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr
