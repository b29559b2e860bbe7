"""Training: samples, augmentation, targets, losses, the loop."""

from .recipe import Data, Recipe, read_recipe, recipe_names
from .samples import TEST_SEEDS, TRAINING_SEED, Samples, make_sample, phantom_samples, phantom_scanner
from .session import TrainingStopped
from .trainer import train
from .validation import Validation, validate

__all__ = [
    "TEST_SEEDS",
    "TRAINING_SEED",
    "Data",
    "Recipe",
    "Samples",
    "TrainingStopped",
    "Validation",
    "make_sample",
    "phantom_samples",
    "phantom_scanner",
    "read_recipe",
    "recipe_names",
    "train",
    "validate",
]
