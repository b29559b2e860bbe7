"""What is saved with the scene: the chosen volume and what is drawn."""

from __future__ import annotations

from slicer import vtkMRMLScalarVolumeNode
from slicer.parameterNodeWrapper import parameterNodeWrapper


@parameterNodeWrapper
class ModuleParameters:
    """Names as in the ``.ui`` files (``SlicerParameterName``). No address and no token: those are the user's."""

    inputVolume: vtkMRMLScalarVolumeNode
    showGuides: bool = True
    showBands: bool = True
    showCorridor: bool = True
    showCrop: bool = True
    showLabels: bool = True
