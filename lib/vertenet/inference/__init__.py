"""From a Radiograph to a Reading: decoding, naming of levels, the Predictor."""

from .predictor import DECODERS, Predictor

__all__ = ["DECODERS", "Predictor"]
