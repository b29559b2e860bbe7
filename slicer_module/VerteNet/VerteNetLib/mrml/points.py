"""Landmarks as Markups nodes: 24 named points in one, whatever else a spine has in another.

What a point's label, description, position and status mean is defined once, in `vertenet.annotation.markups`. A node is
filled with what that module would write and read as it would read the node's file, so the server, a file saved by hand
and this module cannot disagree.
"""

from __future__ import annotations

import json
from typing import Any, Optional

import slicer

from vertenet.annotation import markups
from vertenet.annotation.names import STANDARD_POINTS, parse_point, point_name
from vertenet.spine import Spine

from .edits import with_corner
from .grid import PixelGrid
from .shapes import is_sure

STANDARD = tuple(point_name(*key) for key in STANDARD_POINTS)
_DEFINED, _MISSING = "defined", "missing"
_LPS_TO_RAS = (-1.0, -1.0, 1.0)
#: So many points moved are looked at by themselves, more of them all together.
_FEW = 4


class PointNodes:
    """The two nodes of one image's landmarks.

    Parameters
    ----------
    main : vtkMRMLMarkupsFiducialNode
        The 24 points ``T12-SA`` to ``L5-IP``, fixed in number and order.
    further : vtkMRMLMarkupsFiducialNode
        Mid-endplate points (``L1-SM``) and points of further levels (``T11-IA``), where there are any.
    grid : PixelGrid
    image : str
        Name of the image, kept with the landmarks.
    """

    def __init__(self, main: Any, further: Any, grid: PixelGrid, image: str) -> None:
        self.main, self.further = main, further
        self._grid, self._image = grid, image
        #: What the nodes said when they were read last, and the spine that it was.
        self._last: Optional[tuple[list[dict], list[str], Spine]] = None

    @property
    def nodes(self) -> tuple[Any, Any]:
        return self.main, self.further

    def write(self, spine: Spine) -> None:
        """Make the nodes say ``spine``."""
        text = markups.dumps(spine, self._grid.geometry, image=self._image, size=(self._grid.rows, self._grid.columns))
        (markup,) = json.loads(text)["markups"]
        described = markup["measurements"][0]
        points = markup["controlPoints"]
        with modifying(self.main), modifying(self.further):
            _resize(self.main, len(STANDARD))
            _resize(self.further, len(points) - len(STANDARD))
            for number, point in enumerate(points):
                if number < len(STANDARD):
                    _set_point(self.main, number, point)
                else:
                    _set_point(self.further, number - len(STANDARD), point)
            _describe(self.main, described["description"])

    def read(self) -> Spine:
        """The spine that the nodes say. A point that was moved since is a person's and has lost its confidence."""
        points = [_point(node, n) for node in self.nodes for n in range(node.GetNumberOfControlPoints())]
        texts = _descriptions(self.main)
        spine = self._followed(points, texts) or self._parsed(points, texts)
        self._last = points, texts, spine
        return spine

    def _followed(self, points: list[dict], texts: list[str]) -> Optional[Spine]:
        """The spine read last with the points that differ since, where only a few do: a drag asks 30 times a second."""
        if self._last is None or self._last[1] != texts or len(self._last[0]) != len(points):
            return None
        moved = [(old["label"], new) for old, new in zip(self._last[0], points) if new != old]
        if len(moved) > _FEW or any(label != new["label"] or label not in STANDARD for label, new in moved):
            return None
        if len({point["label"] for point in points}) < len(points):  # renamed by hand: which one counts?
            return None
        spine = self._last[2]
        part = self._parsed([new for _label, new in moved], texts) if moved else spine
        for label, _new in moved:
            level, corner = label.split("-")
            if level not in spine or level not in part:
                return None
            spine = with_corner(spine, label, part[level][corner])
        return spine

    def _parsed(self, points: list[dict], texts: list[str]) -> Spine:
        # A point that was renamed by hand is nobody's, and the rest is still good.
        named = {point["label"]: point for point in points if parse_point(point["label"]) is not None}
        markup = {
            "type": "Fiducial",
            "coordinateSystem": "LPS",
            "controlPoints": list(named.values()),
            "measurements": [{"name": markups.MEASUREMENT, "description": text} for text in texts],
        }
        return markups.loads(json.dumps({"markups": [markup]}), self._grid.geometry, subject=self._image)

    def show_confidence(self, spine: Spine) -> None:
        """Colour each point by what ``spine`` says of it: selected where it is confident or a person's."""
        for name, corner in spine.named_points():
            found = self.find(name)
            if found is None:
                continue
            node, number = found
            sure = corner.is_present and is_sure(corner)
            if bool(node.GetNthControlPointSelected(number)) != sure:
                node.SetNthControlPointSelected(number, sure)

    def find(self, name: str) -> Optional[tuple[Any, int]]:
        """The node and number of a point; None where neither node has it."""
        if name in STANDARD:
            return self.main, STANDARD.index(name)
        number = self.further.GetControlPointIndexByLabel(name)
        return None if number < 0 else (self.further, number)

    def is_placed(self, name: str) -> bool:
        node, number = self.find(name)
        return node.GetNthControlPointPositionStatus(number) == slicer.vtkMRMLMarkupsNode.PositionDefined


