"""Batches: which image comes when, changed how. Every draw is a function of the seed and of the place in the run.

Place p (the p-th image since the first step) shows image ``order(p // n)[p % n]`` of n, where ``order(e)`` is the
shuffle of pass e, and is changed by a generator seeded with (seed, p). So a batch is the same whatever the number of
workers and processes, and a run that goes on after a kill needs no state of a generator.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from .augmentation import Augmentation, augment_sample
from .samples import Samples, check_seeds, phantom_sample


class Source(Protocol):
    """What a run learns from: `Samples`, or anything that gives sample i when asked."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Samples:
        """Sample ``index``, its arrays without the first axis."""
        ...


class PhantomStream:
    """Phantoms that are drawn when they are asked for; see `Source`.

    Parameters
    ----------
    count : int
    size : (rows, columns) of the network's frame
    difficulty : str
    first_seed : int
    film : bool
        Radiographs instead of densitometer images.
    lower : bool
        A look at the lower part of each instead of the whole.

    Raises
    ------
    OptionError
        A seed is reserved for tests.
    """

    def __init__(
        self,
        count: int,
        size: tuple[int, int],
        *,
        difficulty: str,
        first_seed: int,
        film: bool = False,
        lower: bool = False,
    ) -> None:
        self.seeds = check_seeds(first_seed, count)
        self.size, self.difficulty, self.film, self.lower = size, difficulty, film, lower

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, index: int) -> Samples:
        return phantom_sample(self.seeds[index], self.size, self.difficulty, film=self.film, lower=self.lower)[0]


class Batch(NamedTuple):
    """B augmented images.

    Attributes
    ----------
    images : (B, h, w) float32, 0 to 1
    corners : (B, 19, 4, 2) float32, of `vertenet.learning.samples.BODIES`, frame pixels, NaN where unknown
    centres : (B, 8, 2) float32, NaN where unknown or outside
    taught : (B, 9) bool, see `Samples`
    faces_right : (B,) bool
    """

    images: Tensor
    corners: Tensor
    centres: Tensor
    taught: Tensor
    faces_right: Tensor

    def to(self, device: torch.device) -> Batch:
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in self))


class Plan(Sampler):
    """The (place, image) pairs of this process's share of each step, from ``first`` to the last step.

    A step's places are consecutive, and processes share them in consecutive runs.
    """

    def __init__(self, images: int, batch: int, steps: range, seed: int, rank: int = 0, processes: int = 1) -> None:
        self.images, self.batch, self.steps, self.seed = images, batch, steps, seed
        self.share = range(rank * batch // processes, (rank + 1) * batch // processes)

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        shuffled, order = -1, None
        for step in self.steps:
            pairs = []
            for place in (step * self.batch + offset for offset in self.share):
                turn, number = divmod(place, self.images)
                if turn != shuffled:
                    shuffled, order = turn, np.random.default_rng((self.seed, turn)).permutation(self.images)
                pairs.append((place, int(order[number])))
            yield pairs


class AugmentedImages(Dataset):
    """Image i of a source, changed as its place in the run says."""

    def __init__(self, source: Source, ranges: Augmentation, seed: int) -> None:
        self.source, self.ranges, self.seed = source, ranges, seed

    def __getitem__(self, pair: tuple[int, int]) -> Batch:
        place, index = pair
        sample = self.source[index]
        generator = torch.Generator().manual_seed(seed_of(self.seed, place))
        image, corners, centres, faces_right = augment_sample(
            torch.from_numpy(sample.images).float() / 255,
            torch.from_numpy(sample.corners),
            torch.from_numpy(sample.centres),
            self.ranges,
            generator,
        )
        taught = torch.from_numpy(np.asarray(sample.taught))
        return Batch(image, corners, centres, taught, torch.tensor(bool(faces_right)))


def make_loader(dataset: AugmentedImages, plan: Plan, *, workers: int, pinned: bool) -> DataLoader:
    """The batches of a plan, prepared by ``workers`` processes (0: by this one)."""
    return DataLoader(dataset, batch_sampler=plan, num_workers=workers, pin_memory=pinned)


def seed_of(*numbers: int) -> int:
    """A seed for torch from several numbers; neighbours give unlike streams (NumPy's SeedSequence)."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
