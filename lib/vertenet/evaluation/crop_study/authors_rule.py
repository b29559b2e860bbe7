"""The crop rule of the VerteNet authors, faults included: a baseline to measure `vertenet.measure.detect_crop` against.

After the paper's supplementary section 1.2 and what is known of the published code. What it does, on purpose:

- only the right border of the image counts, so the front of the body is turned there first;
- a pixel is blanked if it is exactly zero, white regions and compressed black ones never are;
- zeros are counted in the three channels of the image as it was read, so a third of the number meant is enough;
- a point's y is cut off to a whole number;
- L4/L5 is left out of the mean guide length (as in ours);
- whatever goes wrong on the way leaves the answer at "not cropped". It never says that it does not know.

Nothing but the crop study uses it.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline

from ...measure.corridor import mean_guide_length
from ...measure.crop import CropState
from ...measure.guides import GUIDE_NAMES, intervertebral_guides
from ...radiograph import Radiograph
from ...spine import STANDARD_LEVELS, Spine

SAMPLES = 500
#: Zeros on the samples that a region crop takes more than.
MOST_ZEROS = 10
#: A grey image is read as colour, and a zero is counted in each channel: four samples on black pixels are twelve zeros.
CHANNELS = 3


def authors_crop(radiograph: Radiograph, spine: Spine, factor: float) -> CropState:
    """``cropped`` or ``clear`` by the authors' rule.

    Parameters
    ----------
    radiograph : Radiograph
    spine : Spine
        Source pixels. Every corner with a position counts, whatever its status: the authors' network always gives 24.
    factor : float
        Reach in mean guide lengths.
    """
    pixels = radiograph.pixels
    if spine.anterior == "left":
        pixels, spine = pixels[:, ::-1], spine.mirrored(radiograph.columns)
    # A corner with a NaN becomes a missing one, and its guide is not built.
    positioned = Spine.from_array(spine.to_array(STANDARD_LEVELS), anterior="right")
    guides = intervertebral_guides(positioned)
    if len(guides) < len(GUIDE_NAMES):
        return CropState.CLEAR
    reach = factor * mean_guide_length(guides.values())
    points = np.array([guide.at_x(guide.anterior[0] + reach) for guide in guides.values()])
    points[:, 1] = np.trunc(points[:, 1])
    try:
        edge = CubicSpline(points[:, 1], points[:, 0])
    except ValueError:  # the points are not in order from head to foot, or a guide stands upright
        return CropState.CLEAR
    y = np.linspace(points[0, 1], points[-1, 1], SAMPLES)
    x = edge(y)
    rows, columns = pixels.shape
    if (x > columns - 1).any():
        return CropState.CROPPED
    if (x < 0).any() or (y < 0).any() or (y > rows - 1).any():
        return CropState.CLEAR  # a pixel that does not exist was an exception
    zeros = np.rint(pixels[y.astype(int), x.astype(int)]) == 0
    return CropState.CROPPED if CHANNELS * zeros.sum() > MOST_ZEROS else CropState.CLEAR
