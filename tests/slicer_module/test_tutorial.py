"""docs/slicer.md says what the module does: its keys, its buttons, its pictures."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from .mrml_scene import REPOSITORY, MrmlScene
from .qt_shim import installed

TUTORIAL = REPOSITORY / "docs" / "slicer.md"
UI = REPOSITORY / "slicer_module" / "VerteNet" / "Resources" / "UI"
LARGEST_PICTURE = 300 * 1024


@pytest.fixture(scope="module")
def text() -> str:
    return TUTORIAL.read_text(encoding="utf-8")


def test_every_key_of_the_module_is_in_the_table_and_none_besides(text, tmp_path):
    table = text.partition("## Keys")[2].partition("##")[0]
    written = set(re.findall(r"`([^`]+)`", table))
    with MrmlScene() as mrml, installed(mrml.scene, tmp_path):
        from VerteNet import VerteNetWidget

        module = VerteNetWidget()
        module.make_stage = mrml.stage
        module.setup()
        keys = {control.key for controls in module.panel.controls for control in controls.all if control.key}
        module.cleanup()
    assert written == keys


def test_every_picture_is_there_and_small(text):
    pictures = [TUTORIAL.parent / name for name in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)]
    assert len(pictures) >= 8
    assert [path.name for path in pictures if not path.is_file() or path.stat().st_size > LARGEST_PICTURE] == []


def test_every_button_that_is_named_exists(text):
    shown = {node.text for path in UI.glob("*.ui") for node in ElementTree.parse(path).getroot().iter("string")}
    names = set(re.findall(r"\*\*([A-Z][^*]+)\*\*", text.partition("\n## ")[2]))
    missing = {name for name in names if not any(words and words.startswith(name) for words in shown)}
    assert missing == set()
    assert len(names) > 10


def test_every_link_leads_to_a_file(text):
    links = re.findall(r"\]\(([^)#]+)", text)
    assert [link for link in links if "://" not in link and not (TUTORIAL.parent / Path(link)).exists()] == []
