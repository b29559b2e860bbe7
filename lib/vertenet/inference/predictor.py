"""Predictor: a Radiograph goes in, a Reading comes out."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from ..assess import assess
from ..errors import OptionError
from ..imaging.frame import Frame
from ..measure import DEFAULT_FACTOR
from ..networks import find_weights, load_weights
from ..radiograph import Radiograph
from ..reading import Levels, ModelIdentity, Reading
from ..spine import Side, Spine
from .decode import top_six
from .spines import spine_from_maps

Decoder = Literal["levels", "top-six"]
DECODERS: tuple[str, ...] = ("levels", "top-six")


class Predictor:
    """Finds the landmarks of T12 to L5 and what follows from them.

    Parameters
    ----------
    model : str or path
        A name (``"vertenet-lite"``) or a ``.safetensors`` file with its card beside it.
    decoder : {"levels", "top-six"}
        How maps become named vertebrae: the level-consistent path, or the authors' six highest peaks.
    threads : int, optional
        CPU threads for torch; None leaves torch's setting.
    device : str
        A torch device.

    Raises
    ------
    ModelError
        The weights are not to be found or damaged.

    Examples
    --------
    >>> reading = Predictor("vertenet-lite")(vertenet.imaging.read("scan.dcm"))      # doctest: +SKIP
    >>> reading.crop.state                                                           # doctest: +SKIP
    """

    def __init__(
        self,
        model: str | Path = "vertenet-lite",
        *,
        decoder: Decoder = "levels",
        threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        if decoder not in DECODERS:
            raise OptionError(f"the decoder {decoder!r} does not exist", remedy=f"Use one of {', '.join(DECODERS)}")
        if threads is not None:
            torch.set_num_threads(threads)
        self.decoder = decoder
        self.device = torch.device(device)
        self.network, self.card = load_weights(find_weights(model))
        self.network.to(self.device).eval()

    @property
    def identity(self) -> ModelIdentity:
        card = self.card
        return ModelIdentity(card.name, card.sha256, card.training_data, card.synthetic_only, self.decoder)

    def __call__(
        self,
        radiograph: Radiograph,
        *,
        anterior: Side | Literal["auto"] | None = None,
        factor: float = DEFAULT_FACTOR,
    ) -> Reading:
        """Read one image.

        Parameters
        ----------
        radiograph : Radiograph
        anterior : {"left", "right", "auto"}, optional
            Side of the image that is anterior. None takes the radiograph's own, and detects it where that is unknown;
            "auto" detects it whatever the file says.
        factor : float
            Reach of the aortic corridor, see `vertenet.measure.detect_crop`.

        Returns
        -------
        Reading
            In source pixels. Levels that were not found are there, with the status ``missing`` or ``outside``.
        """
        started = time.perf_counter()
        if anterior not in (None, "auto", "left", "right"):
            raise OptionError(f"anterior is {anterior!r}", remedy="Use left, right or auto")
        side, source, maps = self._orient(radiograph, anterior)
        upright = radiograph if side == "right" else radiograph.mirrored()
        spine, levels, warnings = self._spine(upright, maps)
        if side == "left":
            spine = spine.mirrored(radiograph.columns)
            if levels.alternative is not None:
                levels = replace(levels, alternative=levels.alternative.mirrored(radiograph.columns))
        latency = time.perf_counter() - started
        warnings = [*radiograph.warnings, *self._model_warnings(), *warnings]
        if source == "detected":
            warnings.append(f"The anterior side was detected as {side}: check it")
        return assess(
            radiograph.with_anterior(side),
            spine,
            factor=factor,
            levels=levels,
            model=self.identity,
            warnings=warnings,
            latency_s=latency,
            anterior_source=source,
        )

    def _orient(self, radiograph: Radiograph, wanted: str | None) -> tuple[Side, str, dict[str, np.ndarray]]:
        """The anterior side, how it is known, and the maps of the image turned so that anterior is on the right."""
        if wanted in ("left", "right"):
            side, source = wanted, "given"
        elif wanted is None and radiograph.anterior is not None:
            side, source = radiograph.anterior, "file"
        else:
            as_is, turned = self.maps(radiograph), self.maps(radiograph.mirrored())
            side = "right" if _facing_score(as_is, turned) >= 0 else "left"
            return side, "detected", as_is if side == "right" else turned
        return side, source, self.maps(radiograph if side == "right" else radiograph.mirrored())

    @torch.inference_mode()
    def maps(self, radiograph: Radiograph) -> dict[str, np.ndarray]:
        """The network's maps of an image that faces right: name to (channels, h, w) float32, without the batch axis."""
        pixels = Frame(radiograph.pixels.shape, self.network.input_size).resample(radiograph.pixels)
        tensor = torch.from_numpy(pixels / 255.0 - 0.5).to(self.device).expand(1, 3, -1, -1)
        return {name: value[0].float().cpu().numpy() for name, value in self.network(tensor).items()}

    def _spine(self, radiograph: Radiograph, maps) -> tuple[Spine, Levels, list[str]]:
        if self.decoder == "levels":
            return spine_from_maps(maps, radiograph, self.network)
        frame = Frame(radiograph.pixels.shape, self.network.input_size)
        spine = top_six(maps, self.network.stride).map_points(frame.to_source).bounded(*frame.source)
        return spine, Levels(certain=False), ["Levels were counted from the top peak"]

    def _model_warnings(self) -> list[str]:
        if self.card.synthetic_only:
            return [f"The model {self.card.name} was trained on synthetic images only and has never seen a patient"]
        return []


def _facing_score(as_is, turned) -> float:
    """Positive when the image as it is faces right: the orientation head's word, else the stronger heatmap."""
    if "anterior" in as_is:
        return float(as_is["anterior"]) - float(turned["anterior"])
    strength = [np.sort(maps["hm"].ravel())[-6:].mean() for maps in (as_is, turned)]
    return float(strength[0] - strength[1])
