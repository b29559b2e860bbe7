"""Training samples in the network's frame: images and landmarks as plain arrays, made once and kept on disk.

Every sample faces right (images facing left are mirrored on the way in). Positions are frame pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ..errors import OptionError
from ..files import beside
from ..imaging.frame import Frame
from ..radiograph import Radiograph
from ..spine import LADDER, STANDARD_LEVELS, UPPER_THORACIC, Level, Spine

#: Phantom seeds that no training may touch; every published figure comes from here.
TEST_SEEDS = range(900_000, 901_000)
#: Where training seeds begin.
TRAINING_SEED = 1_000_000
#: Levels whose centres are taught: T12 to L5, and the neighbours that anchor the count.
CENTRE_LEVELS: tuple[Level, ...] = LADDER
#: Levels whose corners are taught: T12 to L5 come first.
BODIES: tuple[Level, ...] = (*STANDARD_LEVELS, *UPPER_THORACIC, Level.T11, Level.L6, Level.S1)


@dataclass(frozen=True, eq=False)
class Samples:
    """``n`` samples.

    Attributes
    ----------
    images : (n, rows, columns) uint8
    corners : (n, 19, 4, 2) float32
        Of `BODIES`, T12 to L5 first, in the order of `vertenet.spine.CORNERS`, frame pixels; NaN where unknown.
    centres : (n, 8, 2) float32
        Centres of `CENTRE_LEVELS`; NaN where unknown or outside the image.
    sizes : (n, 2) int32
        Rows and columns of the source image.
    taught : (n, 9) bool
        Of which levels it is known whether and where they are in the image: all bodies above T11 together, then
        `CENTRE_LEVELS`; all of them unless given. People mark T12 to L5: that T11 and S1 are not marked does not say
        that they are not there.
    """

    images: np.ndarray
    corners: np.ndarray
    centres: np.ndarray
    sizes: np.ndarray
    taught: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.taught is None:
            object.__setattr__(self, "taught", np.ones((*self.centres.shape[:-2], 1 + len(CENTRE_LEVELS)), bool))

    def __len__(self) -> int:
        return len(self.images)

    @classmethod
    def concatenate(cls, parts: Sequence[Samples]) -> Samples:
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in _FIELDS))

    def __getitem__(self, index) -> Samples:
        return Samples(*(getattr(self, name)[index] for name in _FIELDS))


_FIELDS = ("images", "corners", "centres", "sizes", "taught")


def make_sample(radiograph: Radiograph, spine: Spine, anatomy: Spine, size: tuple[int, int]) -> Samples:
    """One sample from an image and its landmarks in source pixels.

    ``spine`` gives the corners of T12 to L5, ``anatomy`` those of other bodies, and the centres. The same object for
    both says that nobody looked for other levels than those it holds.
    """
    complete = anatomy is not spine
    if spine.anterior == "left":
        radiograph = radiograph.mirrored()
        spine, anatomy = spine.mirrored(radiograph.columns), anatomy.mirrored(radiograph.columns)
    frame = Frame(radiograph.pixels.shape, size)
    image = np.clip(np.rint(frame.resample(radiograph.pixels)), 0, 255).astype(np.uint8)
    others = anatomy.to_array(BODIES[len(STANDARD_LEVELS) :])
    corners = frame.from_source(np.concatenate([spine.to_array(STANDARD_LEVELS), others]))
    centres = frame.from_source(anatomy.to_array(CENTRE_LEVELS)).mean(axis=1)
    taught = np.concatenate([[complete], np.isfinite(centres).all(axis=1) | complete])
    inside = (centres >= 0).all(axis=1) & (centres < [size[1], size[0]]).all(axis=1)
    centres[~inside] = np.nan
    sizes = np.array([radiograph.pixels.shape], dtype=np.int32)
    return Samples(image[None], corners[None].astype(np.float32), centres[None].astype(np.float32), sizes, taught[None])


def phantom_samples(
    directory: Path,
    count: int,
    size: tuple[int, int],
    *,
    difficulty: str,
    first_seed: int = TRAINING_SEED,
    workers: int = 1,
    film: bool = False,
    lower: bool = False,
) -> Samples:
    """Samples of ``count`` phantoms of all scanners, or of all films; with ``lower`` a lower look at each.

    They are kept in ``directory`` in shards of 100 and reused next time.

    Raises
    ------
    OptionError
        A seed falls into `TEST_SEEDS`.
    """
    seeds = check_seeds(first_seed, count)
    directory.mkdir(parents=True, exist_ok=True)
    shards = [seeds[i : i + 100] for i in range(0, count, 100)]
    make = partial(_phantom_shard, directory=directory, size=size, difficulty=difficulty, film=film, lower=lower)
    if workers <= 1:
        return Samples.concatenate([load_shard(make(shard)) for shard in shards])
    with ProcessPoolExecutor(workers) as pool:
        return Samples.concatenate([load_shard(path) for path in pool.map(make, shards)])


def check_seeds(first: int, count: int) -> range:
    """``count`` phantom seeds from ``first`` on.

    Raises
    ------
    OptionError
        One of them is reserved for tests.
    """
    seeds = range(first, first + count)
    if seeds.start < TEST_SEEDS.stop and TEST_SEEDS.start < seeds.stop:
        raise OptionError(f"phantom seeds {seeds.start} to {seeds.stop - 1} touch the reserved test seeds")
    return seeds


def phantom_scanner(seed: int, film: bool = False) -> str:
    """The scanner profile that a training or test seed is drawn with: all profiles in turn, or all films."""
    from ..phantom import films, scanners

    names = sorted(films() if film else scanners())
    return names[seed % len(names)]


def load_shard(path: Path) -> Samples:
    with np.load(path) as data:
        return Samples(**{name: data[name] for name in _FIELDS})


def save_shard(samples: Samples, path: Path) -> None:
    """Written beside and renamed: a killed run leaves no half shard."""
    with beside(path) as temporary:
        np.savez(temporary, **{name: getattr(samples, name) for name in _FIELDS})


def phantom_sample(
    seed: int, size: tuple[int, int], difficulty: str, *, film: bool = False, lower: bool = False
) -> Samples:
    """The sample of one phantom, drawn anew; with ``lower`` of a look at its lower part."""
    from ..phantom import generate
    from .lower_looks import lower_look

    radiograph, truth = generate(seed, scanner=phantom_scanner(seed, film), difficulty=difficulty)
    image = radiograph, truth.spine, truth.anatomy
    return make_sample(*(lower_look(*image, np.random.default_rng(seed)) if lower else image), size)


def _phantom_shard(
    seeds: Iterable[int], directory: Path, size: tuple[int, int], difficulty: str, film: bool, lower: bool
) -> Path:
    seeds = list(seeds)
    kind = difficulty + "-film" * film + "-lower" * lower
    path = directory / f"{kind}-{size[0]}x{size[1]}-{seeds[0]}-{len(seeds)}.npz"
    if not path.exists():
        parts = [phantom_sample(seed, size, difficulty, film=film, lower=lower) for seed in seeds]
        save_shard(Samples.concatenate(parts), path)
    return path
