"""The refinement stage: every vertebra of a spine looked at again, closely, to place its points better.

A network that sees the whole radiograph sees it shrunk. Here a crop is cut around each vertebra at a scale that suits
its size, and `vertenet.networks.refiner` gives four corners and the two mid-endplate points, each with the error to
expect of it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import GeometryError, ModelError, PathLike
from ..networks.card import Card, checked_weights
from ..radiograph import Radiograph
from ..spine import CORNERS, MIDPOINTS, Corner, CornerName, Level, Spine, Vertebra
from .crops import CROP_DEPTH, CropFrame
from .runtimes import AUTO, Runtime, open_runtime

if TYPE_CHECKING:
    from torch import nn

#: A corner may not move further than this from where the first stage saw it, vertebral depths.
REACH = 0.35
#: A point whose predicted error is larger than this is not believed, vertebral depths.
DOUBTFUL = 0.15


class Refiner:
    """Places the points of a spine by a second, closer look.

    Parameters
    ----------
    network : torch.nn.Module or Runtime
        A `vertenet.networks.refiner.RefinerNetwork`, or what runs one.
    card : Card
        That of its weights.
    device : str
        For a module.

    Examples
    --------
    >>> refiner = Refiner.load("vertenet-lite.refiner.safetensors")      # doctest: +SKIP
    >>> spine, sigma = refiner(radiograph, reading.spine)                # doctest: +SKIP
    """

    def __init__(self, network: nn.Module | Runtime, card: Card, device: str = "cpu") -> None:
        if not hasattr(network, "layout"):
            from .runtimes.torch_runtime import TorchRuntime

            network = TorchRuntime(network, device, view=network)
        self.runtime = network
        self.card = card

    @classmethod
    def load(cls, path: PathLike, device: str = "cpu", *, runtime: str = AUTO, threads: int | None = None) -> Refiner:
        """The refiner in a weight file; ``runtime`` as for `vertenet.inference.runtimes.open_runtime`.

        Raises
        ------
        ModelError
            The file or its card is missing or damaged, or they are not those of a refiner.
        """
        card, _ = checked_weights(path)
        if card.network != "refiner":
            raise ModelError(f"these are weights of {card.network}, not of a refiner", subject=path)

        def load() -> nn.Module:
            from ..networks import load_weights

            return load_weights(path)[0]

        return cls(open_runtime(card.sha256, load, runtime, device=device, threads=threads), card)

    def __call__(self, radiograph: Radiograph, spine: Spine) -> tuple[Spine, dict[tuple[Level, CornerName], float]]:
        """Refine every vertebra whose four corners have positions.

        A corner that is not present keeps its status and position. So does one that the refiner would move further
        than `REACH` or whose predicted error exceeds `DOUBTFUL`: two stages that disagree so much have not looked at
        the same thing, and the first has seen the whole spine. Such a corner's error is given as no less than half of
        the disagreement. Mid-endplate points have no first opinion to fall back on: they are given for vertebrae
        whose four corners are present, and left out where they are doubtful or further than `REACH` from the middle
        of their endplate's corners.

        Parameters
        ----------
        radiograph : Radiograph
        spine : Spine
            In its source pixels; either side may be anterior.

        Returns
        -------
        spine : Spine
            The same levels, confidences and anterior side; points beyond the image are ``outside``.
        sigma : dict of (Level, CornerName) to float
            The expected absolute error of a coordinate of each present point that the refiner looked at, source pixels.
        """
        frames = {}
        for vertebra in spine:
            try:
                frames[vertebra.level] = CropFrame.around(vertebra.to_array(), self.runtime.layout.input_size[0])
            except GeometryError:
                continue  # Missing, or too small to hold anything to refine: it stays as it is.
        points, sigmas = self._look(radiograph, frames)
        vertebrae, errors = [], {}
        for vertebra in spine:
            if vertebra.level in frames:
                depth = CROP_DEPTH / frames[vertebra.level].scale
                vertebra, found = _settle(vertebra, points[vertebra.level], sigmas[vertebra.level], depth)
                errors.update({(vertebra.level, name): sigma for name, sigma in found.items()})
            vertebrae.append(vertebra)
        refined = replace(spine, vertebrae=tuple(vertebrae)).bounded(radiograph.rows, radiograph.columns)
        return refined, {key: value for key, value in errors.items() if refined[key[0]][key[1]].is_present}

    def _look(self, radiograph: Radiograph, frames: dict[Level, CropFrame]):
        """For each level six points, (6, 2), and their expected errors, (6,), in source pixels."""
        if not frames:
            return {}, {}
        crops = np.stack([np.stack(f.cut(radiograph.pixels)) for f in frames.values()])
        outputs = self.runtime(crops.astype(np.float32))
        points, log_sigma = (outputs[name].astype(np.float64) for name in ("points", "log_sigma"))
        placed = {level: frame.to_source(points[i]) for i, (level, frame) in enumerate(frames.items())}
        return placed, {level: np.exp(log_sigma[i]) / frame.scale for i, (level, frame) in enumerate(frames.items())}


def refiner_of(weights: PathLike) -> Path:
    """Where the refiner of a weight file lies: ``<stem>.refiner.safetensors`` beside it."""
    return Path(weights).with_suffix(".refiner.safetensors")


def _settle(
    vertebra: Vertebra, points: np.ndarray, sigmas: np.ndarray, depth: float
) -> tuple[Vertebra, dict[CornerName, float]]:
    """The vertebra with every point at the place that is believed, and the error to expect of each."""
    corners, errors = {}, {}
    for name, xy, sigma in zip(CORNERS, points, sigmas):
        coarse = corners[name] = vertebra[name]
        if not coarse.is_present:
            continue
        moved = float(np.hypot(*(xy - coarse.xy)))
        if moved > REACH * depth or sigma > DOUBTFUL * depth:
            errors[name] = max(float(sigma), moved / 2)
            continue
        corners[name] = replace(coarse, x=float(xy[0]), y=float(xy[1]), radius=None)
        errors[name] = float(sigma)
    if vertebra.is_complete:
        ends = {CornerName.SM: (CornerName.SA, CornerName.SP), CornerName.IM: (CornerName.IA, CornerName.IP)}
        for name, xy, sigma in zip(MIDPOINTS, points[len(CORNERS) :], sigmas[len(CORNERS) :]):
            middle = np.mean([corners[end].xy for end in ends[name]], axis=0)
            if np.hypot(*(xy - middle)) <= REACH * depth and sigma <= DOUBTFUL * depth:
                corners[name] = Corner(float(xy[0]), float(xy[1]))
                errors[name] = float(sigma)
    return replace(vertebra, points=corners), errors
