"""The module in the application: what it says of itself, its keys, the scene, the user's settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace

import pytest
import slicer
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.slicer_module.mrml_scene import REPOSITORY

from .conftest import DICOM, PNG, open_module

#: What Slicer's own windows claim while any module is shown (5.13: main window, module selector, error log, console).
KEYS_OF_SLICER = {f"Ctrl+{key}" for key in (*"0123456CFHOSVWX`", "Left", "Right")} | {"Alt+Left", "Alt+Right"}


def test_the_module_says_what_it_is_and_what_it_is_not_for(shim):
    import VerteNet

    parent = SimpleNamespace()
    VerteNet.VerteNet(parent)
    assert parent.title == "VerteNet spine landmarks"
    assert parent.categories == ["Active Learning"]
    assert "research use only" in parent.helpText
    assert "synthetic images" in parent.helpText
    assert parent.contributors
    assert parent.dependencies == ["Markups"], "without their module there are no landmarks"


def test_slicer_starts_without_anything_of_ours_but_the_modules_file():
    code = """
import sys
from pathlib import Path
from tests.slicer_module import mrml_scene, qt_shim
with mrml_scene.MrmlScene() as mrml, qt_shim.installed(mrml.scene, Path(sys.argv[1])):
    import VerteNet
    ours = ("VerteNetLib", "vertenet", "requests", "torch")
    print(*(name for name in sys.modules if name.split(".")[0] in ours))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(REPOSITORY)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout.split() == []


def test_keys_press_buttons_only_while_the_module_is_shown(place):
    place.load(DICOM)
    window = place.shim.main_window
    window.setFocus()
    QTest.keyClick(window, Qt.Key.Key_L)
    place.settle()
    assert place.stage.landmarks.is_locked()
    place.module.exit()
    QTest.keyClick(window, Qt.Key.Key_L)
    assert place.stage.landmarks.is_locked()
    place.module.enter()
    QTest.keyClick(window, Qt.Key.Key_L)
    assert not place.stage.landmarks.is_locked()


def test_a_key_whose_button_cannot_be_pressed_says_why(place):
    QTest.keyClick(place.shim.main_window, Qt.Key.Key_A)
    assert place.message == ("ℹ", "Load an image first.")


def test_a_letter_typed_into_a_field_is_a_letter(place):
    place.load(DICOM)
    field = place.panel.notes.ui.readerEdit
    field.setFocus()
    QTest.keyClicks(field, "Lea M")
    assert field.text == "Lea M"
    assert not place.stage.landmarks.is_locked()
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert place.session.reader == "Lea M"


def test_no_key_is_one_of_slicers_main_window(place):
    keys = {control.key for panel in place.panel.controls for control in panel.all}
    assert keys & KEYS_OF_SLICER == set()


def test_without_a_main_window_there_are_no_keys(place):
    from VerteNetLib.widgets.shortcuts import Shortcuts

    shortcuts = Shortcuts(None, place.panel.controls)
    shortcuts.install()
    shortcuts.remove()


def test_undo_is_ours_where_the_application_claims_the_key_too(place):
    import qt

    place.load(DICOM)
    window, others = place.shim.main_window, []
    action = qt.QAction(window)
    action.setShortcut(qt.QKeySequence("Ctrl+Z"))
    action.connect("triggered()", lambda: others.append("Slicer"))
    window.addAction(action)
    place.press(place.panel.levels.ui.shiftDownButton)
    shifted = place.stage.landmarks.spine()
    window.setFocus()
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert place.stage.landmarks.spine() != shifted
    assert others == []


def test_what_is_drawn_is_saved_with_the_scene(place, mrml, tmp_path):
    place.load(DICOM)
    place.press(place.panel.overlays.ui.corridorBox)
    assert not place.stage.overlays.is_visible("corridor")
    mrml.scene.SetURL(str(tmp_path / "saved.mrml"))
    assert mrml.scene.Commit()
    place.press(place.panel.overlays.ui.corridorBox)
    mrml.scene.Clear(False)
    mrml.scene.Connect()
    place.settle()
    assert not place.panel.overlays.ui.corridorBox.checked
    assert place.panel.overlays.ui.guidesBox.checked


