"""Every hard thing of a lateral spine DXA, as one named switch.

`generate(seed, ..., gas=1.0, crop="white")` forces a switch; one that is not named is drawn from the difficulty with
its own random stream, so that forcing it changes nothing else of the patient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import OptionError
from ..spine import STANDARD_LEVELS, Side, Transition

FractureType = Literal["wedge", "biconcave", "crush"]
FRACTURE_TYPES = ("wedge", "biconcave", "crush")
#: Grade >= 1 in NHANES VFA, the relative odds of the level of a fracture; L5 is set like L4.
FRACTURE_ODDS = {"T12": 45, "L1": 34, "L2": 16, "L3": 11, "L4": 13, "L5": 13}
DISCS = ("T12/L1", "L1/L2", "L2/L3", "L3/L4", "L4/L5")


@dataclass(frozen=True)
class Switches:
    """What a phantom contains.

    Attributes
    ----------
    anterior : {"left", "right"}
        Side of the image that the patient faces.
    crop : None, "border", "black" or "white"
        The aortic corridor is cut: by the edge of the image, or by a staircase of that colour. None: it is whole.
    blanking : None, "black" or "white"
        Staircase regions that leave the corridor whole (high in front of the chest, low behind the pelvis).
    fracture : tuple of (level, type, grade)
        Vertebral fractures: type "wedge", "biconcave" or "crush", Genant grade 1 to 3. Empty: none.
    scoliosis : float
        Largest coronal tilt of a vertebra, degrees: endplates seen double.
    rotation : float
        Largest axial rotation, degrees: walls seen double.
    lstv : Transition
        Transitional vertebra: "none", "sacralised-L5" (four lumbar, L5 missing) or "lumbarised-S1" (L6 exists).
    collapsed_disc : tuple of str
        Discs ("L4/L5") that have lost most of their height.
    osteophytes : float
        Anterior spurs, 0 none to 1 severe.
    aac : int
        Wanted AAC-24 total, 0 to 24; the truth gives the cells.
    gas : float
        Bowel gas in front of and over L3 to L5, 0 to 1.
    stones : int
        Number of renal or gall stones.
    metal : None, "screws", "construct", "cage", "clips" or "button"
        Pedicle screws with rods over two levels, or over many; cages in one or two discs; surgical clips; a button or
        clasp lying on the patient.
    overlap : float
        Strength of ribs and iliac crests that cross the spine, 1 is usual.
    thickness : float
        Width of the patient, 1 is usual; noise rises and contrast falls with it. "thin" is 0.78, "thick" is 1.3.
    bone : float
        Bone mass, 1 is usual.
    noise : float
        Factor on the scanner's noise.
    motion : float
        Sway of the patient during the scan, pixels; the truth sways with it.
    tone : float
        How far the tone curve strays from the scanner's, 0 to 1.
    blur : float
        Factor on the scanner's point spread.
    jpeg : None or int
        JPEG quality of the stored image; blanked pixels become 1 to 3 or 252 to 254, as they do in practice.
    bits : {8, 12, 16}
        Grey levels of the stored image.
    inverted : bool
        Bone dark: a window inverted by mistake, blanked regions with it. The `Radiograph` is wrong on purpose.
    monochrome1 : bool
        `write(..., format="dicom")` stores MONOCHROME1 (low value bright); the Radiograph does not change.
    text : bool
        Text and a marker burned in.
    clipped_top : bool
        The field begins inside T12.
    clipped_bottom : bool
        The field ends inside L5, below the aortic corridor.
    field_bottom : None or float
        Where the field ends, vertebral depths below the lower end of the last lumbar vertebra: -0.6 is inside it, 2
        shows S1 and S2. None: where the scanner usually ends. Never above the aortic corridor's end.
    pelvis : float
        How much the sacrum and the iliac wings show, 0 hardly, 1 usual, 3 and more saturate: L5, which is seen
        through the wings, is then the white body at the bottom.
    crests : float
        How high the iliac crests reach above mid L5, vertebral depths: at 0 L5 is free, at 1 it is hidden and L4 half.
    sacrum : float
        How much S1 shows as a body of its own, 1 with the outlines of a vertebra, 0 lost in the mass of the pelvis, as
        densitometers mostly have it: the last body that can be told is then L5.
    posterior : float
        Mass of the arches, joints and processes, 1 plain, 3 white and as wide as half a body.
    cancellous : float
        Density of the bodies' inside against their cortex, 1 plain; at 0.2 they are little more than two endplates.
    residue : float
        Soft tissue that shows in dual energy, 1 is usual: the belly under the diaphragm's dome, heart, breast.
    saturation : float
        Dual energy: where the display's white begins, 1 where little of the patient is denser, 0.4 turns all dense
        bones white.
    arm : float
        Arm and shoulder over the front of the chest, 0 none to 1 strong.
    lines : None, "boxes" or "grid"
        Thin lines burned into the picture: boxes as reports draw them, or a calibration grid.
    seam : bool
        Two exposures stitched: a line across, a step in tone.
    spacing_unknown : bool
        The Radiograph carries no spacing; the truth does.
    """

    anterior: Side = "right"
    crop: str | None = None
    blanking: str | None = None
    fracture: tuple[tuple[str, FractureType, int], ...] = ()
    scoliosis: float = 0.0
    rotation: float = 0.0
    lstv: Transition = Transition.NONE
    collapsed_disc: tuple[str, ...] = ()
    osteophytes: float = 0.0
    aac: int = 0
    gas: float = 0.0
    stones: int = 0
    metal: str | None = None
    overlap: float = 1.0
    thickness: float = 1.0
    bone: float = 1.0
    noise: float = 1.0
    motion: float = 0.0
    tone: float = 0.0
    blur: float = 1.0
    jpeg: int | None = None
    bits: int = 8
    inverted: bool = False
    monochrome1: bool = False
    text: bool = False
    clipped_top: bool = False
    clipped_bottom: bool = False
    field_bottom: float | None = None
    pelvis: float = 1.0
    crests: float = 0.5
    sacrum: float = 1.0
    posterior: float = 1.0
    cancellous: float = 1.0
    residue: float = 1.0
    saturation: float = 1.0
    arm: float = 0.0
    lines: str | None = None
    seam: bool = False
    spacing_unknown: bool = False

    def to_dict(self) -> dict:
        data = dict(self.__dict__)
        data["lstv"] = self.lstv.value
        data["fracture"] = [list(item) for item in self.fracture]
        data["collapsed_disc"] = list(self.collapsed_disc)
        return data

    @classmethod
    def from_dict(cls, data: Mapping) -> Switches:
        kept = dict(data)
        kept["lstv"] = Transition(kept["lstv"])
        kept["fracture"] = tuple((level, kind, int(grade)) for level, kind, grade in kept["fracture"])
        kept["collapsed_disc"] = tuple(kept["collapsed_disc"])
        return cls(**kept)


_RANGES = {
    "scoliosis": (0, 30), "rotation": (0, 30), "osteophytes": (0, 1), "aac": (0, 24), "gas": (0, 1), "stones": (0, 12),
    "overlap": (0, 3), "thickness": (0.6, 1.6), "bone": (0.4, 1.8), "noise": (0, 6), "motion": (0, 5), "tone": (0, 1),
    "blur": (0.3, 3), "jpeg": (10, 100), "field_bottom": (-0.9, 4), "pelvis": (0, 6), "crests": (-1, 2),
    "sacrum": (0, 1), "posterior": (0.1, 5), "cancellous": (0.05, 2), "residue": (0, 12), "saturation": (0.2, 2),
    "arm": (0, 1),
}  # fmt: skip
_CHOICES = {
    "anterior": ("left", "right"), "crop": (None, "border", "black", "white"), "blanking": (None, "black", "white"),
    "metal": (None, "screws", "construct", "cage", "clips", "button"), "bits": (8, 12, 16),
    "lines": (None, "boxes", "grid"),
}  # fmt: skip
_WORDS = {"thickness": {"thin": 0.78, "thick": 1.3}}
#: What ``True`` means for a switch that has a strength.
_STRENGTH = {
    "scoliosis": 12.0, "rotation": 10.0, "osteophytes": 0.8, "gas": 0.8, "stones": 2, "motion": 1.5, "jpeg": 60,
    "metal": "screws", "collapsed_disc": "L4/L5", "crop": "border", "blanking": "black", "aac": 8,
    "arm": 0.7, "lines": "boxes",
}  # fmt: skip


def checked(name: str, value: object):
    """A forced value in the form that `Switches` keeps; ``True`` and ``False`` mean the usual strength and none.

    Raises
    ------
    OptionError
        The switch does not take that value.
    """
    plain = getattr(Switches(), name)
    if isinstance(value, bool) and not isinstance(plain, bool):
        if name not in _STRENGTH:
            raise OptionError(f"the phantom switch {name} takes a value, not {value}")
        value = _STRENGTH[name] if value else plain
    if isinstance(value, str):
        value = _WORDS.get(name, {}).get(value, value)
    if name in _CHOICES and value not in _CHOICES[name]:
        raise OptionError(f"the phantom switch {name} is {value!r}, but takes one of {_CHOICES[name]}")
    if name in _RANGES and value is not None:
        low, high = _RANGES[name]
        if not isinstance(value, (int, float, np.number)) or not low <= value <= high:
            raise OptionError(f"the phantom switch {name} is {value!r}, but takes {low} to {high}")
        return int(value) if name in ("aac", "stones", "jpeg") else float(value)
    if isinstance(plain, bool):
        return bool(value)
    if name == "lstv":
        return _transition(value)
    if name == "fracture":
        return _fractures(value)
    if name == "collapsed_disc":
        return _discs(value)
    return value


def _transition(value: object) -> Transition:
    known = [t.value for t in Transition if t is not Transition.UNKNOWN]
    if str(value) not in known:
        raise OptionError(f"the phantom switch lstv is {value!r}, but takes one of {', '.join(known)}")
    return Transition(str(value))


def _fractures(value) -> tuple[tuple[str, FractureType, int], ...]:
    listed = [value] if value and isinstance(value[0], str) else list(value or ())
    checked = {}
    for item in listed:
        level, kind, grade = str(item[0]), str(item[1]), int(item[2])
        if level not in FRACTURE_ODDS or kind not in FRACTURE_TYPES or grade not in (1, 2, 3):
            raise OptionError(
                f"the fracture {tuple(item)} is not known",
                remedy="Give (level T12 to L5, 'wedge', 'biconcave' or 'crush', grade 1 to 3)",
            )
        checked[level] = (level, kind, grade)
    return tuple(checked[level.value] for level in STANDARD_LEVELS if level.value in checked)


def _discs(value) -> tuple[str, ...]:
    listed = (value,) if isinstance(value, str) else tuple(value or ())
    unknown = [disc for disc in listed if disc not in DISCS]
    if unknown:
        raise OptionError(f"the collapsed_disc {unknown[0]!r} is not one of {', '.join(DISCS)}")
    return tuple(disc for disc in DISCS if disc in listed)
