"""The arrows of the house: who may know whom, held by reading every import, and what a light import may load."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import vertenet

ROOT = Path(vertenet.__file__).parent
LEAVES = {"spine", "radiograph", "errors"}
#: Room (a package or a module of vertenet) to the rooms that it may import.
ARROWS = {
    "errors": set(),
    "files": set(),
    "filenames": {"errors"},
    "tokens": {"errors", "files"},
    "conformity": {"errors"},
    "model_files": {"errors"},
    "spine": {"errors"},
    "radiograph": {"errors", "spine"},
    "measure": LEAVES,
    "reading": LEAVES | {"measure", "conformity"},
    "annotation": LEAVES | {"filenames", "files", "reading"},
    "imaging": LEAVES | {"filenames", "files"},
    "networks": {"errors", "files", "model_files"},
    "phantom": LEAVES | {"files"},
    "assess": LEAVES | {"measure", "reading"},
    "inference": LEAVES | {"assess", "files", "imaging", "measure", "model_files", "networks", "reading"},
    "evaluation": LEAVES | {"annotation", "files", "imaging", "inference", "measure", "phantom", "reading"},
    "learning": LEAVES
    | {"annotation", "evaluation", "filenames", "files", "imaging", "inference", "networks", "phantom"},
    "report": LEAVES | {"evaluation", "files", "measure", "reading"},
    "experiments": LEAVES
    | {"annotation", "assess", "evaluation", "files", "imaging", "inference", "learning", "measure", "networks"}
    | {"phantom", "reading", "report"},
    "cohort": None,  # the upper floor and the doors may know every room; nobody below may know them
    "serving": None,
    "cli": None,
}
#: What a light import must not load: 3D Slicer embeds NumPy and SciPy alone.
HEAVY = ["torch", "pydicom", "pandas", "matplotlib", "PIL", "SimpleITK", "monai", "timm", "tifffile", "jsonschema"]


def rooms() -> set[str]:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    return packages | {path.stem for path in ROOT.glob("*.py") if path.stem != "__init__"}


def files_of(room: str) -> list[Path]:
    return [ROOT / f"{room}.py"] if (ROOT / f"{room}.py").is_file() else sorted((ROOT / room).rglob("*.py"))


def imported_rooms(path: Path) -> set[str]:
    """Rooms of vertenet that a file imports, at its top or inside a function."""
    package = ["vertenet", *path.relative_to(ROOT).parts[:-1]]
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = base + (node.module.split(".") if node.module else [])
            names += [[*base, alias.name] for alias in node.names]
    return {name[1] for name in names if name[0] == "vertenet" and len(name) > 1 and name[1] in rooms()}


def test_every_room_has_its_arrows_written_down():
    assert rooms() == set(ARROWS)


@pytest.mark.parametrize("room", [room for room, allowed in ARROWS.items() if allowed is not None])
def test_a_room_imports_only_what_its_arrows_allow(room):
    for path in files_of(room):
        unexpected = imported_rooms(path) - ARROWS[room] - {room}
        assert not unexpected, f"{path.relative_to(ROOT)} must not know {', '.join(sorted(unexpected))}"


def test_the_arrows_form_no_circle():
    placed: set[str] = set()
    waiting = {room: set(ARROWS) - {room} if allowed is None else allowed for room, allowed in ARROWS.items()}
    doors = {room for room, allowed in ARROWS.items() if allowed is None}
    waiting = {room: allowed for room, allowed in waiting.items() if room not in doors}
    while waiting:
        ready = {room for room, allowed in waiting.items() if allowed <= placed}
        assert ready, f"a circle among {sorted(waiting)}"
        placed |= ready
        waiting = {room: allowed for room, allowed in waiting.items() if room not in ready}


def test_the_reader_of_imports_sees_every_kind(tmp_path, monkeypatch):
    package = tmp_path / "vertenet" / "measure"
    package.mkdir(parents=True)
    lines = ["from ..spine import Spine", "import vertenet.cli", "def f():", "    from vertenet import networks"]
    (package / "a.py").write_text("\n".join([*lines, "    from . import x"]))
    monkeypatch.setitem(globals(), "ROOT", tmp_path / "vertenet")
    monkeypatch.setitem(globals(), "rooms", lambda: set(ARROWS))
    assert imported_rooms(package / "a.py") == {"spine", "cli", "networks", "measure"}


@pytest.mark.parametrize(
    "module",
    ["vertenet", "vertenet.spine", "vertenet.reading", "vertenet.annotation", "vertenet.measure", "vertenet.assess"],
)
def test_what_slicer_imports_loads_numpy_and_scipy_alone(module):
    code = f"import sys, {module}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == []


def test_the_published_schema_is_read_without_a_validator():
    code = (
        "import sys; from vertenet.reading import reading_schema; reading_schema(); print('jsonschema' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "False"
