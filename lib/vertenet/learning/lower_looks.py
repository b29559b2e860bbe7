"""The lower part of a training image, as `vertenet.inference.views` looks at it to name vertebrae.

Levels are counted from below. A network that sees whole fields alone learns what the thorax of the training images
looks like, and names the lumbar vertebrae of other images by that.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..inference.level_statistics import superior_lengths
from ..inference.views import PROPORTION, Window
from ..radiograph import Radiograph
from ..spine import Level, Spine

#: Bodies that a window is made about.
FEWEST, MOST = 4, 9


def lower_look(
    radiograph: Radiograph, spine: Spine, anatomy: Spine, generator: np.random.Generator
) -> tuple[Radiograph, Spine, Spine]:
    """A random window about the lowest four to nine bodies in the field, with the landmarks in its pixels.

    The window faces right; where the image shows fewer than four bodies, it comes back as it is. ``anatomy`` holds
    every known body of the image, ``spine`` T12 to L5, both in source pixels; one object for both stays one.
    """
    alone = anatomy is spine
    if spine.anterior == "left":
        radiograph = radiograph.mirrored()
        spine, anatomy = (s.mirrored(radiograph.columns) for s in (spine, anatomy))
    whole = [vertebra for vertebra in anatomy if np.isfinite(vertebra.to_array()).all()]
    corners = np.array([vertebra.to_array() for vertebra in whole]).reshape(-1, 4, 2)
    centres = corners.mean(axis=1)
    rows, columns = radiograph.pixels.shape
    shown = (centres >= 0).all(axis=1) & (centres < [columns, rows]).all(axis=1)
    # Whether S1 is found as a body of its own depends on the image, and some fields end above L5: the lowest body that
    # is seen is not always the same.
    draw = generator.random()
    beyond = {Level.S1, Level.L5, Level.L6} if draw < 0.2 else {Level.S1} if draw < 0.6 else set()
    shown &= [vertebra.level not in beyond for vertebra in whole]
    order = np.argsort(centres[shown, 1])
    if len(order) < FEWEST:
        return radiograph, spine, spine if alone else anatomy
    chosen = order[-int(generator.integers(FEWEST, MOST + 1)) :]
    centres, depth = centres[shown][chosen], float(np.median(superior_lengths(corners[shown][chosen])))
    above, below, around, aside = generator.uniform((0.3, 0.3, 1.8, 0.0), (1.3, 2.2, 3.2, 0.6)) * depth
    if Level.L5 in beyond:
        below = min(below, generator.uniform(0.3, 1.0) * depth)
    (left, first), (right, last) = centres.min(axis=0), centres.max(axis=0)
    top, bottom = max(first - above, 0.0), min(last + below, float(rows))
    width = max((bottom - top) * PROPORTION * generator.uniform(0.85, 1.4), right - left + around)
    start = max((left + right - width) / 2 + aside, 0.0)
    window = Window(int(top), int(bottom), int(start), int(min(start + width, columns)))
    back = np.array([window.left, window.top], float)
    cut = replace(radiograph, pixels=window.cut(radiograph.pixels))
    spine, anatomy = (s.map_points(lambda xy: xy - back) for s in (spine, anatomy))
    return cut, spine, spine if alone else anatomy
