"""Landmark files to `Spine` and back: MakeSense, the authors' .mat and CSV, COCO keypoints, Slicer Markups, readings.

Importing this needs NumPy and SciPy only.
"""

from . import markups
from .formats import FORMATS, Format, detect
from .record import Annotation
from .store import convert, load, load_for_image, save

__all__ = ["FORMATS", "Annotation", "Format", "convert", "detect", "load", "load_for_image", "markups", "save"]
