"""Geometry on Spines: guides, crop, heights, AAC-24 grades; which vertebra is which; what cannot be. No torch."""

from .aac import UNREADABLE, Aac24, Risk, Wall
from .crop import CROP_WORDS, DEFAULT_FACTOR, CropResult, CropState, crop_sentence, detect_crop
from .endplates import Angle, Lordosis, lordosis
from .genant import Deformity, GenantSuggestion
from .guides import DISCS, GUIDE_NAMES, SEGMENTS, Guide, intervertebral_guides
from .morphometry import Heights, ReferenceRatio, SpineMorphometry, VertebraMorphometry
from .norms import NORMS_VARIABLE, PUBLISHED, Norms, load_norms

__all__ = [
    "CROP_WORDS",
    "DEFAULT_FACTOR",
    "DISCS",
    "GUIDE_NAMES",
    "NORMS_VARIABLE",
    "PUBLISHED",
    "SEGMENTS",
    "UNREADABLE",
    "Aac24",
    "Angle",
    "CropResult",
    "CropState",
    "Deformity",
    "GenantSuggestion",
    "Guide",
    "Heights",
    "Lordosis",
    "Norms",
    "ReferenceRatio",
    "Risk",
    "SpineMorphometry",
    "VertebraMorphometry",
    "Wall",
    "crop_sentence",
    "detect_crop",
    "intervertebral_guides",
    "load_norms",
    "lordosis",
]
