"""Geometry on a Spine: guides and crop. NumPy and SciPy only."""

from .crop import DEFAULT_FACTOR, CropResult, CropState, detect_crop
from .guides import DISCS, GUIDE_NAMES, SEGMENTS, Guide, intervertebral_guides

__all__ = [
    "DEFAULT_FACTOR",
    "DISCS",
    "GUIDE_NAMES",
    "SEGMENTS",
    "CropResult",
    "CropState",
    "Guide",
    "detect_crop",
    "intervertebral_guides",
]
