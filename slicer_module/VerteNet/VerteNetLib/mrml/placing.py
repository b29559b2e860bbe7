"""Placing a point with the mouse: Slicer's place mode for one named point of a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer

from .signals import Observers


class PlaceMode:
    """Puts the application into place mode for one control point, and says when it ended without one.

    Parameters
    ----------
    application_logic : vtkMRMLApplicationLogic
    ended : callable
        Called when place mode was left by the user, whether the point was placed or not.
    """

    def __init__(self, application_logic: Any, ended: Callable[[], None]) -> None:
        self._logic = application_logic
        self._ended = ended
        self._observers = Observers()

    def begin(self, node: Any, number: int) -> None:
        """The next click in the view places control point ``number`` of ``node``."""
        self.end()
        # A missing point is passed over by place mode; one that never had a position is not.
        node.UnsetNthControlPointPosition(number)
        node.SetControlPointPlacementStartIndex(number)
        selection = self._logic.GetSelectionNode()
        selection.SetReferenceActivePlaceNodeClassName(node.GetClassName())
        selection.SetActivePlaceNodeID(node.GetID())
        interaction = self._logic.GetInteractionNode()
        interaction.SetPlaceModePersistence(0)
        interaction.SetCurrentInteractionMode(slicer.vtkMRMLInteractionNode.Place)
        event = slicer.vtkMRMLInteractionNode.InteractionModeChangedEvent
        self._observers.add(interaction, event, self._mode_changed)

    def end(self) -> None:
        """Back to the usual mouse mode, without a word to anybody."""
        self._observers.remove_all()
        interaction = self._logic.GetInteractionNode()
        if interaction is not None and interaction.GetCurrentInteractionMode() == slicer.vtkMRMLInteractionNode.Place:
            interaction.SetCurrentInteractionMode(slicer.vtkMRMLInteractionNode.ViewTransform)

    def _mode_changed(self) -> None:
        if self._logic.GetInteractionNode().GetCurrentInteractionMode() != slicer.vtkMRMLInteractionNode.Place:
            self._observers.remove_all()
            self._ended()