def test_a_closed_scene_leaves_a_usable_panel_and_keeps_the_work(place, mrml):
    place.load(PNG)
    place.session.set_score("L1", "anterior", 3)
    mrml.scene.Clear(False)
    place.settle()
    assert place.panel.image.ui.imageLabel.text == "No image yet."
    assert place.panel.landmarks.ui.pointsLabel.text == "No landmarks yet."
    assert not place.panel.session.ui.submitButton.enabled
    assert place.panel.image.ui.openFileButton.enabled
    kept = place.session.drafts()
    assert [draft.image_name for draft in kept] == [PNG.stem]
    place.load(PNG, landmarks=False)
    assert place.session.aac.grade("L1", "anterior") == 3
    assert place.stage.landmarks.spine() is not None


def test_address_and_token_are_the_users_and_never_in_the_scene(place, mrml, tmp_path):
    import qt

    ui = place.panel.connection.ui
    ui.urlEdit.text, ui.tokenEdit.text = "http://127.0.0.1:9", "secret-of-mine"
    place.load(DICOM)
    place.session.settings.set("server/token", "secret-of-mine")
    mrml.scene.SetURL(str(tmp_path / "scene" / "saved.mrml"))
    (tmp_path / "scene").mkdir()
    assert mrml.scene.Commit()
    qt.QSettings().sync()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".mrml" for path in files)
    kept = [path for path in files if b"secret-of-mine" in path.read_bytes()]
    assert [path.parts[-3] for path in kept] == ["settings"]


def test_settings_outlive_the_module(shim, mrml):
    first = open_module(shim, mrml)
    first.session.reader = "Lea"
    first.module.exit()
    first.module.cleanup()
    second = open_module(shim, mrml)
    second.settle()
    assert second.panel.notes.ui.readerEdit.text == "Lea"
    second.module.exit()
    second.module.cleanup()


def test_the_timer_brings_what_came_from_the_background(place):
    came = []
    place.module.jobs.start("counting", lambda _progress: 42, came.append, came.append)
    place.module.timer.start()
    for _try in range(200):
        QTest.qWait(10)
        if came:
            break
    assert came == [42]


def test_while_a_point_is_dragged_the_panels_follow_ten_times_a_second_at_most(place, monkeypatch):
    from VerteNetLib.widgets import module_panel

    place.load(DICOM)
    now, shown, spine = [1e6], [], place.stage.landmarks.spine()
    monkeypatch.setattr(module_panel, "time", SimpleNamespace(monotonic=lambda: now[0]))
    refresh = place.panel.refresh
    monkeypatch.setattr(place.panel, "refresh", lambda: (shown.append(now[0]), refresh()))
    for step in range(50):  # one second, 50 events of a mouse
        place.stage.landmarks.replace(spine.map_points(lambda xy, step=step: xy + step / 10))
        now[0] += 0.02
        place.panel.tick()
    assert 9 <= len(shown) <= 11
    shown.clear()
    now[0] += 1
    place.panel.tick()
    place.panel.tick()
    assert len(shown) <= 1, "nothing changed since"


def test_a_module_that_was_closed_follows_the_scene_no_more(shim, mrml):
    opened = open_module(shim, mrml)
    opened.module.exit()
    opened.module.cleanup()
    mrml.scene.Clear(False)
    assert shim.errors == []
    assert opened.module.Observations == []


def test_a_module_that_cannot_be_opened_says_so_and_goes_without_noise(shim, mrml, monkeypatch, caplog):
    import VerteNet

    class VerteNetWidget(VerteNet.VerteNetWidget):
        closed = False

        def make_stage(self):
            def close() -> None:
                self.closed = True

            return SimpleNamespace(close=close)

        def make_session(self, settings):
            raise ImportError("the core library is missing")

    monkeypatch.setattr(slicer.app, "testing", True)  # nobody is there to close the window with the error
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda *_text, **_more: None)
    module = VerteNetWidget()
    with pytest.raises(ImportError, match="core library"):
        module.setup()
    module.enter()
    module.exit()
    module.cleanup()
    assert module.closed, "what had begun was ended"


