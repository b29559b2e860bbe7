"""Random changes to a training sample; landmarks move with the pixels."""

from .grey import vary_grey_values
from .pipeline import augment_sample
from .ranges import Augmentation

__all__ = ["Augmentation", "augment_sample", "vary_grey_values"]
