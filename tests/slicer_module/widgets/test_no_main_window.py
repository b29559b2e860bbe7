"""Slicer without a main window, as its generic tests of modules start it: the panel is made all the same."""

from __future__ import annotations

import slicer

from .conftest import DICOM, truth


def test_the_panel_is_made_used_and_closed_without_a_main_window(shim, mrml, monkeypatch):
    import VerteNet

    monkeypatch.setattr(type(slicer.app), "layoutManager", lambda _self: None, raising=False)
    monkeypatch.setattr(type(slicer.app), "applicationLogic", lambda _self: mrml.application_logic, raising=False)
    monkeypatch.setattr(slicer.util, "mainWindow", lambda verbose=True: None)
    for _time in range(2):  # the generic test makes two
        module = VerteNet.VerteNetWidget()
        module.setup()
        module.enter()
        assert module.panel is not None
        module.session.open_file(DICOM)
        module.session.start_by_hand(truth(DICOM).anterior)
        module.stage.landmarks.replace(truth(DICOM))
        assert len(module.stage.overlays.guides()) == 13
        module.panel.refresh()
        module.exit()
        module.cleanup()
        mrml.scene.Clear(False)
    assert len(mrml.nodes("vtkMRMLSliceNode")) == 1, "a view that nobody sees is not left behind"
