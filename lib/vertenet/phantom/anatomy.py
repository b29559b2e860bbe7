"""The column: vertebral bodies in the sagittal plane, millimetres, sampled from published shape statistics.

Frame: X forward (anterior), Y down, origin at the centre of L3. Lengths of the lumbar table are in units of L3 depth
(1,755 lateral lumbar radiographs); thoracic levels continue it smoothly to T12 = 31 x 26.5 mm and smaller above.
"""

from __future__ import annotations

import numpy as np

from ..spine import Transition
from .body import Body, Column, Deformity, towards_feet, unit_vector
from .streams import stream
from .switches import Switches

#: name: depth, SD, anterior height, SD, posterior/anterior height, SD, mean gap below, SD, mid-plane tilt (deg, up +)
_SHAPE = {
    "C4": (0.46, 0.03, 0.38, 0.05, 1.02, 0.03, 0.14, 0.02, -4.0),
    "C5": (0.46, 0.03, 0.37, 0.05, 1.02, 0.03, 0.14, 0.02, -12.0),
    "C6": (0.48, 0.03, 0.37, 0.05, 1.02, 0.03, 0.13, 0.02, -20.0),
    "C7": (0.50, 0.03, 0.39, 0.05, 1.04, 0.03, 0.12, 0.02, -28.0),
    "T1": (0.54, 0.04, 0.42, 0.05, 1.05, 0.03, 0.10, 0.02, -32.0),
    "T2": (0.55, 0.04, 0.45, 0.05, 1.05, 0.03, 0.10, 0.02, -29.0),
    "T3": (0.57, 0.04, 0.47, 0.05, 1.05, 0.03, 0.10, 0.02, -25.0),
    "T4": (0.60, 0.04, 0.49, 0.06, 1.05, 0.03, 0.10, 0.02, -20.0),
    "T5": (0.63, 0.04, 0.51, 0.06, 1.06, 0.03, 0.10, 0.02, -15.0),
    "T6": (0.67, 0.04, 0.52, 0.06, 1.06, 0.03, 0.11, 0.02, -10.0),
    "T7": (0.71, 0.04, 0.53, 0.07, 1.07, 0.03, 0.11, 0.02, -5.0),
    "T8": (0.75, 0.04, 0.54, 0.07, 1.07, 0.03, 0.11, 0.02, 0.0),
    "T9": (0.78, 0.04, 0.56, 0.07, 1.07, 0.04, 0.12, 0.02, 4.5),
    "T10": (0.82, 0.04, 0.58, 0.08, 1.07, 0.04, 0.13, 0.03, 8.0),
    "T11": (0.86, 0.04, 0.60, 0.09, 1.08, 0.05, 0.15, 0.03, 10.5),
    "T12": (0.90, 0.05, 0.63, 0.10, 1.09, 0.06, 0.19, 0.03, 11.5),
    "L1": (0.95, 0.05, 0.66, 0.10, 1.11, 0.08, 0.22, 0.04, 10.7),
    "L2": (0.98, 0.04, 0.71, 0.09, 1.10, 0.08, 0.245, 0.045, 9.3),
    "L3": (1.00, 0.00, 0.72, 0.09, 1.08, 0.08, 0.265, 0.05, 3.5),
    "L4": (1.00, 0.04, 0.71, 0.09, 1.00, 0.08, 0.305, 0.06, -6.3),
    "L5": (0.99, 0.05, 0.72, 0.10, 0.90, 0.08, 0.30, 0.07, -19.8),
    "L6": (0.97, 0.05, 0.70, 0.09, 0.90, 0.08, 0.26, 0.07, -28.0),
    "S1": (0.94, 0.05, 0.74, 0.08, 0.86, 0.06, 0.08, 0.02, -40.0),
}
#: Recumbent spines are flatter than the (mostly standing) films of the table: share of the mean tilt that is kept.
RECUMBENT = 0.9
#: L3 depth, mm: lumbar depths of 34 to 37 mm.
L3_DEPTH_MM = (35.3, 2.0)
#: Limits of posterior / anterior height without a fracture, so that normal wedging never reaches Genant grade 1.
RATIO_LIMITS = (0.84, 1.19)
#: Height loss drawn for each Genant grade; kept off the grade boundaries of 20, 25 and 40 %.
GRADE_LOSS = {1: (0.208, 0.243), 2: (0.27, 0.385), 3: (0.42, 0.52)}


def level_names(transition: Transition) -> tuple[str, ...]:
    """Names of the bodies from C4 to S1 for a lumbosacral transition."""
    names = [name for name in _SHAPE if name != "L6"]
    if transition is Transition.SACRALISED_L5:
        names.remove("L5")
    elif transition is Transition.LUMBARISED_S1:
        names.insert(names.index("S1"), "L6")
    return tuple(names)


