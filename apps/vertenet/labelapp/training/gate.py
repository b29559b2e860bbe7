"""The gate: a new model is served only if it is not worse than the served one on images that trained neither.

Both models read the same images, so that what is compared is the difference on each image (a paired comparison), not
two averages that luck with the images has moved. Two sets of images judge, and both must be passed:

* the frozen split: labelled images of patients whom no round ever trains on (`labelapp.training.split`);
* the replay: phantoms that stand for everything the model knew before (`labelapp.training.replay`).

Everything is measured as a reading is served, after refinement, in pixels of the 1024 x 512 normalised frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from vertenet.evaluation import score_landmarks
from vertenet.evaluation.statistics import paired_bootstrap
from vertenet.learning.calibrate import Observed
from vertenet.learning.validation import NEAR_PX
from vertenet.spine import CORNERS, STANDARD_LEVELS

#: Two landmarks of a hundred may cross the line of `NEAR_PX` the wrong way: a point that lies just there falls on
#: either side by the rounding of the weights alone. Chosen, not measured; a level misnamed costs far more than this.
SDR_TOLERANCE = 0.02
#: The median may grow by a tenth and a tenth of a pixel, about 0.05 mm: less than people differ by. Chosen.
MEDIAN_TOLERANCE = (1.1, 0.1)
#: Share of replayed phantoms that may lose their right names. Half of those phantoms are hard, and the naming of some
#: is a toss between two near equals; on a patient's image no such loss is accepted.
REPLAY_LEVELS_TOLERANCE = 0.05
#: Below this many images the frozen split alone would be a weak judge, and the sentence says so.
FEW_IMAGES = 10


@dataclass(frozen=True)
class Figures:
    """One model on one set of images.

    Attributes
    ----------
    sdr : float
        Share of the landmarks in the images that were found within `NEAR_PX`, 0 to 1; what was missed, or carries the
        name of a neighbour, was not.
    levels_right : int
        Images whose levels are all right, see `vertenet.evaluation.LandmarkScore`.
    median_px, mean_px : float or None
        Error per coordinate of the landmarks found; None where there are none.
    """

    sdr: float
    levels_right: int
    median_px: float | None
    mean_px: float | None


@dataclass(frozen=True)
class Comparison:
    """Both models on one set of images.

    Attributes
    ----------
    images, persons : int
        A phantom is a person of its own.
    served, candidate : Figures
    sdr_gain : float
        Mean over images of the candidate's share minus the served model's.
    sdr_gain_low, sdr_gain_high : float or None
        95 % interval by the bootstrap over persons; None for fewer than two.
    better, worse : int
        Images on which the candidate found more, or fewer, landmarks within `NEAR_PX`.
    """

    images: int
    persons: int
    served: Figures
    candidate: Figures
    sdr_gain: float
    sdr_gain_low: float | None
    sdr_gain_high: float | None
    better: int
    worse: int


@dataclass(frozen=True)
class Verdict:
    """What the gate says.

    Attributes
    ----------
    passed : bool
    reason : str
        Sentences for a person.
    split, replay : Comparison or None
        None where there were no such images.
    """

    passed: bool
    reason: str
    split: Comparison | None
    replay: Comparison | None

    def to_dict(self) -> dict:
        """Plain numbers and nulls; ``tolerances`` says what was allowed."""
        return {
            **asdict(self),
            "near_px": NEAR_PX,
            "tolerances": {
                "sdr": SDR_TOLERANCE,
                "median_px": list(MEDIAN_TOLERANCE),
                "replay_levels": REPLAY_LEVELS_TOLERANCE,
            },
        }


def compare(served: Sequence[Observed], candidate: Sequence[Observed], persons: Sequence[str]) -> Comparison | None:
    """Two models on the same images in the same order; None for no images."""
    if not served:
        return None
    one, other = ([_judged(item) for item in side] for side in (served, candidate))
    before, after = (np.array([near for near, *_ in side]) for side in (one, other))
    gain = paired_bootstrap((after, persons), (before, persons))
    return Comparison(
        len(served),
        len(set(persons)),
        _figures(one),
        _figures(other),
        float((after - before).mean()),
        None if np.isnan(gain.low) else gain.low,
        None if np.isnan(gain.high) else gain.high,
        int((after > before).sum()),
        int((after < before).sum()),
    )


def judge(split: Comparison | None, replay: Comparison | None) -> Verdict:
    """Whether the candidate may be served; without any image it may not."""
    if split is None and replay is None:
        return Verdict(False, "There is no image to judge by, so the served model stays.", None, None)
    faults = []
    if split is not None:
        faults += _faults(split, "the frozen split", 0)
    if replay is not None:
        allowed = int(REPLAY_LEVELS_TOLERANCE * replay.images)
        faults += _faults(replay, "the replayed phantoms", allowed)
    words = [_told(split, "the frozen split"), _told(replay, "the replayed phantoms")]
    if faults:
        start = f"Refused, and the served model stays: {'; '.join(faults)}."
    else:
        start = "Passed: the new model is not worse than the served one on any set of images."
    return Verdict(not faults, " ".join([start, *filter(None, words), _weight(split)]).strip(), split, replay)


def _judged(item: Observed) -> tuple[float, int, int, bool, np.ndarray]:
    """Share near, landmarks near, landmarks, levels right, errors of one image."""
    spine = item.spine if item.refined is None else item.refined
    score = score_landmarks(spine, item.truth, item.shape)
    near = int((np.hypot(*score.errors.T) <= NEAR_PX).sum())
    levels = [level for level in STANDARD_LEVELS if level in item.truth]
    landmarks = sum(item.truth[level][name].is_present for level in levels for name in CORNERS)
    return near / max(landmarks, 1), near, landmarks, score.levels_right, score.errors


def _figures(judged: Sequence[tuple]) -> Figures:
    errors = np.concatenate([errors for *_, errors in judged])
    near, landmarks = (sum(row[column] for row in judged) for column in (1, 2))
    return Figures(
        near / max(landmarks, 1),
        sum(row[3] for row in judged),
        float(np.median(errors)) if len(errors) else None,
        float(errors.mean()) if len(errors) else None,
    )


def _faults(found: Comparison, where: str, levels_allowed: int) -> list[str]:
    served, candidate, faults = found.served, found.candidate, []
    if candidate.sdr < served.sdr - SDR_TOLERANCE:
        shares = f"{candidate.sdr:.1%} of the landmarks within {NEAR_PX:g} px, {served.sdr:.1%} before"
        faults.append(f"on {where} it finds {shares}")
    if candidate.levels_right < served.levels_right - levels_allowed:
        counts = f"{candidate.levels_right} of {found.images} spines right, {served.levels_right} before"
        faults.append(f"on {where} it names {counts}")
    factor, plus = MEDIAN_TOLERANCE
    now, before = candidate.median_px, served.median_px
    if before is not None and (now is None or now > factor * before + plus):
        text = "unknown, for it finds nothing" if now is None else f"{now:.2f} px"
        faults.append(f"on {where} its median error is {text}, {before:.2f} px before")
    return faults


def _told(found: Comparison | None, where: str) -> str:
    if found is None:
        return ""
    served, candidate = found.served, found.candidate
    return (
        f"On {where} ({found.images} images) {candidate.sdr:.1%} of the landmarks lie within {NEAR_PX:g} px "
        f"(before {served.sdr:.1%}), {candidate.levels_right} spines are named right (before {served.levels_right})."
    )


def _weight(split: Comparison | None) -> str:
    if split is None:
        return "No labelled patient is on the frozen split yet: phantoms alone have judged."
    if split.images < FEW_IMAGES:
        return f"A frozen split of {split.images} is small: label more images for a surer word."
    return ""
