"""A made-up reader study for docs/agreement.md: two synthetic readers, 60 images, without and with guides.

Nobody has read anything: the scores are drawn from the planner's model, with more agreement under "with" because the
model was told so. Run from anywhere: ``python docs/pictures/example_readings.py readings.csv``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from vertenet.evaluation.agreement.ordinal_model import ASSUMED_SHARES, OrdinalModel
from vertenet.evaluation.agreement.readings import SEGMENTS
from vertenet.files import write_text

IMAGES, READERS = 60, ("reader A", "reader B")
#: Latent correlation of the readers, and of neighbouring segments of one aorta.
AGREEMENT = {"without": 0.80, "with": 0.92}
ALIKE = 0.6
#: Share of segments that could not be read.
UNREADABLE = 0.02


def example_readings(seed: int = 4) -> str:
    """The CSV, long form."""
    rng = np.random.default_rng(seed)
    aorta = rng.standard_normal(IMAGES)
    traits = {s: np.sqrt(ALIKE) * aorta + np.sqrt(1 - ALIKE) * rng.standard_normal(IMAGES) for s in SEGMENTS}
    hidden = rng.random((IMAGES, len(SEGMENTS))) < UNREADABLE
    lines = ["image,reader,condition,region,score"]
    for condition, rho in AGREEMENT.items():
        model = OrdinalModel(ASSUMED_SHARES, rho)
        for j, segment in enumerate(SEGMENTS):
            scores = model.draw(traits[segment], rng.standard_normal((len(READERS), IMAGES)))
            for reader, row in zip(READERS, scores):
                for i, score in enumerate(row):
                    lines.append(f"synthetic-{i:02d},{reader},{condition},{segment},{'' if hidden[i, j] else score}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    write_text(Path(sys.argv[1]), example_readings())