@pytest.fixture
def package() -> Iterator[dict[str, ModuleType]]:
    """The modules of the package; they are put back, for other tests hold their classes."""
    ours = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "VerteNetLib"}
    yield ours
    for name in [name for name in sys.modules if name.partition(".")[0] == "VerteNetLib"]:
        del sys.modules[name]
    sys.modules.update(ours)


def test_a_reload_while_the_module_is_shown_reads_the_package_anew_and_keeps_the_keys(shim, mrml, package):
    import qt

    class Shown(slicer.qMRMLWidget):
        isEntered = True  # as the parent says that Slicer gives to a module

    opened = open_module(shim, mrml)
    opened.load(DICOM)
    opened.module.onReload()
    parent = Shown()
    parent.setLayout(qt.QVBoxLayout())
    again = type(opened.module)(parent)
    again.setup()
    assert type(again.session) is not type(opened.session)
    shim.show(parent)
    shim.main_window.setFocus()
    QTest.keyClick(shim.main_window, Qt.Key.Key_A)
    assert again.panel.ui.messageLabel.text == "Load an image first."
    again.exit()
    again.cleanup()


def test_slicers_own_test_of_the_module_finds_everything_that_was_packaged(shim):
    import VerteNet

    VerteNet.VerteNetTest().runTest(msec=10)


def test_leaving_the_module_ends_placing(place, mrml):
    place.load(DICOM)
    place.stage.landmarks.select("L1-SA")
    place.settle()
    interaction = mrml.application_logic.GetInteractionNode()
    place.press(place.panel.landmarks.ui.placeButton)
    assert interaction.GetCurrentInteractionMode() == interaction.Place
    place.module.exit()
    assert interaction.GetCurrentInteractionMode() != interaction.Place


def test_the_catalog_of_samples_is_there():
    """The files that these tests open."""
    assert json.loads(PNG.with_suffix(".truth.json").read_text(encoding="utf-8"))["rows"] > 500
    assert DICOM.is_file()


@pytest.mark.parametrize("width", [400, 600])
def test_no_text_is_cut_off(place, width):
    """Every button, label and box is as wide as its text needs, in a panel as narrow as Slicer's."""
    place.load(DICOM)
    for name in ("landmarks", "overlays", "measures", "notes", "training"):
        getattr(place.panel.ui, f"{name}Section").collapsed = False
    place.shim.main_window.resize(width, 2400)
    for tab in range(2):
        place.panel.show_tab(tab)
        place.settle()
        assert_whole(place)


def assert_whole(place) -> None:
    panels = ("connection", "image", "landmarks", "levels", "overlays", "reading", "measures", "habits")
    panels += ("notes", "second", "session", "training")
    seen = 0
    for ui in (place.panel.ui, *(getattr(place.panel, name).ui for name in panels)):
        for name, widget in vars(ui).items():
            if widget.className() in ("QPushButton", "QCheckBox", "QLabel") and widget.isVisible() and widget.text:
                seen += 1
                if widget.className() == "QLabel" and widget.wordWrap:
                    assert widget.height >= widget.heightForWidth(widget.width), name
                else:
                    border = 0 if widget.className() == "QLabel" else 4
                    assert widget.width >= widget.fontMetrics().horizontalAdvance(widget.text) + border, name
            assert widget.className().startswith("qt_") or not _sticks_out(place.module.parent, widget), name
    assert seen > 15


def _sticks_out(parent, widget) -> bool:
    if not (hasattr(widget, "isWidgetType") and widget.isWidgetType() and widget.isVisible()):
        return False
    right = widget.mapTo(parent, widget.rect.topRight()).x()
    return right > parent.width
