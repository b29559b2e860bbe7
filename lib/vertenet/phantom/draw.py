"""Drawing the switches of a phantom from its difficulty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

import numpy as np

from ..errors import OptionError
from ..spine import Transition
from .difficulty import Difficulty
from .profiles import ScannerProfile
from .streams import stream
from .switches import DISCS, FRACTURE_ODDS, FRACTURE_TYPES, Switches, checked

_NAMES = tuple(field.name for field in fields(Switches))


def draw_switches(seed: int, difficulty: Difficulty, profile: ScannerProfile, forced: Mapping[str, object]) -> Switches:
    """Draw every switch and lay the forced ones over.

    Parameters
    ----------
    seed : int
    difficulty : Difficulty
    profile : ScannerProfile
        Whether and how it blanks, and whether its pictures are stitched.
    forced : mapping
        Switch name to value; see `Switches`. ``True`` and ``False`` mean the usual strength and none.

    Raises
    ------
    OptionError
        An unknown switch, or a value it does not take.
    """
    unknown = sorted(set(forced) - set(_NAMES))
    if unknown:
        raise OptionError(f"there is no phantom switch {unknown[0]!r}", remedy=f"Choose from {', '.join(_NAMES)}")
    drawn = {name: _DRAW[name](stream(seed, f"switch/{name}"), difficulty, profile) for name in _NAMES}
    drawn.update({name: checked(name, value) for name, value in forced.items()})
    return Switches(**drawn)


def _chance(name: str, value, otherwise):
    """A switch that is ``value(rng)`` with the difficulty's probability and ``otherwise`` if not."""
    return lambda rng, difficulty, profile: value(rng) if rng.random() < difficulty.chance[name] else otherwise


def _span(name: str):
    """A switch drawn evenly from the difficulty's range."""

    def draw(rng, difficulty, profile):
        low, high = difficulty.span[name]
        return round(float(rng.uniform(low, high)), 4)

    return draw


def _draw_crop(rng, difficulty, profile):
    if rng.random() >= difficulty.chance["crop"]:
        return None
    if rng.random() < 0.4:
        return "border"
    return _colour(rng, profile.blank)


def _draw_blanking(rng, difficulty, profile):
    return _colour(rng, profile.blank) if rng.random() < difficulty.chance["blanking"] else None


def _colour(rng, blank):
    if blank is None:
        return None
    return blank if rng.random() < 0.85 else ("white" if blank == "black" else "black")


def _draw_fractures(rng, difficulty, profile):
    if rng.random() >= difficulty.chance["fracture"]:
        return ()
    levels = list(FRACTURE_ODDS)
    odds = np.array(list(FRACTURE_ODDS.values()), float)
    count = int(rng.choice([1, 2, 3], p=[0.7, 0.22, 0.08]))
    chosen = rng.choice(levels, size=count, replace=False, p=odds / odds.sum())
    listed = [
        (
            str(level),
            str(rng.choice(FRACTURE_TYPES, p=[0.5, 0.3, 0.2])),
            int(rng.choice([1, 2, 3], p=[0.45, 0.35, 0.2])),
        )
        for level in chosen
    ]
    return checked("fracture", listed)


def _draw_lstv(rng, difficulty, profile):
    if rng.random() >= difficulty.chance["lstv"]:
        return Transition.NONE
    return Transition.SACRALISED_L5 if rng.random() < 0.5 else Transition.LUMBARISED_S1


def _draw_aac(rng, difficulty, profile):
    """Low 45 %, moderate 36 %, high 19 %, as in women over 70 (AAC-24)."""
    group = rng.choice(3, p=[0.45, 0.36, 0.19])
    return int((rng.integers(0, 2), rng.integers(2, 6), min(24, 6 + int(rng.exponential(4.0))))[group])


def _draw_lines(rng, difficulty, profile):
    odds = 0.5 if profile.stitched else difficulty.chance["lines"]
    if rng.random() >= odds:
        return None
    return str(rng.choice(["boxes", "grid"], p=[0.2, 0.8] if profile.stitched else [0.7, 0.3]))


def _draw_field_bottom(rng):
    # Of 13 real dual-energy images 3 ended within L5, and none more than a body below it.
    low, high = (-0.6, 1.0) if rng.random() < 0.85 else (1.0, 2.2)
    return round(float(rng.uniform(low, high)), 4)


def _draw_posterior(rng, difficulty, profile):
    low, high = difficulty.span["posterior"]
    # Film shows the arches beside the bodies, not white over them.
    return round(float(rng.uniform(low, high)) * (0.4 if profile.energy == "film" else 1.0), 4)


def _uniform(low, high):
    return lambda rng: round(float(rng.uniform(low, high)), 4)


_DRAW = {
    "anterior": _chance("anterior_left", lambda rng: "left", "right"),
    "crop": _draw_crop,
    "blanking": _draw_blanking,
    "fracture": _draw_fractures,
    "scoliosis": _chance("scoliosis", _uniform(4, 16), 0.0),
    "rotation": _chance("rotation", _uniform(3, 14), 0.0),
    "lstv": _draw_lstv,
    "collapsed_disc": _chance(
        "collapsed_disc", lambda rng: (str(rng.choice(DISCS, p=[0.05, 0.1, 0.2, 0.25, 0.4])),), ()
    ),
    "osteophytes": _chance("osteophytes", _uniform(0.2, 1), 0.0),
    "aac": _draw_aac,
    "gas": _chance("gas", _uniform(0.2, 1), 0.0),
    "stones": _chance("stones", lambda rng: int(rng.integers(1, 4)), 0),
    "metal": _chance(
        "metal",
        lambda rng: str(rng.choice(["screws", "construct", "cage", "clips", "button"], p=[0.2, 0.15, 0.15, 0.3, 0.2])),
        None,
    ),
    "overlap": _span("overlap"),
    "thickness": _span("thickness"),
    "bone": _span("bone"),
    "noise": _span("noise"),
    "motion": _chance("motion", _uniform(0.3, 2.0), 0.0),
    "tone": _span("tone"),
    "blur": _span("blur"),
    "jpeg": _chance("jpeg", lambda rng: int(rng.integers(35, 96)), None),
    "bits": _chance("deep", lambda rng: int(rng.choice([12, 16])), 8),
    "inverted": _chance("inverted", lambda rng: True, False),
    "monochrome1": _chance("monochrome1", lambda rng: True, False),
    "text": _chance("text", lambda rng: True, False),
    "clipped_top": _chance("clipped_top", lambda rng: True, False),
    "clipped_bottom": _chance("clipped_bottom", lambda rng: True, False),
    "field_bottom": _chance("field_bottom", _draw_field_bottom, None),
    "pelvis": _span("pelvis"),
    "crests": _span("crests"),
    "sacrum": _span("sacrum"),
    "posterior": _draw_posterior,
    "cancellous": _span("cancellous"),
    "residue": _span("residue"),
    "saturation": _span("saturation"),
    "arm": _chance("arm", _uniform(0.3, 1.0), 0.0),
    "lines": _draw_lines,
    "seam": lambda rng, difficulty, profile: bool(rng.random() < 0.6) and profile.stitched,
    "spacing_unknown": _chance("spacing_unknown", lambda rng: True, False),
}