class modifying:  # noqa: N801 (reads as a word of a sentence)
    """One event for many changes of a node."""

    def __init__(self, node: Any) -> None:
        self._node = node

    def __enter__(self) -> None:
        self._was = self._node.StartModify()

    def __exit__(self, *_error: object) -> None:
        self._node.EndModify(self._was)


def _resize(node: Any, count: int) -> None:
    if node.GetNumberOfControlPoints() != count:
        node.SetFixedNumberOfControlPoints(False)
        node.RemoveAllControlPoints()
        for _ in range(count):
            node.AddControlPoint(0.0, 0.0, 0.0)
    node.SetFixedNumberOfControlPoints(True)


def _set_point(node: Any, number: int, point: dict) -> None:
    node.SetNthControlPointLabel(number, point["label"])
    node.SetNthControlPointDescription(number, point["description"])
    node.SetNthControlPointSelected(number, point["selected"])
    if point["positionStatus"] == _DEFINED:
        ras = [factor * value for factor, value in zip(_LPS_TO_RAS, point["position"])]
        node.SetNthControlPointPosition(number, *ras)
    else:
        # The last position is still in the node, and must not come back as a landmark.
        node.SetNthControlPointPosition(number, 0.0, 0.0, 0.0)
        node.SetNthControlPointPositionMissing(number)


def _point(node: Any, number: int) -> dict:
    """A control point as the file format says it, less what is not read."""
    point = {"label": node.GetNthControlPointLabel(number), "description": node.GetNthControlPointDescription(number)}
    if node.GetNthControlPointPositionStatus(number) != slicer.vtkMRMLMarkupsNode.PositionDefined:
        return {**point, "positionStatus": _MISSING}
    position = [factor * value for factor, value in zip(_LPS_TO_RAS, node.GetNthControlPointPosition(number))]
    return {**point, "positionStatus": _DEFINED, "position": position}


def _describe(node: Any, text: str) -> None:
    for measurement in _measurements(node):
        measurement.SetDescription(text)
        return
    measurement = slicer.vtkMRMLStaticMeasurement()
    measurement.SetName(markups.MEASUREMENT)
    measurement.SetDescription(text)
    measurement.SetEnabled(False)
    node.AddMeasurement(measurement)


def _descriptions(node: Any) -> list[str]:
    return [measurement.GetDescription() for measurement in _measurements(node)]


def _measurements(node: Any) -> list[Any]:
    found = [node.GetNthMeasurement(number) for number in range(node.GetNumberOfMeasurements())]
    return [measurement for measurement in found if measurement.GetName() == markups.MEASUREMENT]
