"""How well a network does on samples that it does not learn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ..evaluation import score_landmarks
from ..imaging.frame import Frame
from ..inference.spines import spine_from_maps
from ..spine import STANDARD_LEVELS, Spine
from .feed import Source

#: A landmark counts as found within this distance, in pixels of the 1024 x 512 frame.
NEAR_PX = 4.0
#: Images that the network sees at once. Few, so that a wish to stop is heard in time.
_AT_ONCE = 4


@dataclass(frozen=True)
class Validation:
    """Figures on validation samples, errors in pixels of the 1024 x 512 frame.

    Attributes
    ----------
    levels_right : share of images whose levels are all right, see `vertenet.evaluation.LandmarkScore`
    sdr_4px : share of the landmarks in the images that were found within 4 px (successful detection rate)
    median_px, mean_px : error per coordinate of the landmarks found; None where none was found at all
    """

    levels_right: float
    sdr_4px: float
    median_px: float | None
    mean_px: float | None

    @property
    def score(self) -> float:
        """One figure, 0 to 1, to tell better from worse: the mean of levels right and landmarks within 4 px."""
        return (self.levels_right + self.sdr_4px) / 2


class Interrupted(Exception):  # noqa: N818  (not an error: what was asked for has happened)
    """A validation was asked to stop."""


def validate(
    network: torch.nn.Module, samples: Source, *, should_stop: Callable[[], bool] = lambda: False
) -> Validation:
    """Figures of ``network`` on ``samples``, which face right; the network is left in evaluation mode.

    Raises
    ------
    Interrupted
        ``should_stop``, asked every few images, said so.
    """
    network.eval()
    errors, right, near, landmarks = [np.empty((0, 2))], [], 0, 0
    for start in range(0, len(samples), _AT_ONCE):
        if should_stop():
            raise Interrupted
        some = [samples[i] for i in range(start, min(start + _AT_ONCE, len(samples)))]
        for sample, maps in zip(some, _maps(network, np.stack([sample.images for sample in some]))):
            rows, columns = (int(n) for n in sample.sizes)
            predicted = spine_from_maps(maps, (rows, columns), network)[0]
            frame = Frame((rows, columns), network.input_size)
            truth = Spine.from_array(frame.to_source(sample.corners[: len(STANDARD_LEVELS)])).bounded(rows, columns)
            score = score_landmarks(predicted, truth, (rows, columns))
            errors.append(score.errors)
            right.append(score.levels_right)
            near += int((np.hypot(*score.errors.T) <= NEAR_PX).sum())
            landmarks += sum(corner.is_present for level in STANDARD_LEVELS for corner in truth[level].points.values())
    pooled = np.concatenate(errors)
    found = len(pooled) > 0
    return Validation(
        levels_right=float(np.mean(right)),
        sdr_4px=near / max(landmarks, 1),
        median_px=float(np.median(pooled)) if found else None,
        mean_px=float(pooled.mean()) if found else None,
    )


@torch.inference_mode()
def _maps(network: torch.nn.Module, images: np.ndarray) -> list[dict[str, np.ndarray]]:
    """Maps of (n, h, w) uint8 images, one dict an image, as `vertenet.inference.Predictor.maps` gives them."""
    device = next(network.parameters()).device
    tensor = (torch.from_numpy(images).to(device).float() / 255 - 0.5)[:, None].expand(-1, 3, -1, -1)
    maps = {name: value.float().cpu().numpy() for name, value in network(tensor).items()}
    return [{name: value[i] for name, value in maps.items()} for i in range(len(images))]
