"""Images a second that one core makes of each scanner profile, by CPU time.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/phantom_speed.py --count 8

The row "402 x 1104" holds the Hologic Horizon images of that matrix alone.
"""

from __future__ import annotations

import argparse
import time

from vertenet.phantom import generate, scanners


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=8)
    count = parser.parse_args().count
    typical: list[float] = []
    for scanner in sorted(scanners()):
        spent = []
        for seed in range(count):
            started = time.process_time()
            shape = generate(seed, scanner=scanner).radiograph.pixels.shape
            spent.append(time.process_time() - started)
            if scanner == "hologic-horizon" and shape == (1104, 402):
                typical.append(spent[-1])
        print(f"{scanner:20s} {count / sum(spent):6.1f} images/s")
    if typical:
        print(f"{'402 x 1104':20s} {len(typical) / sum(typical):6.1f} images/s ({len(typical)} images)")


if __name__ == "__main__":
    main()
