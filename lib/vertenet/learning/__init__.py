"""Training: samples, augmentation, targets, losses, the loop."""

from .samples import TEST_SEEDS, TRAINING_SEED, Samples, make_sample, phantom_samples, phantom_scanner
from .trainer import Recipe, Validation, train, validate

__all__ = [
    "TEST_SEEDS",
    "TRAINING_SEED",
    "Recipe",
    "Samples",
    "Validation",
    "make_sample",
    "phantom_samples",
    "phantom_scanner",
    "train",
    "validate",
]
