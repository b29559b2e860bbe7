"""How well a cropped aorta is found: the factor sweep, tuned and tested apart, against the authors' rule."""

from .confusion import Confusion, Share
from .study import AUTHORS, FACTORS, OURS, RULES, Answers, CropItem, CropStudy, choose_factor, confusion, study_crop

__all__ = [
    "AUTHORS",
    "FACTORS",
    "OURS",
    "RULES",
    "Answers",
    "Confusion",
    "CropItem",
    "CropStudy",
    "Share",
    "choose_factor",
    "confusion",
    "study_crop",
]
