"""Predictor: a Radiograph goes in, a Reading comes out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..assess import assess
from ..errors import ModelError, OptionError
from ..imaging.contrast import evened
from ..imaging.frame import Frame
from ..measure import DEFAULT_FACTOR
from ..models import find_weights
from ..networks.card import checked_weights
from ..radiograph import Radiograph
from ..reading import Levels, ModelIdentity, Quality, Reading
from ..spine import STANDARD_LEVELS, Side, Spine
from .calibration import Calibration, calibration_of
from .conformal import Sigma
from .decode import dense, top_six
from .level_statistics import LevelStatistics
from .levels import name_levels
from .refine import Refiner, refiner_of
from .runtimes import AUTO, open_runtime
from .spines import spine_from_maps, spine_of
from .typicality import RARE
from .views import Looks, Maps, View, look, source_candidates

if TYPE_CHECKING:
    from torch import nn

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
    refine : bool, optional
        Place points by a second, closer look (`vertenet.inference.refine`); None: where a refiner lies beside the
        weights. Without it there are no mid-endplate points.
    calibrated : bool, optional
        Use the calibration (`vertenet.inference.calibration`); None: where one lies beside the weights. Without it
        nothing is refused and no point has an error radius.
    runtime : str
        What runs the networks, see `vertenet.inference.runtimes`; float32 unless another precision is named.

    Raises
    ------
    ModelError
        The weights, or a refiner or calibration that was asked for, are not to be found or damaged, or the calibration
        belongs to other weights.

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
        refine: bool | None = None,
        calibrated: bool | None = None,
        runtime: str = AUTO,
    ) -> None:
        if decoder not in DECODERS:
            raise OptionError(f"the decoder {decoder!r} does not exist", remedy=f"Use one of {', '.join(DECODERS)}")
        self.decoder = decoder
        self._weights = find_weights(model)
        self.card, _ = checked_weights(self._weights)
        self.runtime = open_runtime(self.card.sha256, lambda: self.network, runtime, device=device, threads=threads)
        self.layout = self.runtime.layout
        if threads is not None and self.runtime.name.startswith("torch"):
            import torch

            torch.set_num_threads(threads)
        self.refiner = self._companion(
            refine,
            refiner_of(self._weights),
            # A refiner's answer is a mean over a heatmap, which few bits do not carry.
            lambda path: Refiner.load(path, device, runtime=_in_float32(runtime), threads=threads),
        )
        refiner_sha256 = None if self.refiner is None else self.refiner.card.sha256
        self.calibration = self._companion(
            calibrated,
            calibration_of(self._weights),
            lambda path: Calibration.load(path, self.card.sha256, refiner_sha256),
        )

    @cached_property
    def network(self) -> nn.Module:
        """The network itself, loaded when it is first asked for: an exported graph does without."""
        from ..networks import load_weights

        return load_weights(self._weights)[0]

    @staticmethod
    def _companion(wanted: bool | None, path: Path, load: Callable):
        """What lies beside the weights, loaded, or None."""
        if wanted is False or (wanted is None and not path.is_file()):
            return None
        if not path.is_file():
            raise ModelError("there is no such file beside the weights", subject=path)
        return load(path)

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
        side, source, whole, turned = self._orient(radiograph, anterior)
        upright = radiograph if side == "right" else radiograph.mirrored()
        spine, levels, warnings = self.named(upright, *whole)
        quality = self._judge(upright, whole[0], spine, turned)
        scale: Mapping[str, float] = {}
        if quality is not None and not quality.typical:
            spine, levels, warnings = Spine((), "right").select(STANDARD_LEVELS), Levels(False), [*quality.reasons]
        else:
            unlike = () if quality is None else quality.reasons
            if quality is not None and levels.certain and self.calibration.typicality.is_rare(quality):
                levels, warnings = replace(levels, certain=False), [*warnings, RARE]
            spine, levels, sigma = self._refined(upright, spine, levels)
            spine, scale, notes = self._sized(spine, sigma, calibrated=not unlike)
            warnings = [*warnings, *unlike, *notes]
        if side == "left":
            spine = spine.mirrored(radiograph.columns)
            if levels.alternative is not None:
                levels = replace(levels, alternative=levels.alternative.mirrored(radiograph.columns))
        latency = time.perf_counter() - started
        warnings = [*radiograph.warnings, *self._model_warnings(), *warnings]
        if source == "detected" and any(not vertebra.is_missing for vertebra in spine):
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
            quality=quality,
            radius_scale=scale,
        )

    def maps(self, radiograph: Radiograph, *, even: bool = False) -> dict[str, np.ndarray]:
        """The network's maps of an image that faces right: name to (channels, h, w) float32, without the batch axis.

        ``even``: of the image with its local contrast made even, see `vertenet.imaging.contrast`.

        Networks with an encoder also give ``deepest``: the mean of each channel of its deepest map, (channels,). A
        VerteNet gives ``reg`` and ``wh`` around the peaks alone, see `vertenet.inference.decode.dense`.
        """
        return self.see([(radiograph, even)])[0]

    def see(self, views: Sequence[View]) -> list[dict[str, np.ndarray]]:
        """`maps` of several (image, even) at once."""
        if not views:
            return []
        size = self.layout.input_size
        resized: dict[int, np.ndarray] = {}  # an image is often looked at both ways
        frames = []
        for radiograph, even in views:
            key = id(radiograph.pixels)
            if key not in resized:
                resized[key] = Frame(radiograph.pixels.shape, size).resample(radiograph.pixels)
            frames.append(evened(resized[key]) if even else resized[key])
        outputs = self.runtime(np.stack(frames)[:, None] / np.float32(255.0) - np.float32(0.5))
        return [dense({name: value[i] for name, value in outputs.items()}) for i in range(len(views))]

    def _orient(self, radiograph: Radiograph, wanted: str | None):
        """The anterior side, how it is known, the maps of the image turned so that anterior is on the right (as it is,
        and with even contrast where it will be looked at so), and those of its mirror image where they were made."""
        if wanted in ("left", "right"):
            side, source = wanted, "given"
        elif wanted is None and radiograph.anterior is not None:
            side, source = radiograph.anterior, "file"
        else:
            mirrored = radiograph.mirrored()
            as_is, turned = self.see([(radiograph, False), (mirrored, False)])
            if facing_score(as_is, turned) >= 0:
                return "right", "detected", [as_is], turned
            return "left", "detected", [turned], as_is
        upright = radiograph if side == "right" else radiograph.mirrored()
        return side, source, self.see([(upright, even) for even in self._contrasts]), None

    @property
    def _contrasts(self) -> tuple[bool, ...]:
        """How a whole image is looked at: as it is, and with even contrast where several looks name together."""
        return (False, True) if self.decoder == "levels" and not self.layout.names_points else (False,)

    def looks(self, radiograph: Radiograph, *whole: Maps) -> Looks:
        """What a centre network sees in an image that faces right, as a whole and through windows.

        ``whole``: maps of the image as it is and, if they were made, with even contrast.
        """
        whole += tuple(self.see([(radiograph, True)] if len(whole) == 1 else []))
        return look(self.see, self.layout, radiograph, whole, self.level_statistics)

    @property
    def level_statistics(self) -> LevelStatistics | None:
        """What levels are named by; None: the default ones, without a calibration."""
        return None if self.calibration is None else self.calibration.levels

    def named(self, radiograph: Radiograph, *whole: Maps) -> tuple[Spine, Levels, list[str]]:
        """The coarse spine of an image that faces right, how sure its levels are, and warnings; ``whole`` as for
        `looks`."""
        if self.decoder == "levels":
            if self.layout.names_points:
                return spine_from_maps(whole[0], radiograph.pixels.shape, self.network)
            looks = self.looks(radiograph, *whole)
            return spine_of(looks.candidates, radiograph.pixels.shape, self.level_statistics, looks.agreement)
        frame = Frame(radiograph.pixels.shape, self.layout.input_size)
        spine = top_six(whole[0], self.layout.stride).map_points(frame.to_source).bounded(*frame.source)
        return spine, Levels(certain=False), ["Levels were counted from the top peak"]

    def _judge(self, upright: Radiograph, maps, spine: Spine, turned) -> Quality | None:
        """None where nobody learned what is typical. ``turned``: maps of the mirror image, made if need be."""
        typicality = None if self.calibration is None else self.calibration.typicality
        if typicality is None or "deepest" not in maps:
            return None

        def facing() -> float:
            return facing_score(maps, self.maps(upright.mirrored()) if turned is None else turned)

        def turned_over() -> float:
            other = upside_down(upright)
            return self._named_evidence(other, self.maps(other)) - self._named_evidence(upright, maps)

        return typicality.judge(maps["deepest"], spine, facing, turned_over)

    def _named_evidence(self, radiograph: Radiograph, maps: Mapping[str, np.ndarray]) -> float:
        """Sum of the level evidence of the bodies under the names that the best path gives them; 0 without any."""
        found = source_candidates(maps, Frame(radiograph.pixels.shape, self.layout.input_size), self.layout)
        if not found or any(candidate.level_scores is None for candidate in found):
            return 0.0
        best = name_levels(found, radiograph.rows, self.level_statistics).best
        return sum(found[index].level_scores.get(level, 0.0) for index, level in best.levels)

    def _refined(self, upright: Radiograph, spine: Spine, levels: Levels) -> tuple[Spine, Levels, Sigma]:
        if self.refiner is None:
            return spine, levels, {}
        refined, sigma = self.refiner(upright, spine)
        if levels.alternative is not None:
            levels = replace(levels, alternative=_carried(levels.alternative, spine, refined))
        return refined, levels, sigma

    def _sized(self, spine: Spine, sigma: Sigma, *, calibrated: bool) -> tuple[Spine, Mapping[str, float], list[str]]:
        """The spine with error radii, their scale, and a sentence where there are none that could be expected."""
        if self.calibration is None or not calibrated:
            return spine, {}, []
        radii = self.calibration.radii(refined=self.refiner is not None)
        if radii is None:
            return spine, {}, ["The error radii were not calibrated with the refinement: none are given"]
        return radii.apply(spine, sigma), radii.scale, []

    def _model_warnings(self) -> list[str]:
        warnings = []
        if self.card.synthetic_only:
            warnings.append(
                f"The model {self.card.name} was trained on synthetic images only and has never seen a patient"
            )
        if self.calibration is None:
            warnings.append(
                f"The model {self.card.name} is not calibrated: it refuses nothing and gives no error radii"
            )
        return warnings


def _in_float32(runtime: str) -> str:
    return runtime.removesuffix("-bfloat16").removesuffix("-float16").removesuffix("-int8")


def upside_down(radiograph: Radiograph) -> Radiograph:
    """The image with its rows in reverse; it faces where it faced."""
    return replace(radiograph, pixels=radiograph.pixels[::-1])


def facing_score(as_is, turned) -> float:
    """How much more the image as it is faces right than its mirror image ``turned``.

    The orientation head's word (logits), else the difference of the strongest heatmap peaks; 0 for networks with
    neither.
    """
    if "anterior" in as_is:
        return float(as_is["anterior"]) - float(turned["anterior"])
    if "hm" not in as_is:
        return 0.0
    strength = [np.sort(maps["hm"].ravel())[-6:].mean() for maps in (as_is, turned)]
    return float(strength[0] - strength[1])


def _carried(alternative: Spine, coarse: Spine, refined: Spine) -> Spine:
    """The other naming with the refined points of the bodies that both namings share."""
    placed = {vertebra.to_array().tobytes(): refined[vertebra.level] for vertebra in coarse if not vertebra.is_missing}
    vertebrae = []
    for vertebra in alternative:
        found = placed.get(vertebra.to_array().tobytes())
        vertebrae.append(vertebra if found is None else replace(vertebra, points=found.points))
    return replace(alternative, vertebrae=tuple(vertebrae))
