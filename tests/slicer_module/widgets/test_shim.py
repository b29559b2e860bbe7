"""The shim keeps PythonQt's rules, so that what passes under it has a chance in Slicer."""

from __future__ import annotations

import sys

import pytest
import slicer


def test_a_property_is_no_method(shim):
    import qt

    button = qt.QPushButton("Connect")
    assert button.text == "Connect"
    with pytest.raises(TypeError):
        button.text()
    button.enabled = False
    assert button.isEnabled() is False


def test_nobody_adds_an_attribute_to_a_widget(shim):
    import qt

    with pytest.raises(AttributeError):
        qt.QLabel().txt = "misspelt"


def test_a_property_that_cannot_be_written_is_not_written(shim):
    import qt

    with pytest.raises(AttributeError):
        qt.QComboBox().count = 3


def test_signals_are_connected_by_their_signature(shim):
    import qt

    box, heard = qt.QCheckBox(), []
    box.connect("toggled(bool)", heard.append)
    box.connect("clicked()", lambda: heard.append("clicked"))
    box.click()
    assert heard == [True, "clicked"]
    with pytest.raises(ValueError, match="no signal"):
        box.connect("toggled(int)", heard.append)


def test_an_error_in_a_slot_is_kept(shim):
    import qt

    button = qt.QPushButton()
    button.connect("clicked()", lambda: 1 / 0)
    button.click()
    assert [type(error) for error in shim.errors] == [ZeroDivisionError]
    shim.errors.clear()


def test_children_of_a_form_are_found_by_name_not_as_attributes(shim):
    from VerteNetLib.widgets import forms

    root, ui = forms.load("SessionPanel")
    assert ui.submitButton.text == "Submit"
    assert not hasattr(root, "submitButton")


def test_a_class_that_slicer_does_not_know_is_an_error(shim, tmp_path):
    import slicer.util

    form = '<ui version="4.0"><widget class="QWidget" name="a"><widget class="QFancy" name="b"/></widget></ui>'
    (tmp_path / "bad.ui").write_text(form, encoding="utf-8")
    slicer.util.loadUI(str(tmp_path / "bad.ui"))
    assert len(shim.errors) == 1
    shim.errors.clear()


def test_nothing_of_the_shim_is_left_behind(mrml, tmp_path):
    from tests.slicer_module import qt_shim

    before = set(vars(slicer))
    with qt_shim.installed(mrml.scene, tmp_path):
        assert {"qt", "ctk", "slicer.ScriptedLoadableModule"} <= set(sys.modules)
    assert not {"qt", "ctk", "slicer.ScriptedLoadableModule", "slicer.i18n"} & set(sys.modules)
    assert set(vars(slicer)) == before
