"""Real MRML without the application: a scene, one slice view drawn off the screen, and a mouse for it."""

from __future__ import annotations

import os
from pathlib import Path

# Before VTK is loaded: off-screen rendering without an X server.
os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

REPOSITORY = Path(__file__).resolve().parents[2]

import slicer  # noqa: E402 (the environment comes first)
import vtk  # noqa: E402

_DISPLAYABLE_MANAGERS = (
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLMarkupsDisplayableManager",
)
_LOGICS = {"Markups": "vtkSlicerMarkupsLogic", "Volumes": "vtkSlicerVolumesLogic", "Models": "vtkSlicerModelsLogic"}


class MrmlScene:
    """What Slicer's application makes at its start, less Qt: scene, logics and the view "Red".

    Parameters
    ----------
    width, height : int
        Of the view, pixels.
    """

    def __init__(self, width: int = 600, height: int = 900) -> None:
        self.width, self.height = width, height
        self.scene = slicer.vtkMRMLScene()
        crosshair = slicer.vtkMRMLCrosshairNode()
        crosshair.SetCrosshairName("default")
        self.scene.AddNode(crosshair)
        self.application_logic = slicer.vtkSlicerApplicationLogic()
        self.application_logic.SetMRMLScene(self.scene)  # makes the selection and interaction singletons
        colours = self.application_logic.GetColorLogic()
        colours.SetMRMLScene(self.scene)
        colours.AddDefaultColorNodes()
        self.application_logic.SetSliceLogics(vtk.vtkCollection())
        self.application_logic.SetViewLogics(vtk.vtkCollection())
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(self.scene, True)
        self._module_logics = [self._module_logic(name, kind) for name, kind in _LOGICS.items()]
        self._make_view()

    def stage(self):
        """A new `SlicerStage` on this scene, as a second start of the module would make it."""
        from VerteNetLib.mrml.stage import SlicerStage

        return SlicerStage(self.scene, self.application_logic, self.slice_logic, self.window)

    def render(self) -> None:
        self.window.Render()

    def to_display(self, ras) -> tuple[int, int]:
        """View pixel (from the lower left) that shows a world position."""
        from_ras = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(self.slice_node.GetXYToRAS(), from_ras)
        x, y = from_ras.MultiplyPoint((*ras, 1.0))[:2]
        return round(x), round(y)

    def to_ras(self, x: float, y: float) -> tuple[float, float, float]:
        return self.slice_node.GetXYToRAS().MultiplyPoint((x, y, 0.0, 1.0))[:3]

    def move(self, x: int, y: int) -> None:
        self._event("MouseMoveEvent", x, y)

    def press(self, x: int, y: int) -> None:
        self.move(x, y)
        self._event("LeftButtonPressEvent", x, y)

    def release(self, x: int, y: int) -> None:
        self._event("LeftButtonReleaseEvent", x, y)

    def click(self, x: int, y: int) -> None:
        self.press(x, y)
        self.release(x, y)

    def drag(self, start: tuple[int, int], end: tuple[int, int], steps: int = 4) -> None:
        """Press at ``start``, move to ``end`` in ``steps`` events, release; view pixels."""
        self.press(*start)
        for step in range(1, steps + 1):
            share = step / steps
            self.move(*(round(a + (b - a) * share) for a, b in zip(start, end)))
        self.release(*end)

    def save(self, folder: Path) -> None:
        """What File > Save does: the scene's own file and every node's data, in a new folder."""
        folder.mkdir()
        assert self.scene.SaveSceneToSlicerDataBundleDirectory(str(folder))

    def open(self, folder: Path) -> None:
        """Add the scene that was saved in a folder to this one."""
        (path,) = folder.rglob("*.mrml")
        self.scene.SetURL(str(path))
        assert self.scene.Import()

    def nodes(self, kind: str, role: str = "") -> list:
        """The nodes of a class, and of a role of this module's where one is given."""
        found = self.scene.GetNodesByClass(kind)
        found.UnRegister(None)
        every = [found.GetItemAsObject(i) for i in range(found.GetNumberOfItems())]
        return [node for node in every if not role or node.GetAttribute("VerteNet.role") == role]

    def clear(self) -> None:
        """Close the scene as the user does; view and singletons stay."""
        self.scene.Clear(False)

    def close(self) -> None:
        """Let go of the view and the scene, in the order in which Slicer does."""
        self.style.SetInteractor(None)
        self.style.SetDisplayableManagers(None)
        self.managers.SetMRMLDisplayableNode(None)
        self.slice_logic.SetMRMLScene(None)
        for logic in self._module_logics:
            logic.SetMRMLScene(None)
        self.application_logic.SetMRMLScene(None)
        self.scene.Clear(True)
        self.window.Finalize()  # its memory would stay until the process ends

    def __enter__(self) -> MrmlScene:
        return self

    def __exit__(self, *_error) -> None:
        self.close()

    def _module_logic(self, name: str, kind: str):
        logic = getattr(slicer, kind)()
        logic.SetMRMLScene(self.scene)
        logic.SetMRMLApplicationLogic(self.application_logic)
        self.application_logic.SetModuleLogic(name, logic)
        return logic

    def _make_view(self) -> None:
        self.renderer = vtk.vtkRenderer()
        self.renderer.GetActiveCamera().ParallelProjectionOn()
        self.renderer.SetBackground(0, 0, 0)
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.ShowWindowOff()
        self.window.SetMultiSamples(4)
        self.window.SetSize(self.width, self.height)
        self.window.AddRenderer(self.renderer)
        self.interactor = vtk.vtkRenderWindowInteractor()
        self.interactor.SetRenderWindow(self.window)
        self.interactor.SetInteractorStyle(vtk.vtkInteractorStyleUser())
        self.interactor.Initialize()
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        factory.SetMRMLApplicationLogic(self.application_logic)
        for name in _DISPLAYABLE_MANAGERS:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        self.slice_logic = slicer.vtkMRMLSliceLogic()
        self.slice_logic.SetMRMLApplicationLogic(self.application_logic)
        self.application_logic.GetSliceLogics().AddItem(self.slice_logic)
        self.slice_logic.SetMRMLScene(self.scene)
        self.slice_node = self.slice_logic.AddSliceNode("Red")
        self.slice_node.SetOrientation("Axial")
        self.managers = factory.InstantiateDisplayableManagers(self.renderer)
        self.managers.SetMRMLDisplayableNode(self.slice_node)
        self.interactor.UpdateSize(self.width, self.height)
        self.slice_logic.ResizeSliceNode(self.width, self.height)
        mapper = vtk.vtkImageMapper()
        mapper.SetColorWindow(255)
        mapper.SetColorLevel(127.5)
        # What the view in the application does: follow the logic to whatever it shows.
        follow = lambda *_: mapper.SetInputConnection(self.slice_logic.GetImageDataConnection())  # noqa: E731
        self.slice_logic.AddObserver(vtk.vtkCommand.ModifiedEvent, follow)
        picture = vtk.vtkActor2D()
        picture.SetMapper(mapper)
        picture.GetProperty().SetDisplayLocationToBackground()
        self.renderer.AddViewProp(picture)
        self.style = slicer.vtkMRMLSliceViewInteractorStyle()
        self.style.SetSliceLogic(self.slice_logic)
        self.style.SetDisplayableManagers(self.managers)
        self.style.SetInteractor(self.interactor)

    def _event(self, name: str, x: int, y: int) -> None:
        self.interactor.SetEventInformation(x, y, 0, 0, "\0", 0, None)
        self.interactor.InvokeEvent(name)
