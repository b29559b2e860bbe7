"""How good landmarks and levels are."""

from .metrics import LandmarkScore, score_landmarks

__all__ = ["LandmarkScore", "score_landmarks"]
