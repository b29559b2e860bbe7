"""The slice view that shows the image: the application's, or one that nobody sees where there is no main window."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import slicer
import vtk

VIEW = "Red"


def red_view(closing: ExitStack) -> tuple[Any, Any]:
    """Slice logic and render window of the red view.

    Without a main window, as Slicer's generic tests of modules start it, the application has no layout and no views:
    then there is a view of our own, which ``closing`` takes out of the scene again.
    """
    layouts = slicer.app.layoutManager()
    widget = None if layouts is None else layouts.sliceWidget(VIEW)
    if widget is not None:
        return widget.sliceLogic(), widget.sliceView().renderWindow()
    logic, window = slicer.vtkMRMLSliceLogic(), vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    logic.SetMRMLApplicationLogic(slicer.app.applicationLogic())
    logic.SetMRMLScene(slicer.mrmlScene)
    node = logic.AddSliceNode(f"VerteNet{VIEW}")

    def close() -> None:
        own = [node, logic.GetSliceCompositeNode(), logic.GetSliceDisplayNode()]
        logic.SetMRMLScene(None)
        for each in own:
            if each is not None and slicer.mrmlScene.IsNodePresent(each):
                slicer.mrmlScene.RemoveNode(each)

    closing.callback(close)
    return logic, window
