"""Many images: where they come from, who reads them, results that survive a kill, tables and pages of them."""

from .outputs import write_results
from .reader import Outcome, ReadingOptions
from .run import Steps, Workers, predict_images, read_cohort
from .sources import find_items

__all__ = [
    "Outcome",
    "ReadingOptions",
    "Steps",
    "Workers",
    "find_items",
    "predict_images",
    "read_cohort",
    "write_results",
]
