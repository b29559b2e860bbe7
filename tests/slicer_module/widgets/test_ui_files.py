"""The ``.ui`` files: what code names exists, and what a user reads can be translated."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.slicer_module.mrml_scene import REPOSITORY

MODULE = REPOSITORY / "slicer_module" / "VerteNet"
UI = {path.stem: ElementTree.parse(path).getroot() for path in sorted((MODULE / "Resources" / "UI").glob("*.ui"))}
WIDGETS = sorted((MODULE / "VerteNetLib" / "widgets").glob("*.py"))
SCRIPTS = [MODULE / "VerteNet.py", *WIDGETS]
#: Properties whose text a user reads.
READ = {"text", "title", "toolTip", "placeholderText", "windowTitle", "suffix", "prefix", "noneDisplay"}
READ |= {"specialValueText"}


def names(root: ElementTree.Element) -> list[str]:
    return [element.get("name") for element in root.iter("widget")]


def test_there_are_ui_files():
    assert {"VerteNet", "ConnectionPanel", "ReadingPanel", "ConsentDialog"} <= set(UI)


@pytest.mark.parametrize("form", UI)
def test_no_object_is_named_twice(form):
    assert len(names(UI[form])) == len(set(names(UI[form])))


def named_by_code(path: Path) -> dict[str, set[str]]:
    """Form to the objects of it that a script names as ``ui.name``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    loads = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "forms.load")
    forms = [node.args[0].value for node in loads]
    objects = set(re.findall(r"(?<!\.)\b(?:self\.)?_?ui\.([A-Za-z]\w*)", path.read_text(encoding="utf-8")))
    return dict.fromkeys(forms, objects)


@pytest.mark.parametrize("script", WIDGETS, ids=lambda path: path.stem)
def test_every_object_that_code_names_exists(script):
    found = named_by_code(script)
    there = {name for form in found for name in names(UI[form])}
    if script.stem == "message_bar":  # works on what the main form holds
        found = {"VerteNet": set(re.findall(r"_?ui\.(\w+)", script.read_text(encoding="utf-8")))}
        there = set(names(UI["VerteNet"]))
    for objects in found.values():
        assert objects <= there


def test_the_objects_that_code_names_are_found_at_all():
    assert len(named_by_code(MODULE / "VerteNetLib" / "widgets" / "image_panel.py")["ImagePanel"]) > 15


@pytest.mark.parametrize("form", UI)
def test_every_text_of_a_form_can_be_translated(form):
    for widget in UI[form].iter("widget"):
        for found in widget.findall("property"):
            text = found.find("string")
            if text is not None and found.get("name") in READ:
                assert text.get("notr") is None, (widget.get("name"), found.get("name"))
            elif text is not None:
                assert text.get("notr") == "true", (widget.get("name"), found.get("name"))


@pytest.mark.parametrize("form", UI)
def test_every_button_of_a_form_has_a_text(form):
    for widget in UI[form].iter("widget"):
        if widget.get("class") in ("QPushButton", "QToolButton", "QCheckBox"):
            texts = {found.get("name"): found.findtext("string") for found in widget.findall("property")}
            assert texts.get("text"), widget.get("name")


def untranslated(path: Path) -> list[str]:
    """Words in a script that a user could see and no translator would."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    shown = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            if node.targets[0].attr in READ | {"helpText", "acknowledgementText"}:
                shown.append(node.value)
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func).rpartition(".")[2]
            shown += {"Message": node.args[1:], "addItem": node.args[:1], "setText": node.args[:1]}.get(called, [])
    words = (leaf for value in shown for leaf in leaves(value))
    return [word for word in words if re.search(r"[A-Za-z]{3}", word) and word != "VerteNet"]


def leaves(node: ast.AST) -> list[str]:
    """String constants under a node that are not inside a call of ``_`` or an index."""
    below = [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.Subscript)]
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("_", "translate"):
        return []
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    return [leaf for child in below for leaf in leaves(child)]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_text_of_a_script_can_be_translated(script):
    assert untranslated(script) == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_values_are_put_into_a_text_after_it_was_translated(script):
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "_":
            assert isinstance(node.args[0], ast.Constant), ast.unparse(node)


def test_the_search_for_untranslated_texts_finds_some(tmp_path):
    script = tmp_path / "bad.py"
    script.write_text('label.text = "hello there"\nself.ui.x.toolTip = f"{n} images"\n', encoding="utf-8")
    assert untranslated(script) == ["hello there", " images"]


def test_what_is_saved_with_the_scene_is_what_the_forms_name():
    named = {
        found.findtext("string")
        for root in UI.values()
        for found in root.iter("property")
        if found.get("name") == "SlicerParameterName"
    }
    tree = ast.parse((MODULE / "VerteNetLib" / "parameter_node.py").read_text(encoding="utf-8"))
    members = {node.target.id for node in ast.walk(tree) if isinstance(node, ast.AnnAssign)}
    assert named == members
