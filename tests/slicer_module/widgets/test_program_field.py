"""The server on this computer: where its program is can be said, not only found."""

from __future__ import annotations

import stat

from tests.slicer_module import mrml_scene  # noqa: F401 (puts the module on the path)


def test_the_program_is_named_in_a_field_and_kept(place, tmp_path):
    from VerteNetLib.local_server import PROGRAM_KEY

    ui = place.panel.connection.ui
    assert ui.programEdit.text == place.session.settings.get(PROGRAM_KEY)
    ui.programEdit.text = str(tmp_path / "nowhere")
    ui.programEdit.editingFinished.emit()
    place.settle()
    assert not ui.startServerButton.enabled
    assert "name it below" in ui.startServerButton.toolTip
    program = tmp_path / "vertenet"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    ui.programEdit.text = str(program)
    ui.programEdit.editingFinished.emit()
    place.settle()
    assert ui.startServerButton.enabled
    assert place.session.settings.get(PROGRAM_KEY) == str(program)
