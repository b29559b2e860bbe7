"""How often the grade that heights suggest is the one that a phantom's vertebra was pressed to, on its true points.

OMP_NUM_THREADS=1 python benchmarks/genant_on_phantoms.py --healthy 40 --fractured 10

Once with losses counted from a box, as readings of before version 1.3 have them, and once with the norms in use
(VERTENET_NORMS names others).

A phantom's grade counts loss against the same vertebra before it broke; the suggestion knows only what is there now. So
this is what geometry can tell at best; a model's or a reader's points add their own error.
"""

from __future__ import annotations

import argparse
from collections import Counter
from functools import cache
from itertools import product

from vertenet.measure import Deformity, Norms, VertebraMorphometry
from vertenet.measure.genant import grade_of
from vertenet.measure.morphometry import morphometry
from vertenet.phantom import generate
from vertenet.radiograph import Spacing
from vertenet.spine import STANDARD_LEVELS, Level, Spine

SCANNER = "ge-prodigy-de"
INNER = STANDARD_LEVELS[1:-1]


BOXES = Norms("boxes", dict.fromkeys(Level, 1.0), dict.fromkeys(Level, 1.0))


@cache
def drawn(seed: int, fracture: tuple = ()) -> tuple[Spine, Spacing]:
    radiograph, truth = generate(seed, scanner=SCANNER, difficulty="easy", fracture=fracture)
    return truth.spine.select(STANDARD_LEVELS), radiograph.spacing


def measured(seed: int, norms: Norms | None, fracture: tuple = ()) -> dict[Level, VertebraMorphometry]:
    return morphometry(*drawn(seed, fracture), norms)


def healthy(count: int, norms: Norms | None) -> None:
    graded, ends = Counter(), Counter()
    for seed in range(count):
        found = measured(500 + seed, norms)
        graded.update(m.genant.grade for m in found.values() if m.genant is not None)
        outer = [m for level, m in found.items() if level not in INNER and m.crush is not None]
        ends.update(grade_of(1 - m.crush) > 0 for m in outer)
    print(f"Healthy vertebrae, T12 to L5, by suggested grade: {dict(sorted(graded.items()))}")
    print(f"T12 and L5 that would look crushed against their one neighbour: {ends[True]} of {ends.total()}")


def fractured(count: int, norms: Norms | None, first_seed: int) -> None:
    exact, missed = 0, 0
    print("Fractures of L1 to L4: suggested grade and type are the phantom's | grade is | any grade from 1 | of")
    for kind, grade in product(Deformity, (1, 2, 3)):
        right = Counter()
        for i in range(count):
            level = INNER[i % len(INNER)]
            genant = measured(first_seed + 1000 * grade + i, norms, (level.value, kind.value, grade))[level].genant
            right["grade"] += genant.grade == grade
            right["both"] += genant.grade == grade and genant.deformity is kind
            right["found"] += genant.grade > 0
        print(f"  {kind} {grade}: {right['both']} | {right['grade']} | {right['found']} | {count}")
        exact += right["grade"]
        missed += (count - right["found"]) * (grade == 1)
    print(f"  all: grade is right in {exact} of {9 * count}; grade 1 taken for grade 0 in {missed} of {3 * count}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--healthy", type=int, default=40, help="phantoms without a fracture")
    parser.add_argument("--fractured", type=int, default=10, help="phantoms of each type and grade")
    parser.add_argument("--first-seed", type=int, default=0, help="added to the seeds of the fractured phantoms")
    options = parser.parse_args()
    for title, norms in (("Counted from a box", BOXES), ("With the norms in use", None)):
        print(f"{title}:")
        healthy(options.healthy, norms)
        fractured(options.fractured, norms, options.first_seed)


if __name__ == "__main__":
    main()
