"""CONTRIBUTING.md keeps its word: its annotation format and its panel, put where it says, work and are packaged."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from check_extension import faults_of
from extension_check.extension import Extension

from vertenet import __version__, annotation
from vertenet.annotation import formats
from vertenet.errors import AnnotationError
from vertenet.spine import CORNERS, STANDARD_LEVELS, Spine

ROOT = Path(__file__).resolve().parents[1]


def blocks(section: str, language: str) -> list[str]:
    """Code of one language in a section of the guide."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split(f"\n## {section}\n")[1].split("\n## ")[0]
    return [textwrap.dedent(code) for code in re.findall(rf"^ *```{language}\n(.*?)^ *```", text, re.DOTALL | re.M)]


@pytest.fixture
def flat(tmp_path, monkeypatch):
    """The guide's format as a further module of the package, with its row in the table."""
    module_code, row = blocks("Add an annotation format", "python")
    (tmp_path / "flat.py").write_text(module_code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("vertenet.annotation.flat", tmp_path / "flat.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    entry = eval(row.strip(), {**vars(formats), "flat": module})
    monkeypatch.setitem(formats.FORMATS, entry.name, entry)


def test_the_format_of_the_guide_is_detected_written_and_read(flat, tmp_path):
    rng = np.random.default_rng(0)
    for name in ("first", "second"):
        shift = rng.uniform(0, 50, 2)
        places = [[(x, 60 * row + y) for x, y in ((90, 0), (40, 0), (90, 40), (40, 40))] for row in range(6)]
        spine = Spine.from_array(np.array(places, float) + shift, anterior="right")
        path = tmp_path / f"{name}.flat.json"
        annotation.save([annotation.Annotation(spine, name)], path)
        assert annotation.detect(path).name == "flat"
        (found,) = annotation.load(path).values()
        assert found.image == name
        np.testing.assert_allclose(found.spine.to_array(), spine.to_array())
        assert [vertebra.level for vertebra in found.spine] == list(STANDARD_LEVELS)
        assert len(CORNERS) == 4
    path.write_text('{"image": "x", "points": {"T12-SA": 3}}', encoding="utf-8")
    with pytest.raises(AnnotationError, match="no proper flat file"):
        annotation.load(path)


@pytest.fixture
def copy(tmp_path):
    """The extension's files, to be changed."""
    extension = Extension.read(ROOT)
    pictures = (ROOT / "docs" / "images").glob("slicer-*.png")
    module = (path for path in (ROOT / "slicer_module").rglob("*") if path.is_file() and path.suffix != ".pyc")
    top = (ROOT / name for name in ("CMakeLists.txt", "LICENSE", "README.md"))
    for path in {*top, *module, *pictures, *extension.packaged().values()}:
        target = tmp_path / path.resolve().relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return tmp_path


def put_panel(root: Path) -> None:
    """Follow steps 1 to 4 of the guide in a copy of the module."""
    module = root / "slicer_module" / "VerteNet"
    form, section = blocks("Add a panel to the Slicer module", "xml")
    (panel,) = blocks("Add a panel to the Slicer module", "python")
    (module / "Resources" / "UI" / "CountPanel.ui").write_text(form, encoding="utf-8")
    (module / "VerteNetLib" / "widgets" / "count_panel.py").write_text(panel, encoding="utf-8")
    main = module / "Resources" / "UI" / "VerteNet.ui"
    text = main.read_text(encoding="utf-8")
    place = text.rindex("<item>", 0, text.index('name="notesSection"'))
    main.write_text(text[:place] + section + text[place:], encoding="utf-8")
    panels = module / "VerteNetLib" / "widgets" / "module_panel.py"
    text = panels.read_text(encoding="utf-8")
    for before, added in (
        ("from .habits_panel", "from .count_panel import CountPanel\n"),
        ("        self.habits =", "        self.count = CountPanel(session, stage, tell)\n"),
        ("            self.ui.notesSection:", "            self.ui.countSection: self.count,\n"),
    ):
        assert text.count(before) == 1
        text = text.replace(before, added + before)
    panels.write_text(text, encoding="utf-8")


def test_a_panel_made_as_the_guide_says_is_packaged_once_it_is_listed(copy):
    assert faults_of(Extension.read(copy)) == []
    put_panel(copy)
    missing = faults_of(Extension.read(copy))
    assert {fault.split(" ")[0] for fault in missing} >= {
        "Resources/UI/CountPanel.ui",
        "VerteNetLib/widgets/count_panel.py",
    }
    lists = copy / "slicer_module" / "VerteNet" / "CMakeLists.txt"
    text = lists.read_text(encoding="utf-8")
    for before, added in (
        ("  VerteNetLib/widgets/dialogs.py", "  VerteNetLib/widgets/count_panel.py\n"),
        ("  Resources/UI/HabitsPanel.ui", "  Resources/UI/CountPanel.ui\n"),
    ):
        text = text.replace(before, added + before)
    lists.write_text(text, encoding="utf-8")
    assert faults_of(Extension.read(copy)) == []


def test_every_place_that_says_the_version_says_the_same():
    changes = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    cited = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.M)
    assert (changes[0], cited[1]) == (__version__, __version__)
