"""Ways to break a copy of the extension, each with what the check must say of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

MODULE = "slicer_module/VerteNet"
LIBRARY = "slicer_module/VerteNet/VerteNetLib"
CATALOG = "slicer_module/VerteNet.json"
ICON = "slicer_module/VerteNet/Resources/Icons/VerteNet.png"
RAW = "https://raw.githubusercontent.com/vertenet/SlicerVerteNet/main/"
PAGE = "https://github.com/vertenet/SlicerVerteNet/blob/main/"

#: file, text in it, what takes its place, what the check says.
REPLACED = (
    ("CMakeLists.txt", "project(VerteNet)", "project(Spine)", "names the project Spine"),
    ("CMakeLists.txt", "EXTENSION_DESCRIPTION", "DESCRIPTION", "sets no EXTENSION_DESCRIPTION"),
    ("CMakeLists.txt", "For research", "Much more. " * 30 + "For research", "one or two sentences"),
    ("CMakeLists.txt", '"Active Learning"', '"Segmentation"', "name different categories"),
    ("CMakeLists.txt", '"NA"', '"PyTorch"', "name different dependencies"),
    ("CMakeLists.txt", RAW + "slicer_module", PAGE + "slicer_module", "a page about the file shows no picture"),
    (
        "CMakeLists.txt",
        ".com/vertenet/SlicerVerteNet/main/d",
        ".com/else/SlicerVerteNet/main/d",
        "entry names vertenet/",
    ),
    ("CMakeLists.txt", 'ICONURL "https://raw', 'ICONURL "${RAW}', "puts no variables in"),
    ("CMakeLists.txt", "/LICENSE", "/LICENCES", "EXTENSION_LICENSE_FILE names no file"),
    ("README.md", "Apache-2.0", "see elsewhere", "does not show the extension's licence"),
    (f"{MODULE}/CMakeLists.txt", "  ${MODULE_NAME}.py\n", "", "has no VerteNet.py"),
    (f"{MODULE}/CMakeLists.txt", "  vertenet/files.py\n", "", "imports vertenet.files, which is not packaged"),
)
#: what is added to a file of the library, what the check says.
APPENDED = (
    ("from vertenet.networks import zoo\n", "imports vertenet.networks, which is not packaged"),
    ("def f():\n    import pandas\n", "imports pandas, which Slicer does not ship"),
    ("# more\n" * 400, "no file of the module has more than 400"),
    ("try:\n    pass\nexcept:\n    pass\n", "has a bare except"),
    ("match 1:\n    case _:\n        pass\n", "is no Python 3.9"),
    ('name = "x"\n_(f"Hello {name}")\n', "translates something that is not one plain text"),
)
#: what is set in the catalog entry (None: taken out), what the check says.
ENTRIES = (
    ({"category": None}, "lacks category"),
    ({"category": "Spines"}, "has the category 'Spines'"),
    ({"homepage": "x"}, "has homepage, which the schema does not know"),
    ({"tier": "one"}, "asks for int"),
    ({"tier": 9}, "the Index knows 1 to 5"),
    ({"$schema": "https://example.org/schema.json"}, "none of the Index's 1.0"),
    ({"scm_url": "https://github.com/vertenet/VerteNet.git"}, "has a name that does not begin with Slicer"),
    ({"scm_url": "git@github.com:vertenet/SlicerVerteNet.git"}, "no address with https or git"),
)
#: file that disappears, what the check says.
REMOVED = (
    ("LICENSE", "has no licence file"),
    ("docs/images/slicer-module.png", "slicer-module.png is shown in the catalog, but there is no such file"),
    (f"{LIBRARY}/states.py", "CMake lists VerteNetLib/states.py, but there is no file"),
    (f"{MODULE}/Testing/Python/VerteNetModuleTest.py", "is listed by CMake as a test but missing"),
)
#: file that appears, what the check says.
ADDED = (
    (f"{LIBRARY}/forgotten.py", "VerteNetLib/forgotten.py is in the module's folder, but CMake does not list it"),
    (f"{MODULE}/Resources/UI/Extra.ui", "Resources/UI/Extra.ui is in the module's folder"),
    (f"{MODULE}/Testing/Python/NewModuleTest.py", "NewModuleTest.py is a test that CMake does not list"),
)


def replace(root: Path, name: str, old: str, new: str) -> None:
    text = (root / name).read_text(encoding="utf-8")
    assert old in text
    (root / name).write_text(text.replace(old, new), encoding="utf-8")


def append(root: Path, text: str) -> None:
    path = root / LIBRARY / "states.py"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n\n{text}", encoding="utf-8")


def set_entry(root: Path, values: dict[str, Any]) -> None:
    entry = {**json.loads((root / CATALOG).read_text(encoding="utf-8")), **values}
    (root / CATALOG).write_text(json.dumps({key: value for key, value in entry.items() if value is not None}))


def small_icon(root: Path) -> None:
    Image.open(root / ICON).resize((64, 64)).save(root / ICON)


def huge_file(root: Path) -> None:
    with (root / "film.bin").open("wb") as file:
        file.truncate(60 * 2**20)  # sparse: no disk is filled


def carriage_returns(root: Path) -> None:
    (root / CATALOG).write_bytes((root / CATALOG).read_bytes().replace(b"\n", b"\r\n"))


def damages() -> list[tuple[str, Callable[[Path], Any], str]]:
    """A name for the test, what is done to the root of a copy, and what the check must say."""
    made: list[tuple[str, Callable[[Path], Any], str]] = []
    for name, old, new, says in REPLACED:
        made.append((says, lambda root, n=name, o=old, w=new: replace(root, n, o, w), says))
    for text, says in APPENDED:
        made.append((says, lambda root, t=text: append(root, t), says))
    for values, says in ENTRIES:
        made.append((says, lambda root, v=values: set_entry(root, v), says))
    for name, says in REMOVED:
        made.append((says, lambda root, n=name: (root / n).unlink(), says))
    for name, says in ADDED:
        made.append((says, lambda root, n=name: (root / n).touch(), says))
    made.append(("icon too small", small_icon, "has 64x64 pixels"))
    made.append(("icon no picture", lambda root: (root / ICON).write_text("icon"), "is not a PNG picture"))
    made.append(("repository too large", huge_file, "the Index accepts 100 MB"))
    made.append(("carriage returns", carriage_returns, "has carriage returns"))
    return made
