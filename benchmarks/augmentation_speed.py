"""Milliseconds that one core spends on changing a 512 x 256 training image, by CPU time, and next to a training step.

OMP_NUM_THREADS=1 python benchmarks/augmentation_speed.py --count 200
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from vertenet.learning import make_sample
from vertenet.learning.augmentation import Augmentation, augment_sample
from vertenet.networks import build
from vertenet.phantom import generate

SIZE = (512, 256)
STILL = Augmentation.none()
_USUAL = Augmentation()


def only(*names: str) -> Augmentation:
    """The usual ranges of some changes, probabilities raised to one; the rest still."""
    certain = ("end_crop", "anterior_crop", "expansion", "blur", "blank", "gas", "metal", "text", "invert")
    chosen = {name: 1.0 if name in certain else getattr(_USUAL, name) for name in names}
    return Augmentation(**{**vars(STILL), **chosen})


KINDS = {
    "as trained": _USUAL,
    "geometry": only("rotation", "scale", "aspect", "shift", "end_crop", "anterior_crop", "expansion"),
    "grey values": only("gamma", "contrast", "brightness", "noise", "blur"),
    "gas": only("gas"),
    "metal": only("metal"),
    "blanked steps": only("blank"),
    "text": only("text"),
}


def milliseconds(action: Callable[[], object], count: int) -> np.ndarray:
    """(count,) CPU milliseconds a call, after one that nobody counts."""
    action()
    spent = []
    for _ in range(count):
        started = time.process_time()
        action()
        spent.append(1000 * (time.process_time() - started))
    return np.array(spent)


def training_step(network: str, images: torch.Tensor) -> Callable[[], None]:
    """Forward and backward of ``images``; losses and optimiser would come on top."""
    built = build(network).train()

    def step() -> None:
        built.zero_grad()
        sum(value.float().mean() for value in built(images).values()).backward()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--network", default="vertenet-lite")
    options = parser.parse_args()
    torch.set_num_threads(1)
    radiograph, truth = generate(800_000)
    sample = make_sample(radiograph, truth.spine, truth.anatomy, SIZE)
    image = torch.from_numpy(sample.images[0]).float() / 255
    corners, centres = torch.from_numpy(sample.corners[0]), torch.from_numpy(sample.centres[0])
    means = {}
    for name, ranges in KINDS.items():
        generator = torch.Generator().manual_seed(1)
        spent = milliseconds(lambda r=ranges, g=generator: augment_sample(image, corners, centres, r, g), options.count)
        means[name] = spent.mean()
        print(f"{name:14s} {spent.mean():6.2f} ms a sample, 95 % under {np.percentile(spent, 95):6.2f} ms")
    batch = image.expand(2, 3, *SIZE).contiguous(memory_format=torch.channels_last)
    step = milliseconds(training_step(options.network, batch), 5).mean() / len(batch)
    share = means["as trained"] / step
    print(f"{options.network} forward and backward {step:.0f} ms an image: augmentation adds {share:.1%}")


if __name__ == "__main__":
    main()
