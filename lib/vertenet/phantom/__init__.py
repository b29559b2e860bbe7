"""Synthetic lateral spine DXA with exact truth: for tests, sample data, benchmarks and starter weights.

Vertebrae are solids projected through tissue in the scanner's energy mode; see `generate`, `Switches` for every hard
thing that can be switched, `scanners` for the profiles and `difficulties`. No patient is behind any of these images.
"""

from .corridor import REACH
from .crop import CropTruth
from .difficulty import Difficulty, difficulties
from .generate import generate
from .profiles import ScannerProfile, films, scanners
from .switches import Switches
from .truth import AacTruth, FractureTruth, Phantom, PhantomTruth
from .write import write

__all__ = [
    "REACH",
    "AacTruth",
    "CropTruth",
    "Difficulty",
    "FractureTruth",
    "Phantom",
    "PhantomTruth",
    "ScannerProfile",
    "Switches",
    "difficulties",
    "films",
    "generate",
    "scanners",
    "write",
]
