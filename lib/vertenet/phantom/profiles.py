"""Scanner profiles: matrix, spacing, energy mode, sharpness, noise, blanking and tone of a densitometer, or of film.

Matrix sizes and spacings are those of published lateral spine DXA series; limiting resolution is at best 1.5 line
pairs a millimetre (Hologic) and under 0.6 (GE Prodigy). The standing lateral lumbar film is no densitometer: it serves
to train on fields that show the whole pelvis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ..errors import OptionError

Energy = Literal["single", "dual", "film"]


@dataclass(frozen=True)
class FilmReach:
    """How far a film's field reaches, from least to most: above the top of T12, and below the last lumbar vertebra."""

    above_mm: tuple[float, float]
    below_mm: tuple[float, float]


@dataclass(frozen=True)
class ScannerProfile:
    """One make and mode.

    Attributes
    ----------
    name, manufacturer, model : str
    sizes : tuple of (rows, columns)
        Matrix sizes that occur; the first is the typical one.
    spacing_mm : float
        Pixel size in the patient, both ways.
    energy : {"single", "dual", "film"}
        Single: one log image, soft tissue grey. Dual: soft tissue subtracted, bone on near black. Film: exposure with
        scatter on a characteristic curve, thick parts white and thin ones black.
    resolution_lp_mm : float
        Limiting resolution (contrast 10 %), line pairs per millimetre.
    noise : float
        Standard deviation of the log signal behind 20 cm of soft tissue.
    blank : {"black", "white"} or None
        What the scanner paints where it did not scan; None where nothing is blanked.
    flatten : float
        Share of the slowly varying background that the display removes, 0 to 1.
    soft_residue : float
        Dual energy only: soft tissue left by the subtraction, share of the bone signal scale.
    window : (float, float)
        Display range as quantiles of the image (single) or as bone mass in g/cm2 (dual).
    gamma : float
        Tone curve exponent.
    reach : FilmReach or None
        Where the field ends; None where the matrix and the scanner's habits say it (every densitometer).
    upright : bool
        The patient stands.
    stitched : bool
        Several exposures joined, often behind a calibration grid.
    """

    name: str
    manufacturer: str
    model: str
    sizes: tuple[tuple[int, int], ...]
    spacing_mm: float
    energy: Energy
    resolution_lp_mm: float
    noise: float
    blank: Literal["black", "white"] | None
    flatten: float
    soft_residue: float
    window: tuple[float, float]
    gamma: float
    reach: FilmReach | None = None
    upright: bool = False
    stitched: bool = False

    @property
    def psf_sigma_mm(self) -> float:
        """Standard deviation of the Gaussian point spread whose contrast is 10 % at the limiting resolution."""
        return math.sqrt(math.log(10.0) / 2.0) / (math.pi * self.resolution_lp_mm)


_HOLOGIC_SIZES = ((1104, 402), (1248, 402), (1104, 378), (912, 402), (1248, 456), (1656, 567))
_PRODIGY_SIZES = ((940, 445), (900, 445))
_IDXA_SIZES = ((1655, 755), (1666, 782))

_PROFILES = (
    ScannerProfile(
        "hologic-4500a", "Hologic", "QDR-4500A", _HOLOGIC_SIZES, 0.36, "single", 1.1, 0.036, "black",
        0.86, 0.0, (0.004, 0.996), 1.0,
    ),
    ScannerProfile(
        "hologic-discovery", "Hologic", "Discovery A", _HOLOGIC_SIZES, 0.36, "single", 1.2, 0.030, "black",
        0.82, 0.0, (0.003, 0.997), 0.95,
    ),
    ScannerProfile(
        "hologic-horizon", "Hologic", "Horizon A", _HOLOGIC_SIZES, 0.36, "single", 1.5, 0.025, "black",
        0.78, 0.0, (0.003, 0.997), 0.95,
    ),
    ScannerProfile(
        "ge-prodigy-se", "GE Healthcare", "Lunar Prodigy", _PRODIGY_SIZES, 0.44, "single", 0.58, 0.030, "white",
        0.72, 0.0, (0.003, 0.997), 1.0,
    ),
    ScannerProfile(
        "ge-prodigy-de", "GE Healthcare", "Lunar Prodigy", _PRODIGY_SIZES, 0.44, "dual", 0.58, 0.026, "white",
        0.15, 0.10, (0.06, 0.955), 0.85,
    ),
    ScannerProfile(
        "ge-idxa-se", "GE Healthcare", "Lunar iDXA", _IDXA_SIZES, 0.25, "single", 1.0, 0.028, "white",
        0.72, 0.0, (0.003, 0.997), 1.0,
    ),
    ScannerProfile(
        "ge-idxa-de", "GE Healthcare", "Lunar iDXA", _IDXA_SIZES, 0.25, "dual", 1.0, 0.024, "white",
        0.10, 0.06, (0.03, 0.955), 0.85,
    ),
)  # fmt: skip
_FILM_SIZES = ((1000, 820), (1000, 620), (1000, 520), (1000, 780))
#: The part from the chest to the sacrum, cut out of a longer radiograph.
_SPINE_FILM_SIZES = ((1100, 520), (1100, 420), (1100, 640))
_FILMS = (
    ScannerProfile(
        "lumbar-film", "", "Lateral lumbar radiograph", _FILM_SIZES, 0.42, "film",
        2.0, 0.008, None, 0.0, 0.0, (0.0, 1.0), 1.0, upright=True,
        reach=FilmReach(above_mm=(2.0, 95.0), below_mm=(90.0, 215.0)),
    ),
    ScannerProfile(
        "spine-film", "", "Lateral whole-spine radiograph", _SPINE_FILM_SIZES, 0.42, "film",
        1.6, 0.008, None, 0.0, 0.0, (0.0, 1.0), 1.0, upright=True, stitched=True,
        reach=FilmReach(above_mm=(40.0, 230.0), below_mm=(4.0, 80.0)),
    ),
)  # fmt: skip


def scanners() -> dict[str, ScannerProfile]:
    """Every densitometer's profile by name.

    >>> "hologic-horizon" in scanners()
    True
    """
    return {profile.name: profile for profile in _PROFILES}


def films() -> dict[str, ScannerProfile]:
    """Profiles of radiographs that are no DXA, by name.

    >>> list(films())
    ['lumbar-film', 'spine-film']
    """
    return {profile.name: profile for profile in _FILMS}


def scanner_profile(name: str) -> ScannerProfile:
    """The profile called ``name``, densitometer or film; raises `OptionError` with the known names."""
    known = scanners() | films()
    if name not in known:
        raise OptionError(f"there is no scanner profile {name!r}", remedy=f"Choose one of {', '.join(known)}")
    return known[name]
