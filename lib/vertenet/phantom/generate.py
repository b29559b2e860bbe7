"""One phantom from a seed: draw the patient, lay him in the field, project, expose, and write down the truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import OptionError
from ..radiograph import Radiograph, Spacing, SpacingSource
from ..spine import CORNERS, MIDPOINTS, STANDARD_LEVELS, Corner, Level, Spine, Status, Vertebra
from .anatomy import sample_column
from .aorta import Aorta, project_aorta, sample_aorta, thirds_grade
from .arm import project_arm
from .body import Column
from .canvas import Canvas, Field
from .corridor import SEGMENTS, corridor_of
from .crop import CropTruth, crop_truth
from .degrade import burn_lines, burn_text, jpeg, quantised, stitched, sway, swayed
from .difficulty import difficulty_of
from .draw import draw_switches
from .exposure import expose
from .hips import project_hips
from .pelvis import draw_wings, project_pelvis
from .placement import place
from .profiles import scanner_profile
from .skeleton import project_skeleton
from .switches import Switches
from .tissue import project_foreign, project_tissue
from .truth import AacTruth, FractureTruth, Phantom, PhantomTruth


def generate(seed: int, scanner: str = "hologic-horizon", difficulty: str = "default", **switches) -> Phantom:
    """Make one synthetic lateral spine DXA with exact truth.

    Parameters
    ----------
    seed : int
        0 or more. The same arguments give the same bytes; on another kind of processor the rounding of exponentials
        may move single pixels by a grey level.
    scanner : str
        A name of `scanners` or `films`.
    difficulty : str
        A name of `difficulties`: "easy", "default", "hard", or "training" (domain randomisation).
    **switches
        Any field of `Switches`, to force it: ``generate(3, gas=1.0, crop="white", fracture=("L1", "wedge", 2))``.

    Returns
    -------
    Phantom
        ``radiograph, truth = generate(...)``.

    Raises
    ------
    OptionError
        Unknown scanner, difficulty or switch, or a value a switch does not take.

    Examples
    --------
    >>> radiograph, truth = generate(3, scanner="ge-prodigy-de", crop=None)
    >>> truth.crop.cropped
    False
    """
    if not 0 <= int(seed) < 2**63:
        raise OptionError(f"the phantom seed is {seed}, but must be a whole number from 0")
    profile, level = scanner_profile(scanner), difficulty_of(difficulty)
    drawn = draw_switches(seed, level, profile, switches)
    column = sample_column(seed, drawn, profile.upright)
    corridor = corridor_of(column)
    field, blanked = place(column, corridor, profile, level, drawn, seed)
    aorta = sample_aorta(column, corridor, drawn.aac, seed)
    colour = drawn.crop if drawn.crop in ("black", "white") else drawn.blanking
    if drawn.inverted and colour:
        colour = "black" if colour == "white" else "white"
    crop = crop_truth(corridor, field, blanked, colour)

    soft, bone = Canvas(field), Canvas(field)
    project_tissue(soft, column, seed, drawn)
    project_skeleton(bone, column, seed, drawn)
    project_pelvis(bone, column, seed, drawn, draw_wings(seed, drawn, profile.energy == "film"))
    project_arm(soft, bone, column, seed, drawn)
    if profile.reach is not None:
        project_hips(soft, bone, column, seed, drawn)
    project_aorta(soft, bone, aorta, seed)
    project_foreign(bone, column, seed, drawn)
    grey = expose(soft.mass, bone.mass, field, profile, drawn, seed)
    shift = sway(field, drawn.motion, seed)
    if drawn.motion:
        grey = swayed(grey, shift)
    if drawn.anterior == "left":
        grey = grey[:, ::-1]
        crop = _mirrored_crop(crop, field.columns)
    grey = _stored(grey, crop, drawn, seed)

    anatomy = _spine(column, field, shift, drawn, crop)
    spacing = Spacing(field.sy, field.sx, SpacingSource.PHANTOM)
    name = f"phantom-{scanner}-{seed}"
    metadata = {"Manufacturer": profile.manufacturer, "ManufacturerModelName": profile.model, "Modality": "DX"}
    radiograph = Radiograph(grey, None if drawn.spacing_unknown else spacing, drawn.anterior, name, metadata)
    truth = PhantomTruth(
        spine=anatomy.select(STANDARD_LEVELS),
        anatomy=anatomy,
        anterior=drawn.anterior,
        transition=drawn.lstv,
        fractures=_fractures(column),
        aac=_aac(aorta),
        crop=crop,
        spacing=spacing,
        rows=field.rows,
        columns=field.columns,
        scanner=scanner,
        difficulty=difficulty,
        switches=drawn,
        seed=int(seed),
    )
    return Phantom(radiograph, truth)


def _stored(grey: np.ndarray, crop: CropTruth, switches: Switches, seed: int) -> np.ndarray:
    """Text, inversion, blanking, then what storage does: grey levels and JPEG, which disturbs the blanked pixels."""
    if switches.seam:
        grey = stitched(grey, seed)
    if switches.lines:
        grey = burn_lines(grey, switches.lines, seed)
    if switches.text:
        grey = burn_text(grey, seed)
    if switches.inverted:
        grey = 255 - grey
    mask = crop.blanked_mask(*grey.shape)
    grey = np.where(mask, np.float32(255 if crop.colour == "white" else 0), grey)
    grey = quantised(grey, 8 if switches.jpeg else switches.bits)
    return jpeg(grey, switches.jpeg) if switches.jpeg else grey


def _mirrored_crop(crop: CropTruth, columns: int) -> CropTruth:
    corridor = crop.corridor * [-1, 1] + [columns - 1, 0]
    flipped = tuple((columns - 1 - r, t, columns - 1 - left, b) for left, t, r, b in crop.blanked)
    return replace(crop, corridor=corridor, blanked=flipped)


def _spine(column: Column, field: Field, shift: np.ndarray, switches: Switches, crop: CropTruth) -> Spine:
    """The named bodies in source pixels, each point with its status."""
    vertebrae = []
    for body in column.bodies:
        if body.name not in Level.__members__:  # the neck
            continue
        xy = field.to_pixels(body.points)
        xy[:, 0] += np.interp(xy[:, 1], np.arange(field.rows), shift)
        if switches.anterior == "left":
            xy[:, 0] = field.columns - 1 - xy[:, 0]
        points = {name: Corner(x, y, _status(x, y, field, crop)) for name, (x, y) in zip((*CORNERS, *MIDPOINTS), xy)}
        vertebrae.append(Vertebra(Level(body.name), points))
    return Spine(tuple(vertebrae), switches.anterior, switches.lstv)


def _status(x: float, y: float, field: Field, crop: CropTruth) -> Status:
    if not (-0.5 <= x <= field.columns - 0.5 and -0.5 <= y <= field.rows - 0.5):
        return Status.OUTSIDE
    hidden = any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in crop.blanked)
    return Status.UNEVALUABLE if hidden else Status.PRESENT


def _fractures(column: Column) -> dict[Level, FractureTruth]:
    return {Level(name): FractureTruth(**deformity.__dict__) for name, deformity in column.deformities.items()}


def _aac(aorta: Aorta) -> dict[Level, AacTruth]:
    shares = {name: (aorta.shares[name, "anterior"], aorta.shares[name, "posterior"]) for name in SEGMENTS}
    return {Level(n): AacTruth(thirds_grade(a), thirds_grade(p), a, p) for n, (a, p) in shares.items()}
