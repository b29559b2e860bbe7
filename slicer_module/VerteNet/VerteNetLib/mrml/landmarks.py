"""The landmarks of the image as a reader edits them: drag, place, mark, shift, undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Optional

import slicer

from vertenet.annotation import markups
from vertenet.measure.consistency import Contradiction, contradictions, without_stray_midpoints
from vertenet.spine import Spine, Status, Transition

from ..history import History
from ..i18n import _
from ..interfaces import Unsubscribe
from ..listeners import Listeners
from . import attributes, edits
from .belongings import own_node, remove_node
from .image import VolumeImage
from .placing import PlaceMode
from .points import STANDARD, PointNodes
from .signals import Observers

_KIND = "vtkMRMLMarkupsFiducialNode"
#: Role to the name of its node.
_NODES = {"landmarks": _("Spine landmarks"), "further landmarks": _("Further spine landmarks")}


class MarkupsLandmarks:
    """`interfaces.LandmarkEditor` on Markups nodes.

    Locked landmarks are changed by nobody but `show`, `clear`, `undo` and `redo`.
    """

    def __init__(self, scene: Any, application_logic: Any) -> None:
        self._scene = scene
        self._application_logic = application_logic
        self._place_mode = PlaceMode(application_logic, self._placing_ended)
        self._observers = Observers()
        self._listeners = Listeners()
        self._forget()

    def attach(self, image: VolumeImage) -> None:
        """Edit the landmarks of ``image``; those that the scene holds of it are taken up again."""
        self.detach()
        self._image = image
        if attributes.find(self._scene, _KIND, "landmarks", image.volume) is not None:
            self._adopt_nodes()
            self._spine = self._points.read()
        self._listeners.tell()

    def detach(self) -> None:
        """Let go of the image; its nodes stay in the scene, and no button of Slicer puts points into them."""
        self.cancel_placing()
        if self._points is not None and self._active_node() in self._points.nodes:
            self._application_logic.GetSelectionNode().SetActivePlaceNodeID(None)
        self._observers.remove_all()
        self._forget()

    def show(self, spine: Spine) -> None:
        self.cancel_placing()
        if self._points is None:
            self._adopt_nodes()
        self._history = History()
        self._set(spine)

    def spine(self) -> Optional[Spine]:
        return self._spine

    def clear(self) -> None:
        if self._points is None:
            return
        self.cancel_placing()
        self._observers.remove_all()
        nodes, image = self._points.nodes, self._image
        self._forget()
        self._image = image
        for node in nodes:
            remove_node(self._scene, node)
        self._listeners.tell()

    def selected(self) -> Optional[str]:
        return self._selected

    def select(self, name: str) -> None:
        found = None if self._points is None else self._points.find(name)
        if found is not None:
            self._selected = name
            found[0].GetDisplayNode().SetActiveControlPoint(found[1])
            self._listeners.tell()

    def place_next_missing(self) -> Optional[str]:
        """The next one after the point clicked or placed last, so that a key pressed again and again goes round."""
        if self._points is None or self.is_locked():
            return None
        start = STANDARD.index(self._selected) + 1 if self._selected in STANDARD else 0
        for name in (*STANDARD[start:], *STANDARD[:start]):
            if self._status(name) is Status.MISSING:
                self.place(name)
                return name
        return None

    def place(self, name: str) -> None:
        if self._points is None or self.is_locked():
            return
        self.cancel_placing()
        before = self._spine
        self._muted = True
        if self._points.find(name) is None:  # a mid-endplate point that nobody has given yet
            self._points.write(edits.marked(before, [name], Status.MISSING))
        self._placing, self._selected = before, name
        self._place_mode.begin(*self._points.find(name))
        self._spine = self._points.read()
        self._muted = False
        self._listeners.tell()

    def cancel_placing(self) -> None:
        if self._placing is not None:
            before, self._placing = self._placing, None
            self._place_mode.end()
            self._set(before)

    def mark(self, names: Sequence[str], status: Status) -> None:
        self._change(lambda spine: edits.marked(spine, names, Status(status)))

    def set_locked(self, locked: bool) -> None:
        if locked:
            self.cancel_placing()
        if self._points is not None:
            for node in self._points.nodes:
                node.SetLocked(locked)
            self._listeners.tell()

    def is_locked(self) -> bool:
        return self._points is not None and bool(self._points.main.GetLocked())

    def last_change(self) -> int:
        return self._history.last

    def next_change(self) -> int:
        return self._history.next

    def forget_undone(self) -> None:
        self._history.forget_undone()

    def undo(self) -> None:
        self._travel(self._history.back)

    def redo(self) -> None:
        self._travel(self._history.forward)

    def shift_levels(self, steps: int) -> None:
        self._change(lambda spine: edits.shifted(spine, steps))

    def set_transition(self, transition: Transition) -> None:
        self._change(lambda spine: replace(spine, transition=Transition(transition)))

    def replace(self, spine: Spine) -> None:
        self._change(lambda _: spine)

    def faults(self) -> Sequence[str]:
        return tuple(f"{one.sentence}." for one in self.doubts())

    def doubts(self) -> tuple[Contradiction, ...]:
        """The same with the levels that each is about."""
        if self._spine is None:
            return ()
        if self._checked is not self._spine:
            self._checked, self._doubts = self._spine, contradictions(self._spine, self._image.name)
        return self._doubts

    def subscribe(self, changed: Callable[[], None]) -> Unsubscribe:
        return self._listeners.subscribe(changed)

    def take_place_button(self) -> None:
        """Let Slicer's own Place button mean the landmarks: its logic makes every new markups node the active one."""
        if self._points is not None:
            self._application_logic.GetSelectionNode().SetActivePlaceNodeID(self._points.main.GetID())

    def position(self, name: str) -> Optional[tuple[float, float, float]]:
        """World RAS mm of a placed point; None for any other name."""
        found = None if self._points is None else self._points.find(name)
        if found is None or not self._points.is_placed(name):
            return None
        return tuple(found[0].GetNthControlPointPositionWorld(found[1]))

    def _forget(self) -> None:
        self._image: Optional[VolumeImage] = None
        self._points: Optional[PointNodes] = None
        self._spine: Optional[Spine] = None
        self._history: History[Spine] = History()
        self._selected: Optional[str] = None
        #: The spine before a point is placed; None while none is.
        self._placing: Optional[Spine] = None
        #: The spine before a drag, until its first step; None outside a drag and after that step.
        self._drag_start: Optional[Spine] = None
        self._dragging = self._muted = False
        #: What contradicts itself in the spine that was checked last.
        self._checked: Optional[Spine] = None
        self._doubts: tuple[Contradiction, ...] = ()

    def _adopt_nodes(self) -> None:
        volume = self._image.volume
        nodes = [own_node(self._scene, _KIND, role, name, volume) for role, name in _NODES.items()]
        for node in nodes:
            _style(node.GetDisplayNode())
        self._points = PointNodes(*nodes, self._image.grid, self._image.name)
        kind = slicer.vtkMRMLMarkupsNode
        for node in nodes:
            self._observers.add(node, kind.PointModifiedEvent, self._modified)
            self._observers.add(node, kind.PointEndInteractionEvent, self._drag_ended)
            self._observers.add(node, kind.PointStartInteractionEvent, self._drag_began)
        self._observers.add(volume, slicer.vtkMRMLTransformableNode.TransformModifiedEvent, self._follow_volume)
        event = slicer.vtkMRMLScene.NodeRemovedEvent
        self._observers.add(self._scene, event, self._node_removed)

        self.take_place_button()

    def _active_node(self) -> Optional[Any]:
        selection = self._application_logic.GetSelectionNode()  # None while the application ends
        node_id = None if selection is None else selection.GetActivePlaceNodeID()
        return self._scene.GetNodeByID(node_id) if node_id else None

    def _follow_volume(self) -> None:
        for node in self._points.nodes:
            node.SetAndObserveTransformNodeID(self._image.volume.GetTransformNodeID())

    def _node_removed(self) -> None:
        """Landmarks that somebody deletes in another module are gone, and the rest of them with it."""
        if self._points is not None and not all(self._scene.IsNodePresent(node) for node in self._points.nodes):
            self._placing = None
            self.clear()

    def _status(self, name: str) -> Status:
        level, corner = name.split("-")
        return self._spine[level][corner].status if level in self._spine else Status.MISSING

    def _change(self, edit: Callable[[Spine], Spine]) -> None:
        if self._spine is None or self.is_locked():
            return
        self.cancel_placing()
        after = edit(self._spine)
        if after != self._spine:
            self._history.remember(self._spine)
            self._set(after)

    def _travel(self, step: Callable[[Spine], Optional[Spine]]) -> None:
        if self._spine is None:
            return
        self.cancel_placing()
        spine = step(self._spine)
        if spine is not None:
            self._set(spine)

    def _set(self, spine: Spine) -> None:
        self._muted = True
        self._points.write(spine)
        self._muted = False
        self._spine = spine
        self._listeners.tell()

    def _modified(self) -> None:
        """Something moved a point: a drag, a click in place mode, or another module."""
        if self._muted:
            return
        after = self._points.read()
        if after == self._spine:
            return
        if self._placing is not None:
            self._history.remember(self._placing)
            self._placing = None
        elif not self._dragging:
            self._history.remember(self._spine)
        elif self._drag_start is not None:
            self._history.remember(self._drag_start)
            self._drag_start = None
        self._spine = after
        if not self._dragging:
            self._settle()
        self._listeners.tell()

    def _drag_began(self) -> None:
        self._dragging, self._drag_start = True, self._spine
        for node in self._points.nodes:
            display = node.GetDisplayNode()
            if display.GetActiveComponentType() == slicer.vtkMRMLMarkupsDisplayNode.ComponentControlPoint:
                self._selected = node.GetNthControlPointLabel(display.GetActiveControlPoint())
        self._listeners.tell()

    def _drag_ended(self) -> None:
        self._dragging, self._drag_start = False, None
        self._settle()
        self._listeners.tell()

    def _settle(self) -> None:
        """What is not done while a point moves: colours of confidence, and mid-endplate points left behind."""
        settled = without_stray_midpoints(self._spine)
        self._muted = True
        if settled != self._spine:
            self._points.write(settled)
            self._spine = settled
        self._points.show_confidence(self._spine)
        self._muted = False

    def _placing_ended(self) -> None:
        """Place mode was left: by the click that placed the point, which then is no longer in `_placing`, or without
        it, which is told apart by the point itself."""
        if self._placing is not None and not self._points.is_placed(self._selected):
            before, self._placing = self._placing, None
            self._set(before)


def _style(display: Any) -> None:
    """Small crosses as `markups.DISPLAY` describes them; names are drawn by the overlays."""
    look = markups.DISPLAY
    display.SetColor(look["color"])
    display.SetSelectedColor(look["selectedColor"])
    display.SetActiveColor(look["activeColor"])
    display.SetGlyphTypeFromString(look["glyphType"])
    display.SetGlyphScale(look["glyphScale"])
    display.SetTextScale(look["textScale"])
    display.SetPointLabelsVisibility(False)
    display.SetSliceProjection(True)
    display.SetSliceProjectionUseFiducialColor(True)
    display.SetSliceProjectionOpacity(1.0)
