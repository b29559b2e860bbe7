"""A cohort: seconds to list 100,000 names, and how much faster two workers are than one.

    python benchmarks/cohort_speed.py --images 40            # processes
    python benchmarks/cohort_speed.py --images 40 --ray      # Ray, started here

Both runs read the same phantoms one after the other; the figure to keep is their ratio, of reading alone: the time
until the first image, in which workers load their model, is not counted. Peak memory is the writer's.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

from vertenet.cohort import ReadingOptions, Steps, Workers, find_items, read_cohort
from vertenet.cohort.names import result_places
from vertenet.models import find_weights
from vertenet.phantom import generate, write


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--names", type=int, default=100_000)
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--ray", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _list(home / "names", arguments.names)
        if arguments.images:
            _read(home, arguments.images, "local" if arguments.ray else None)


def _list(folder: Path, names: int) -> None:
    for number in range(names):
        path = folder / f"site{number % 40}" / f"1.2.840.113619.2.55.{number // 40}"
        if number < 40:
            path.parent.mkdir(parents=True)
        path.touch()
    began, worked = time.perf_counter(), time.process_time()
    items = find_items([str(folder)]).items
    places = result_places(items, within="readings")
    took, cpu = time.perf_counter() - began, time.process_time() - worked
    print(f"{len(set(places))} names listed in {took:.2f} s, {cpu:.2f} s of them CPU time")


def _read(home: Path, images: int, ray: str | None) -> None:
    for number in range(images):
        write(generate(700 + number), home / "in", format="dicom", name=f"1.2.840.{number}")
    options = ReadingOptions(str(find_weights("vertenet-lite")), overlays="flagged", key=b"a key of the benchmark")
    rates = {}
    for count in (1, 2):
        moments: list[float] = []
        steps = Steps(read=lambda outcome, moments=moments: moments.append(time.perf_counter()))
        began = time.perf_counter()
        read_cohort([str(home / "in")], home / f"out{count}", options, workers=Workers(count, ray), steps=steps)
        rates[count] = (len(moments) - count) / (moments[-1] - moments[count - 1])
        print(f"{count} workers: {rates[count]:.2f} images/s, {time.perf_counter() - began:.1f} s in all")
    print(f"two workers over one: {rates[2] / rates[1]:.2f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"peak memory of the writer: {peak / (1024 if sys.platform != 'darwin' else 1 << 20):.0f} MiB")


if __name__ == "__main__":
    main()
