"""How long one step of a drag takes in the Slicer module: from the mouse event to every overlay computed and drawn.

Real MRML (slicer-core), the view off the screen; in the application a graphics card draws instead of the processor, so
the figure without rendering is what the module itself costs. Guides, AAC bands, corridor, crop and names are all shown.

    PYTHONPATH=slicer_module/VerteNet python -m benchmarks.slicer_overlays [--steps 300] [image ...]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from tests.slicer_module.mrml_scene import MrmlScene

from vertenet.spine import Spine

REPOSITORY = Path(__file__).resolve().parents[1]
#: 30 updates a second.
BUDGET_MS = 33.0
DEFAULT = ("02-clean-4500a-dicom.dcm", "06-cropped-white.png", "07-cropped-border.png")
DRAGGED = "L2-IA"


def drag_steps(path: Path, steps: int, *, render: bool) -> np.ndarray:
    """(steps, 2) milliseconds, by the clock and of the processor, of each mouse move of a drag around the corner."""
    spine = Spine.from_dict(json.loads(path.with_suffix(".truth.json").read_text(encoding="utf-8"))["spine"])
    took = []
    with MrmlScene() as world:
        stage = world.stage()
        stage.load(path, path.stem)
        stage.landmarks.show(spine)
        world.render()
        x, y = world.to_display(stage.landmarks.position(DRAGGED))
        updates = []
        stage.overlays.subscribe(lambda: updates.append(1))
        world.press(x, y)
        updates.clear()
        for step in range(1, steps + 1):
            to = x + round(9 * np.sin(step)), y + round(9 * np.cos(step / 2.3))
            start, cpu = time.perf_counter(), time.process_time()
            world.move(*to)
            if render:
                world.render()
            took.append((1000 * (time.perf_counter() - start), 1000 * (time.process_time() - cpu)))
        world.release(x, y)
        stage.close()
    if len(updates) < 0.8 * steps:
        raise SystemExit(f"only {len(updates)} of {steps} steps updated the overlays: nothing was measured")
    return np.array(took)


def bare_rendering(path: Path, times: int = 20) -> float:
    """Median milliseconds of the processor for drawing the image with nothing over it."""
    with MrmlScene() as world:
        stage = world.stage()
        stage.load(path, path.stem)
        world.render()
        took = []
        for _ in range(times):
            cpu = time.process_time()
            world.render()
            took.append(1000 * (time.process_time() - cpu))
        stage.close()
    return float(np.median(took))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("images", nargs="*", type=Path)
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args()
    images = options.images or [REPOSITORY / "sample_data" / name for name in DEFAULT]
    print(f"{'image':24} {'rendering':>9} {'median ms':>9} {'p95 ms':>8} {'of 33 ms':>8} {'CPU ms':>8} {'of 33 ms':>8}")
    for path in images:
        for render in (False, True):
            took = drag_steps(path, options.steps, render=render)
            (median, cpu), (slow, _) = np.percentile(took, (50, 95), axis=0)
            measured = f"{median:9.1f} {slow:8.1f} {median / BUDGET_MS:8.0%} {cpu:8.1f} {cpu / BUDGET_MS:8.0%}"
            print(f"{path.stem:24} {'with' if render else 'without':>9} {measured}")
    print(f"Drawing an image with nothing over it takes {bare_rendering(images[0]):.1f} ms of this processor already.")
    print("CPU: what a step takes of one core (median), whatever else the machine is doing.")


if __name__ == "__main__":
    main()
