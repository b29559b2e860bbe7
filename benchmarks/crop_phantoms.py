"""How well `vertenet.measure.detect_crop` finds a cropped aorta on phantoms, from their true landmarks.

The truth comes from the phantom's geometry (exact clipping of the true corridor), not from the detector. An abstention
("could not be assessed") counts against the detector: as a miss where the aorta is cropped, as a false alarm where it
is not. Prints confusion counts with Wilson 95 % intervals, by scanner profile and by colour of the blanked regions, and
how far the lost fraction is off.

    python benchmarks/crop_phantoms.py --count 400 --seed 0
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from scipy.stats import binomtest

from vertenet.measure import DEFAULT_FACTOR, CropState, detect_crop
from vertenet.phantom import generate, scanners

#: What is asked of the phantom: as drawn (clear, or cropped by border or blanking), then for either colour a blanked
#: region that crops the aorta and one that leaves it whole.
TURNS = (
    {},
    {"crop": "black"},
    {"crop": None, "blanking": "black"},
    {},
    {"crop": "white"},
    {"crop": None, "blanking": "white"},
)


@dataclass(frozen=True)
class Case:
    """One phantom: what is true and what was found."""

    scanner: str
    seed: int
    colour: str
    cropped: bool
    causes: tuple[str, ...]
    fraction: float
    state: CropState
    found_causes: tuple[str, ...]
    found_fraction: float | None
    reason: str

    @property
    def is_right(self) -> bool:
        return self.state is (CropState.CROPPED if self.cropped else CropState.CLEAR)


def study(count: int, seed: int, difficulty: str, factor: float) -> list[Case]:
    """``count`` phantoms over all profiles in turn, each in `TURNS` in turn."""
    names = list(scanners())
    cases = []
    for i in range(count):
        scanner, turn = names[i % len(names)], i // len(names)
        forced = TURNS[turn % len(TURNS)]
        radiograph, truth = generate(seed + i, scanner=scanner, difficulty=difficulty, **forced)
        found = detect_crop(radiograph, truth.spine, factor)
        cases.append(
            Case(
                scanner,
                seed + i,
                truth.crop.colour or "none",
                truth.crop.cropped,
                truth.crop.causes,
                truth.crop.fraction,
                found.state,
                found.causes,
                found.fraction,
                found.reason,
            )
        )
    return cases


def _share(hits: int, n: int) -> str:
    if not n:
        return "  0/0      -              "
    interval = binomtest(hits, n).proportion_ci(method="wilson")
    return f"{hits:3d}/{n:<3d} {hits / n:6.3f} ({interval.low:.3f}-{interval.high:.3f})"


def print_table(cases: Iterable[Case], title: str, key: Callable[[Case], str]) -> None:
    cases = list(cases)
    print(f"\n{title:20s} {'sensitivity':28s} {'specificity':28s} abstained")
    for name in [*sorted({key(case) for case in cases}), "all"]:
        group = [case for case in cases if name in (key(case), "all")]
        cropped, clear = ([case for case in group if case.cropped is value] for value in (True, False))
        abstained = sum(case.state is CropState.NOT_ASSESSED for case in group)
        counts = (_share(sum(case.is_right for case in part), len(part)) for part in (cropped, clear))
        print(f"{name:20s} {'  '.join(counts)}  {abstained}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--difficulty", default="default")
    parser.add_argument("--factor", type=float, default=DEFAULT_FACTOR)
    options = parser.parse_args()
    cases = study(options.count, options.seed, options.difficulty, options.factor)
    print_table(cases, "scanner", lambda case: case.scanner)
    print_table(cases, "blanked regions", lambda case: case.colour)
    print_table(cases, "true cause", lambda case: "+".join(case.causes) or "none")
    errors = sorted(abs(c.found_fraction - c.fraction) for c in cases if c.cropped and c.found_fraction is not None)
    if errors:
        print(f"\nlost fraction of {len(errors)} cropped: median error {errors[len(errors) // 2]:.3f}, 95 % below "
              f"{errors[int(0.95 * len(errors))]:.3f}")  # fmt: skip
    for case in cases:
        if not case.is_right:
            print(f"wrong: {case.scanner} seed {case.seed}, blanked {case.colour}: {case.causes} {case.fraction:.4f}, "
                  f"but found {case.state} {case.found_causes} {case.reason}")  # fmt: skip


if __name__ == "__main__":
    main()
