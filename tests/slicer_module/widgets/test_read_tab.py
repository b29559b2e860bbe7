"""What every image needs is on one tab: within 900 pixels of height and 400 of width, in every state of it."""

from __future__ import annotations

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from tests.slicer_module import mrml_scene  # noqa: F401 (puts the module on the path)
from vertenet.measure.aac import CELLS

from .conftest import DICOM, PNG

HEIGHT, WIDTH = 900, 400
SECTIONS = ("landmarks", "overlays", "measures", "notes")


@pytest.mark.parametrize("opened", [None, *SECTIONS])
def test_the_read_tab_fits(place, opened):
    place.load(PNG)
    for name in SECTIONS:
        getattr(place.panel.ui, f"{name}Section").collapsed = name != opened
    place.shim.main_window.resize(WIDTH, HEIGHT)
    place.settle()
    root = place.panel.root
    assert QWidget.width(root) <= WIDTH
    needed = QWidget.layout(root).heightForWidth(QWidget.width(root))
    assert needed <= HEIGHT, opened
    assert place.panel.ui.readPage.isVisible()
    assert not place.panel.ui.setupPage.isVisible()


def test_the_grid_comes_first_and_the_rest_is_on_the_other_tab(place):
    place.load(DICOM)
    top = {name: place_of(place, name) for name in ("reading", "levels", "session", "landmarks")}
    assert sorted(top, key=top.get) == ["reading", "levels", "session", "landmarks"]
    place.panel.tabs.setCurrentIndex(1)
    place.shim.process_events()
    assert place.panel.connection.root.isVisible()
    assert place.panel.training.root.isVisibleTo(place.panel.ui.setupPage) != place.panel.ui.trainingSection.collapsed
    assert not place.panel.reading.root.isVisible()


def place_of(place, name: str) -> int:
    widget = getattr(place.panel, name).root
    return widget.mapTo(place.panel.root, widget.rect.topLeft()).y()


def marked(place) -> int:
    """Number of outlines that mark the cell."""
    for node in place.mrml.nodes("vtkMRMLModelNode", "cell"):
        if node.GetNodeReferenceID("VerteNet.volume") == place.stage.image.volume_id:
            return node.GetPolyData().GetNumberOfCells()
    return 0


def test_confirming_the_levels_goes_on_to_the_first_open_cell_and_the_view_follows_the_cells(place):
    place.load(DICOM)
    window, field = place.shim.main_window, place.mrml.slice_node.GetFieldOfView()
    window.setFocus()
    assert marked(place) == 0
    QTest.keyClick(window, "y")
    place.settle()
    assert place.session.levels_checked
    assert marked(place) == 1
    assert place.mrml.slice_node.GetFieldOfView()[1] < field[1] / 2
    seen = set()
    for number in range(len(CELLS)):
        seen.add(tuple(round(part, 1) for part in middle_of_view(place)))
        area = place.stage.overlays.cell_area(CELLS[number])
        assert inside_view(place, area).all(), CELLS[number]
        QTest.keyClick(window, "1")
        place.settle()
    assert len(seen) == 4, "a view for each segment; its two walls are both in it"
    assert place.session.aac.total == 8


def middle_of_view(place) -> tuple:
    node = place.mrml.slice_node
    width, height = node.GetDimensions()[:2]
    return node.GetXYToRAS().MultiplyPoint((width / 2, height / 2, 0, 1))[:2]


def inside_view(place, area):
    shown = place.stage.view.field()
    view = shown.to_view(area)
    return (view >= 0).all(axis=1) & (view <= (shown.width, shown.height)).all(axis=1)


def test_the_view_stays_where_the_reader_does_not_want_it_to_follow(place):
    place.load(DICOM)
    place.panel.tabs.setCurrentIndex(1)
    place.press(place.panel.habits.ui.zoomBox)
    field = place.mrml.slice_node.GetFieldOfView()
    place.session.confirm_levels()
    place.panel.reading.begin()
    assert place.mrml.slice_node.GetFieldOfView() == field
    assert marked(place) == 1


def test_the_magnifier_goes_to_the_mouse_and_back(place):
    place.load(DICOM)
    node, window = place.mrml.slice_node, place.shim.main_window
    before = node.GetFieldOfView(), middle_of_view(place)
    place.mrml.move(200, 600)
    under = place.mrml.to_ras(200, 600)
    QTest.keyClick(window, "z")
    place.settle()
    assert place.panel.overlays.ui.magnifyButton.checked
    assert node.GetFieldOfView()[0] < before[0][0] / 2
    assert middle_of_view(place) == pytest.approx(under[:2], abs=1.0)
    QTest.keyClick(window, "z")
    place.settle()
    assert (node.GetFieldOfView(), middle_of_view(place)) == (pytest.approx(before[0]), pytest.approx(before[1]))


def test_cropped_cells_are_hatched_and_u_is_suggested(place):
    from PySide6.QtCore import Qt

    place.load(PNG)
    cropped, table = place.stage.overlays.crop().segments, place.panel.reading.ui.aacTable
    for number, (level, _wall) in enumerate(CELLS):
        item = table.item(number // 2, number % 2)
        hatched = item.background().style() == Qt.BrushStyle.BDiagPattern
        assert hatched == (level.value in cropped)
        assert item.text() == ("U ?" if hatched else "")
    assert place.session.aac.is_empty, "a suggestion is no grade"


def test_levels_that_nobody_looked_at_are_said_in_table_report_and_export(place, tmp_path):
    from VerteNetLib.report_text import report_text

    place.load(DICOM)
    assert "T4 to T11 were not assessed." in place.panel.measures.ui.morphometryLabel.text
    assert "T4 to T11 were not assessed." in report_text(place.session.reading())
    table = place.session.export(tmp_path)[2].read_text(encoding="utf-8")
    assert "levels not assessed,T4-T11" in table
    assert "≥ 0" not in table
