"""How often the grade that heights suggest is the one that a phantom's vertebra was pressed to, on its true points.

OMP_NUM_THREADS=1 python benchmarks/genant_on_phantoms.py --healthy 40 --fractured 10

A phantom's grade counts loss against the same vertebra before it broke; the suggestion knows only what is there now. So
this is what geometry can tell at best; a model's or a reader's points add their own error.
"""

from __future__ import annotations

import argparse
from collections import Counter
from itertools import product

from vertenet.measure import Deformity, VertebraMorphometry
from vertenet.measure.genant import grade_of
from vertenet.measure.morphometry import morphometry
from vertenet.phantom import generate
from vertenet.spine import STANDARD_LEVELS, Level

SCANNER = "ge-prodigy-de"
INNER = STANDARD_LEVELS[1:-1]


def measured(seed: int, fracture: tuple = ()) -> dict[Level, VertebraMorphometry]:
    drawn = generate(seed, scanner=SCANNER, difficulty="easy", fracture=fracture)
    return morphometry(drawn.truth.spine.select(STANDARD_LEVELS), drawn.radiograph.spacing)


def healthy(count: int) -> None:
    graded, ends = Counter(), Counter()
    for seed in range(count):
        found = measured(500 + seed)
        graded.update(m.genant.grade for m in found.values() if m.genant is not None)
        outer = [m for level, m in found.items() if level not in INNER and m.crush is not None]
        ends.update(grade_of(1 - m.crush) > 0 for m in outer)
    print(f"Healthy vertebrae, T12 to L5, by suggested grade: {dict(sorted(graded.items()))}")
    print(f"T12 and L5 that would look crushed against their one neighbour: {ends[True]} of {ends.total()}")


def fractured(count: int) -> None:
    print("Fractures of L1 to L4: suggested grade and type are the phantom's | grade is | any grade from 1 | of")
    for kind, grade in product(Deformity, (1, 2, 3)):
        right = Counter()
        for i in range(count):
            level = INNER[i % len(INNER)]
            genant = measured(1000 * grade + i, (level.value, kind.value, grade))[level].genant
            right["grade"] += genant.grade == grade
            right["both"] += genant.grade == grade and genant.deformity is kind
            right["found"] += genant.grade > 0
        print(f"  {kind} {grade}: {right['both']} | {right['grade']} | {right['found']} | {count}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--healthy", type=int, default=40, help="phantoms without a fracture")
    parser.add_argument("--fractured", type=int, default=10, help="phantoms of each type and grade")
    options = parser.parse_args()
    healthy(options.healthy)
    fractured(options.fractured)


if __name__ == "__main__":
    main()
