"""Every button, in every state of a session."""

from __future__ import annotations

import itertools

import pytest

from tests.slicer_module import mrml_scene  # noqa: F401 (puts the module on the path)

from .conftest import DICOM

from VerteNetLib.states import NEEDS, Action, Need, Phase, Situation, allows, unmet  # isort: skip

FLAGS = (False, True)
SITUATIONS = [
    Situation(*values)
    for values in itertools.product(FLAGS, Phase, FLAGS, FLAGS, (0, 2), FLAGS, FLAGS, FLAGS, (None, False, True))
]
#: Widgets that a user works with. What only shows (tables without focus, bars, labels) is not among them.
WORKED_WITH = {"QPushButton", "QToolButton", "QComboBox", "QLineEdit", "QCheckBox", "QSpinBox", "QDoubleSpinBox"}
WORKED_WITH |= {"QPlainTextEdit", "qMRMLNodeComboBox"}
#: Choosing a row of it changes nothing.
FREE = {"versionsTable"}


def test_every_action_has_its_needs_and_every_need_decides_something():
    assert set(NEEDS) == set(Action)
    assert {need for needs in NEEDS.values() for need in needs} == set(Need)


def test_there_is_a_situation_in_which_each_action_is_allowed_and_one_in_which_it_is_not():
    for action in Action:
        assert {allows(situation, action) for situation in SITUATIONS} == {True, False}


@pytest.mark.parametrize("action", [action for action in Action if action not in (Action.CANCEL, Action.ADJUST_VIEW)])
def test_nothing_but_looking_and_cancelling_goes_on_beside_a_request(action):
    assert not any(allows(situation, action) for situation in SITUATIONS if situation.busy)


def test_every_button_follows_the_table_in_every_state_and_says_why_it_cannot_be_pressed(place):
    from VerteNetLib.widgets.reasons import sentence

    place.load(DICOM)
    controls = [control for panel in place.panel.controls for control in panel.all]
    obstacles = {id(control): control.obstacle() for control in controls}
    seen = {id(control): set() for control in controls}
    for situation in SITUATIONS:
        for panel in place.panel.controls:
            panel.refresh(situation)
        for control in controls:
            need, obstacle = unmet(situation, control.action), obstacles[id(control)]
            assert control.widget.enabled == (need is None and not obstacle), (control.widget.name, situation)
            why = obstacle if need is None else sentence(need)
            assert control.widget.toolTip == (f"{control.tip}\n{why}" if why else control.tip)
            seen[id(control)].add(control.widget.enabled)
    stuck = [control.widget.name for control in controls if seen[id(control)] == {False} and not obstacles[id(control)]]
    assert stuck == []


def test_nothing_that_a_user_works_with_is_left_out_of_the_table(place):
    governed = {control.widget.name for panel in place.panel.controls for control in panel.all}
    panels = ("connection", "image", "landmarks", "levels", "overlays", "reading", "measures", "habits")
    panels += ("notes", "second", "session", "training")
    for ui in (place.panel.ui, *(getattr(place.panel, name).ui for name in panels)):
        for name, widget in vars(ui).items():
            if widget.className() in WORKED_WITH and not name.startswith("qt_"):
                assert name in governed | FREE, name


def test_every_control_says_what_it_is_for(place):
    for panel in place.panel.controls:
        for control in panel.all:
            assert control.tip.strip(), control.widget.name
            assert (f"Key: {control.key}" in control.tip) == bool(control.key)


def test_no_key_is_given_twice(place):
    keys = [control.key for panel in place.panel.controls for control in panel.all if control.key]
    assert len(keys) == len(set(keys)) >= 15
