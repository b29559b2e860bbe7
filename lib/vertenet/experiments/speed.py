"""How fast networks are read and taught here: the authors' way against every runtime, in one run.

The authors' way is one image at a time, in float32, every map computed whole, the six highest peaks. All ways are
measured in turn, round by round, so that what else the machine does meets them alike; and in processor seconds beside
seconds of the clock, for those count what a way costs even on a busy machine.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch

from ..errors import ModelError
from ..imaging import read
from ..imaging.frame import Frame
from ..inference import Predictor
from ..inference.decode import dense, find_candidates, top_six
from ..inference.runtimes import RUNTIMES, installed, open_runtime
from ..inference.runtimes.graphs import export_graph, find_graph
from ..models import find_weights
from ..networks import build, cost, load_weights

AUTHORS = "authors"
#: First seed of the phantoms that eight bits are fitted on: those of training.
CALIBRATION_PHANTOMS = 24
_START = """
import sys, time, resource
began = time.perf_counter()
from vertenet.imaging import read
from vertenet.inference import Predictor
Predictor(sys.argv[1], runtime=sys.argv[2])(read(sys.argv[3]), anterior="auto")
seconds = time.perf_counter() - began
try:  # ru_maxrss would be that of the process that started this one, where that was larger
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(seconds, int(peak) / 1024)
"""


@dataclass(frozen=True)
class Timing:
    """One way of doing one thing.

    Attributes
    ----------
    what : ``network``, ``reading`` or ``training``
    model, way : names
    batch : images at once
    p50, p95 : seconds an image, of the clock
    cpu : median processor seconds an image
    ratio : how often faster than the authors' way of the same model by the clock, median over rounds; ``spread`` is
        its quartiles
    cpu_ratio : the same in processor seconds
    """

    what: str
    model: str
    way: str
    batch: int
    p50: float
    p95: float
    cpu: float
    ratio: float | None = None
    spread: tuple[float, float] | None = None
    cpu_ratio: float | None = None

    @property
    def images_per_second(self) -> float:
        return 1 / self.p50


@dataclass
class Bench:
    """What was measured: timings, start-up (seconds and MiB by way), the machine's rates, ways that were left out."""

    timings: list[Timing] = field(default_factory=list)
    starts: dict[str, tuple[float, float]] = field(default_factory=dict)
    machine: dict[str, float | int | str] = field(default_factory=dict)
    floors: dict[str, float] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def to_dict(self) -> dict:
        rows = [{**asdict(row), "images_per_second": row.images_per_second} for row in self.timings]
        return {**asdict(self), "timings": rows}


def usable(names: Sequence[str] = (), device: str = "cpu") -> tuple[list[str], list[str]]:
    """Runtimes that can be measured on a device, and a sentence for each that cannot."""
    chosen, left = [], []
    for name in names or RUNTIMES:
        if not installed(name):
            left.append(f"{name} is not installed")
        elif device != "cpu" and not name.startswith("torch"):
            left.append(f"{name} runs on the CPU alone")
        elif device == "cpu" and name == "torch-float16":
            left.append("torch-float16 gains nothing on a CPU")
        elif name == "openvino-int8" and not _has("nncf"):
            left.append("openvino-int8 needs nncf")
        else:
            chosen.append(name)
    return chosen, left


def time_networks(
    bench: Bench,
    model: str,
    ways: Sequence[str],
    *,
    batches: Sequence[int],
    rounds: int,
    device: str = "cpu",
    threads: int | None = None,
) -> None:
    """Add what one network costs, from resized images to candidates."""
    network, sha256 = _network(model)
    network = network.to(device).requires_grad_(False)
    steps: dict[tuple[str, int], Callable[[], object]] = {}
    images = np.random.default_rng(0).random((max(batches), 1, *network.input_size), np.float32) - np.float32(0.5)
    steps[AUTHORS, 1] = lambda: _authors(network, images[:1], device)
    for way in ways:
        try:
            if way == "openvino-int8":
                _quantised(network, sha256)
            runtime = open_runtime(sha256, lambda: network, way, device=device, threads=threads)
        except ModelError as error:
            bench.left_out.append(error.sentence)
            continue
        for batch in batches:
            steps[way, batch] = lambda runtime=runtime, batch=batch: _decoded(runtime, images[:batch])
    bench.timings += _in_turn("network", model, steps, rounds)
    gmac = cost(model, input_size=network.input_size).gmac if model in _zoo() else None
    if gmac is not None:
        bench.floors[model] = gmac * 2 / float(bench.machine["float32_gflops"])


def time_readings(
    bench: Bench,
    model: str,
    ways: Sequence[str],
    paths: Sequence[Path],
    *,
    rounds: int,
    device: str = "cpu",
    threads: int | None = None,
) -> None:
    """Add what it takes from file to Reading, with refinement, calibration and every look at the image."""
    network, _ = _network(model)
    network = network.to(device).requires_grad_(False)
    steps: dict[tuple[str, int], Callable[[], object]] = {
        (AUTHORS, 1): lambda: [_authors_reading(network, path, device) for path in paths]
    }
    for way in ways:
        try:
            predictor = Predictor(model, runtime=way, device=device, threads=threads)
        except ModelError as error:
            bench.left_out.append(error.sentence)
            continue
        steps[way, 1] = lambda predictor=predictor: [predictor(read(path), anterior="auto") for path in paths]
    bench.timings += _in_turn("reading", model, steps, rounds, each=len(paths))


def time_starts(bench: Bench, model: str, ways: Sequence[str], path: Path) -> None:
    """Add seconds and MiB of a process that reads one image, graphs being there."""
    for way in ways:
        done = subprocess.run(
            [sys.executable, "-c", _START, model, way, str(path)], capture_output=True, text=True, timeout=600
        )
        if done.returncode == 0:
            seconds, memory = map(float, done.stdout.split())
            bench.starts[way] = (seconds, memory)
        else:
            bench.left_out.append(f"{way} did not start: {(done.stderr.splitlines() or ['?'])[-1]}")