def sample_column(seed: int, switches: Switches, upright: bool = False) -> Column:
    """Draw one patient's column; its shape depends on ``seed`` and posture, its findings on the switches."""
    rng = stream(seed, "anatomy")
    names = list(_SHAPE)
    shape = np.array([_SHAPE[name] for name in names])
    unit = float(np.clip(rng.normal(*L3_DEPTH_MM), 30.0, 41.0))
    depth = unit * (shape[:, 0] + shape[:, 1] * _correlated(rng, len(names), 0.5))
    front = unit * (shape[:, 2] + shape[:, 3] * np.clip(_correlated(rng, len(names), 0.85), -2, 2))
    ratio = np.clip(shape[:, 4] + shape[:, 5] * _correlated(rng, len(names), 0.4), *RATIO_LIMITS)
    gap = unit * np.clip(shape[:, 6] + shape[:, 7] * _correlated(rng, len(names), 0.4), 0.06, None)
    tilt = (1.0 if upright else RECUMBENT) * shape[:, 8] + _smooth_tilt(rng, names)
    sag = rng.uniform(0.025, 0.075, (len(names), 2)) * front[:, None]
    waist = rng.uniform(0.02, 0.06, (len(names), 2)) * depth[:, None]
    width = rng.normal(0.66, 0.03, len(names)) * depth
    slip = rng.normal(0.0, 0.012, len(names)) * unit
    coronal, axial = _curves(rng, names, switches)
    fracture_rng = stream(seed, "fracture")
    disc_rng = stream(seed, "collapsed disc")

    fractured = {level: (kind, grade) for level, kind, grade in switches.fracture}
    kept = level_names(switches.lstv)
    local: dict[str, Body] = {}
    deformities: dict[str, Deformity] = {}
    for i, name in enumerate(names):
        plain = _upright(
            name, depth[i], front[i], front[i] * ratio[i], sag[i], waist[i], width[i], coronal[i], axial[i]
        )
        local[name] = plain
        if name in fractured and name in kept:
            local[name], deformities[name] = _fractured(plain, *fractured[name], fracture_rng)
    turn = np.radians(tilt)
    for level, deformity in deformities.items():
        # A wedged body tips everything above it forward; discs take up part of it.
        wedge = np.arctan2(deformity.reference_mm[0] - deformity.heights_mm[0], local[level].depth)
        wedge -= np.arctan2(deformity.reference_mm[2] - deformity.heights_mm[2], local[level].depth)
        above = names.index(level)
        turn[: above + 1] -= 0.55 * wedge
        turn[above + 1 :] += 0.10 * wedge
    collapsed = tuple(disc for disc in switches.collapsed_disc if set(disc.split("/")) <= set(kept))
    for disc in collapsed:
        upper, lower = (names.index(name) for name in disc.split("/"))
        gap[upper] = unit * disc_rng.uniform(0.05, 0.09)
        # A disc that has lost its height has lost most of its wedge too: what is above it tips forward.
        wedge = turn[upper] - turn[lower] + _rise(local[names[upper]].ia - local[names[upper]].ip)
        wedge -= _rise(local[names[lower]].sa - local[names[lower]].sp)
        turn[: upper + 1] -= 0.75 * wedge

    placed = [_placed(local["L3"], np.zeros(2), turn[names.index("L3")])]
    order = list(kept)
    middle = order.index("L3")
    for name in order[middle + 1 :]:
        above = placed[-1]
        i = names.index(above.name)
        placed.append(_stacked(local[name], turn[names.index(name)], above, gap[i], slip[i], downward=True))
    for name in reversed(order[:middle]):
        below = placed[0]
        i = names.index(name)
        placed.insert(0, _stacked(local[name], turn[i], below, gap[i], slip[i], downward=False))
    return Column(tuple(placed), unit, deformities, collapsed)


def _correlated(rng: np.random.Generator, n: int, share: float) -> np.ndarray:
    """(n,) standard normal values whose pairs correlate by ``share``."""
    return np.sqrt(share) * rng.standard_normal() + np.sqrt(1 - share) * rng.standard_normal(n)


def _smooth_tilt(rng: np.random.Generator, names: list[str]) -> np.ndarray:
    """(n,) degrees: a smooth random departure from the mean posture.

    Neighbours move together and L1 and L5 hardly do, which gives each level its SD of 8 to 10 and L1-L5 lordosis its
    SD of 13 degrees, both at once.
    """
    place = np.arange(len(names)) - names.index("L3")
    wave = rng.standard_normal(2)
    spread = np.where(place < -3, 6.5, np.where(place > 1, 9.3, 8.2))
    phase = np.clip(place, -8, None) * 0.39
    smooth = wave[0] * np.cos(phase) + wave[1] * np.sin(phase)
    return spread * (0.96 * np.clip(smooth, -2.2, 2.2)) + 1.6 * rng.standard_normal(len(names))


