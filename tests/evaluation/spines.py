"""A plain spine of boxes, and readings of it, with answers that can be worked out by hand."""

import numpy as np

from vertenet.assess import assess
from vertenet.radiograph import Radiograph, Spacing, SpacingSource
from vertenet.reading import Levels
from vertenet.spine import STANDARD_LEVELS, Spine

#: Rows and columns: half the normalised frame both ways, so a source pixel is two of its pixels.
SHAPE = (512, 256)
PITCH, HEIGHT, DEPTH = 60.0, 40.0, 50.0
SPACING = Spacing(0.5, 0.5, SpacingSource.PHANTOM)


def boxes(top=50.0, levels=STANDARD_LEVELS):
    """Vertebrae 40 px high and 50 px deep, every 60 px, facing right; SA, SP, IA, IP."""
    xy = [
        [[150, y], [150 - DEPTH, y], [150, y + HEIGHT], [150 - DEPTH, y + HEIGHT]]
        for y in (top + PITCH * i for i in range(len(levels)))
    ]
    return Spine.from_array(np.array(xy), levels)


def moved(spine, dx, dy):
    return spine.map_points(lambda points: points + np.array([dx, dy]))


def reading_of(spine, *, certain=True, margin=8.0, spacing=SPACING, **options):
    image = Radiograph(np.zeros(SHAPE, np.float32), spacing, spine.anterior)
    return assess(image, spine, levels=Levels(certain, margin), latency_s=0.5, **options)