def time_training(bench: Bench, model: str, *, batch: int, rounds: int, precision: str, device: str = "cpu") -> None:
    """Add a training step, as it is and with offsets computed everywhere, and the share of it that loading takes."""
    from ..learning.augmentation import Augmentation
    from ..learning.feed import AugmentedImages, Plan, make_loader
    from ..learning.learner import Learner
    from ..learning.objective import Objective
    from ..learning.recipe import Recipe
    from ..learning.samples import TRAINING_SEED, Samples, phantom_sample

    learner = Learner(Recipe(model, batch=batch, precision=precision), torch.device(device))
    size = learner.network.input_size
    samples = Samples.concatenate([phantom_sample(TRAINING_SEED + i, size, "default") for i in range(batch)])
    plan = Plan(batch, batch, range(rounds + 2), seed=1)
    batches = iter(make_loader(AugmentedImages(samples, Augmentation(), 1), plan, workers=0, pinned=False))
    given = next(batches)
    places = Objective.places

    def step(*, sparse: bool) -> None:
        Objective.places = places if sparse else (lambda self, part: ())
        try:
            learner.step(given, 0, 1e-5)
        finally:
            Objective.places = places

    steps = {
        (AUTHORS, batch): lambda: step(sparse=False),
        (precision, batch): lambda: step(sparse=True),
        ("loader", batch): lambda: next(batches),
    }
    bench.timings += _in_turn("training", model, steps, rounds, each=batch)


def measure_machine(device: str = "cpu") -> dict[str, float | int | str]:
    """Rates of a matrix product and of a copy, which bound every network, as torch reaches them here."""
    n = 1024 if device == "cpu" else 8192
    rates: dict[str, float | int | str] = {"device": device, "cores": os.cpu_count() or 1}
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        matrix = torch.rand(n, n, device=device).to(dtype)
        rates[f"{name}_gflops"] = 2 * n**3 / _best(lambda m=matrix: m @ m, device) / 1e9
    block = torch.zeros(64 << 20, dtype=torch.uint8, device=device)
    rates["copy_gb_per_s"] = 2 * block.numel() / _best(lambda: block.clone(), device) / 1e9
    return rates


def _in_turn(what: str, model: str, steps: dict, rounds: int, each: int | None = None) -> list[Timing]:
    clock: dict[tuple[str, int], list[float]] = {key: [] for key in steps}
    cpu: dict[tuple[str, int], list[float]] = {key: [] for key in steps}
    for number in range(rounds + 1):  # the first warms up
        for key, step in steps.items():
            began, used = time.perf_counter(), time.process_time()
            step()
            if number:
                count = key[1] if each is None else each
                clock[key].append((time.perf_counter() - began) / count)
                cpu[key].append((time.process_time() - used) / count)
    base = next(key for key in steps if key[0] == AUTHORS)
    rows = []
    for key in steps:
        ratios = np.divide(clock[base], clock[key])
        rows.append(
            Timing(
                what, model, key[0], key[1], float(np.median(clock[key])), float(np.quantile(clock[key], 0.95)),
                float(np.median(cpu[key])), float(np.median(ratios)),
                (float(np.quantile(ratios, 0.25)), float(np.quantile(ratios, 0.75))),
                float(np.median(cpu[base]) / max(np.median(cpu[key]), 1e-9)),
            )
        )  # fmt: skip
    return rows


@torch.inference_mode()
def _authors(network, grey: np.ndarray, device: str) -> object:
    found = network(torch.from_numpy(grey).to(device).expand(-1, 3, -1, -1))
    maps = {name: value[0].float().cpu().numpy() for name, value in found.items()}
    return top_six(maps, network.stride) if "hm" in maps else maps


def _authors_reading(network, path: Path, device: str) -> object:
    radiograph = read(path)
    grey = Frame(radiograph.pixels.shape, network.input_size).resample(radiograph.pixels) / 255 - 0.5
    return _authors(network, grey[None, None].astype(np.float32), device)


def _decoded(runtime, images: np.ndarray) -> list:
    found, layout = runtime(images), runtime.layout
    views = [{name: value[i] for name, value in found.items()} for i in range(len(images))]
    if layout.names_points:
        return views
    return [find_candidates(dense(view), layout.stride, layout.level_names) for view in views]


def _network(model: str):
    """The network of some weights, or of the zoo with fresh ones, the same every time; and its hash."""
    try:
        path = find_weights(model)
    except ModelError:
        if model not in _zoo():
            raise
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = build(model).eval()
        return network, hashlib.sha256(f"{model} of seed 0, torch {torch.__version__}".encode()).hexdigest()
    network, card = load_weights(path)
    return network, card.sha256


def _zoo() -> tuple[str, ...]:
    from ..networks import names

    return names()


def _quantised(network, sha256: str) -> None:
    """Make the eight-bit graph of a network where there is none yet."""
    from ..inference.runtimes.openvino_runtime import quantise, quantised_path
    from ..learning.samples import TRAINING_SEED, phantom_sample

    graph = find_graph(sha256) or export_graph(network, sha256)
    if not quantised_path(graph).is_file():
        drawn = (
            phantom_sample(TRAINING_SEED + i, network.input_size, "default").images for i in range(CALIBRATION_PHANTOMS)
        )
        quantise(graph, [image[:, None].astype(np.float32) / 255 - np.float32(0.5) for image in drawn])


def _best(step: Callable[[], object], device: str, repeats: int = 5) -> float:
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        step()
        if device != "cpu":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def _has(package: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(package) is not None
