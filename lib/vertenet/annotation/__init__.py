"""Landmark files to `Spine` and back: MakeSense, the authors' .mat and CSV, COCO keypoints, Slicer Markups, readings;
labelme, plain tables of points, DICOM structured reports and presentation states are read.

Importing this needs NumPy and SciPy only.
"""

from . import markups
from .folder import FolderLandmarks, load_folder
from .formats import FORMATS, Format, detect
from .record import Annotation
from .store import convert, load, load_for_image, save

__all__ = [
    "FORMATS",
    "Annotation",
    "FolderLandmarks",
    "Format",
    "convert",
    "detect",
    "load",
    "load_folder",
    "load_for_image",
    "markups",
    "save",
]
