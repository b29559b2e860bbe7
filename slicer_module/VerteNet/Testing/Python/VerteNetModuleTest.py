"""The module in the application, without a server: Slicer's CTest runs it."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import numpy as np
import slicer

ROWS, COLUMNS = 300, 160
TOLERANCE_PX = 0.01


def make_spine():
    """Six upright boxes, head to foot, the front to the right."""
    from vertenet.spine import CORNERS, STANDARD_LEVELS, Corner, Spine, Vertebra

    vertebrae = []
    for place, level in enumerate(STANDARD_LEVELS):
        top, left = 20 + 45 * place, 50
        places = [(left + 50, top), (left, top), (left + 50, top + 32), (left, top + 32)]
        vertebrae.append(Vertebra(level, dict(zip(CORNERS, (Corner(x, y) for x, y in places)))))
    return Spine(tuple(vertebrae), "right")


class VerteNetModuleTest(unittest.TestCase):
    """What only the application can show: discovery, the panel, and points in a scene that Slicer saves and loads."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def make_stage(self):
        from VerteNetLib.mrml.stage import SlicerStage

        image = np.add.outer(np.arange(ROWS), np.arange(COLUMNS)).astype(np.int16)[np.newaxis]
        volume = slicer.util.addVolumeFromArray(image, ijkToRAS=np.diag([-0.5, -0.5, 1.0, 1.0]))
        volume.SetName("test image")
        stage = SlicerStage.in_application()
        self.addCleanup(stage.close)
        stage.adopt(volume.GetID())
        return stage

    def test_the_module_is_found_and_its_panel_opens(self):
        module = slicer.modules.vertenet
        assert module.title == "VerteNet spine landmarks"
        assert "Active Learning" in module.categories
        assert module.widgetRepresentation() is not None

    def test_the_panel_is_made_with_and_without_a_main_window_and_goes_without_a_trace(self):
        views = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSliceNode")
        widget = slicer.modules.vertenet.createNewWidgetRepresentation()
        assert widget is not None
        widget.deleteLater()
        slicer.app.processEvents()
        if slicer.app.layoutManager() is None:
            assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSliceNode") <= views + 1

    def test_the_library_was_packaged_with_its_schema(self):
        from vertenet.reading import reading_schema

        assert "properties" in reading_schema()

    def test_points_come_back_to_the_pixels_they_were_put_on(self):
        stage, spine = self.make_stage(), make_spine()
        stage.landmarks.show(spine)
        self.compare(stage.landmarks.spine(), spine)
        stage.view.set_flipped(True)
        self.compare(stage.landmarks.spine(), spine)

    def test_guides_follow_the_points(self):
        stage, spine = self.make_stage(), make_spine()
        stage.landmarks.show(spine)
        before = stage.overlays.guides()["L1/L2"].anterior[1]
        stage.landmarks.replace(spine.map_points(lambda xy: xy + np.array([0.0, 4.0])))
        assert abs(stage.overlays.guides()["L1/L2"].anterior[1] - before - 4.0) < TOLERANCE_PX

    def test_the_work_survives_saving_and_loading_the_scene(self):
        stage, spine = self.make_stage(), make_spine()
        stage.landmarks.show(spine)
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder, "scene.mrb"))
            assert slicer.util.saveScene(path)
            stage.close()
            slicer.mrmlScene.Clear()
            assert slicer.util.loadScene(path)
        volume = slicer.util.getNode("test image")
        from VerteNetLib.mrml.stage import SlicerStage

        again = SlicerStage.in_application()
        self.addCleanup(again.close)
        again.adopt(volume.GetID())
        self.compare(again.landmarks.spine(), spine)

    def compare(self, spine, expected):
        for (name, corner), (_name, other) in zip(spine.named_points(), expected.named_points()):
            assert abs(corner.xy - other.xy).max() < TOLERANCE_PX, name