def _curves(rng: np.random.Generator, names: list[str], switches: Switches) -> tuple[np.ndarray, np.ndarray]:
    """Coronal tilt and axial rotation of each body, degrees: one smooth curve over the column."""
    place = np.arange(len(names), dtype=float)
    apex = rng.uniform(names.index("T10"), names.index("L4"))
    length = rng.uniform(5.0, 8.0)
    sign = rng.choice([-1.0, 1.0])
    fade = np.exp(-(((place - apex) / (1.3 * length)) ** 2))
    coronal = sign * fade * np.sin(np.pi * (place - apex) / length)
    axial = sign * fade * np.cos(np.pi * (place - apex) / (1.4 * length))
    small = rng.normal(0.0, 1.2, (2, len(names)))
    coronal *= switches.scoliosis / max(np.abs(coronal).max(), 1e-6)
    return coronal + small[0], axial * (switches.rotation + 0.4 * switches.scoliosis) + small[1]


def _upright(name, depth, front, back, sag, waist, width, coronal, axial) -> Body:
    """A body centred on the origin with a level mid-plane."""
    half = depth / 2
    taper = 0.78 if name == "S1" else 1.0
    return Body(
        name,
        np.array([half, -front / 2]),
        np.array([-half, -back / 2]),
        np.array([half * taper, front / 2]),
        np.array([-half * taper, back / 2]),
        float(sag[0]),
        float(sag[1]) * (0.2 if name == "S1" else 1.0),
        float(waist[0]),
        float(waist[1]),
        float(width * (1.25 if name == "S1" else 1.0)),
        float(coronal),
        float(axial),
    )


def _fractured(body: Body, kind: str, grade: int, rng: np.random.Generator) -> tuple[Body, Deformity]:
    """Press a body to the drawn grade; every height is then known exactly."""
    loss = float(rng.uniform(*GRADE_LOSS[grade]))
    share = float(rng.uniform(0.6, 0.95))  # how much of the loss the superior endplate takes
    before = body.heights
    sa, sp, ia, ip = (corner.copy() for corner in body.corners)
    if kind in ("wedge", "crush"):
        sa, ia = _pressed(sa, ia, loss, share)
    if kind == "crush":
        sp, ip = _pressed(sp, ip, loss, share)
    front_loss = {"wedge": loss, "crush": loss, "biconcave": 0.0}[kind]
    middle_loss = {"wedge": loss * 0.6, "crush": loss, "biconcave": loss}[kind]
    mean_height = (np.linalg.norm(ia - sa) + np.linalg.norm(ip - sp)) / 2
    wanted = before[1] * (1 - middle_loss)
    # The sag of both endplates is what is left of the mean height; upright geometry makes this exact to first order,
    # and the heights stored below are those of the final body.
    sag = max(mean_height - wanted, 0.4)
    bulge = 1.0 + 0.05 * front_loss
    pressed = Body(
        body.name, sa * [bulge, 1.0], sp, ia * [bulge, 1.0], ip, sag * share, sag * (1 - share),
        body.waist_anterior, body.waist_posterior, body.half_width, body.coronal, body.axial, loss,
    )  # fmt: skip
    after = pressed.heights
    lost = max(1 - b / a for a, b in zip(before, after))
    return pressed, Deformity(kind, grade, lost, after, before)


def _pressed(top: np.ndarray, bottom: np.ndarray, loss: float, share: float) -> tuple[np.ndarray, np.ndarray]:
    span = bottom - top
    return top + span * loss * share, bottom - span * loss * (1 - share)


def _rise(forward: np.ndarray) -> float:
    """Angle of a line towards the front, radians, positive when it rises."""
    return float(np.arctan2(-forward[1], forward[0]))


def _placed(body: Body, centre: np.ndarray, turn: float) -> Body:
    """Turn an upright body about its middle (anterior end up for a positive angle, radians) and move it there."""
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.array([[cos, sin], [-sin, cos]])
    middle = body.centre
    moved = ((corner - middle) @ matrix.T + centre for corner in body.corners)
    rest = (getattr(body, name) for name in list(Body.__dataclass_fields__)[5:])
    return Body(body.name, *moved, *rest)


def _stacked(body: Body, turn: float, neighbour: Body, gap: float, slip: float, *, downward: bool) -> Body:
    """Place a body one disc below (or above) its neighbour; the disc never closes at either end."""
    loose = _placed(body, np.zeros(2), turn)
    upper, lower = (neighbour, loose) if downward else (loose, neighbour)
    top, bottom = upper.ia - upper.ip, lower.sa - lower.sp
    along = unit_vector(unit_vector(top) + unit_vector(bottom))
    wedge = np.arctan2(top[0] * bottom[1] - top[1] * bottom[0], top @ bottom)
    gap = max(gap, abs(np.sin(wedge / 2)) * (np.linalg.norm(top) + np.linalg.norm(bottom)) / 2 + 1.2)
    step = gap * towards_feet(along) + slip * along
    if downward:
        shift = (neighbour.ia + neighbour.ip) / 2 + step - (loose.sa + loose.sp) / 2
    else:
        shift = (neighbour.sa + neighbour.sp) / 2 - step - (loose.ia + loose.ip) / 2
    return _placed(body, shift, turn)
