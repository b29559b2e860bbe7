"""The gate: a new model is served only if it is not worse than the served one on images that trained neither.

Three sets of images may judge, and all that do must be passed:

* the replay: phantoms that stand for everything the model knew before (`vertenet.server.training.replay`);
* the frozen split: labelled images of patients whom no round ever trains on (`vertenet.server.training.split`);
* while the frozen split has fewer than `ENOUGH_PERSONS`, in its place the labelled persons, cross-fitted
  (`vertenet.learning.crossfit`), and those few of the split with them.

A single image of a split of one must not be worse; of persons who were cross-fitted the mean must not, for of many one
may lose what others gain; and the labels must mark what the models find. `vertenet.learning.comparison` says what is
measured.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from vertenet.learning.comparison import LOST_PX, Comparison, Paired
from vertenet.learning.crossfit import ENOUGH_PERSONS, CrossFitted
from vertenet.learning.validation import NEAR_PX

#: Two landmarks of a hundred may cross the line of `NEAR_PX` the wrong way: a point that lies just there falls on
#: either side by the rounding of the weights alone. Chosen, not measured; a level misnamed costs far more than this.
SDR_TOLERANCE = 0.02
#: The median may grow by a tenth and a tenth of a pixel, about 0.05 mm: less than people differ by. Chosen. The mean
#: corner error of cross-fitted persons may, too.
MEDIAN_TOLERANCE = (1.1, 0.1)
#: Share of replayed phantoms that may lose their right names. Half of those phantoms are hard, and the naming of some
#: is a toss between two near equals; on a patient's image no such loss is accepted.
REPLAY_LEVELS_TOLERANCE = 0.05
#: Share of the vertebrae of cross-fitted persons that may lose their names: one of forty, not one of each. The
#: trainings that judge are short, and a vertebra at the edge of the field may fall either way. Chosen.
NAMED_TOLERANCE = 0.025
#: Where the corners of cross-fitted persons, the lost ones counted as `LOST_PX`, are further off than this on average,
#: their labels mark something else than vertebrae. Measured on eight real images and weights that name half of them
#: wrongly: 4 to 6 px, and 19.5 px with the labels shuffled.
UNFORESEEN_PX = LOST_PX / 2
#: It is asked of models that find at least this share of the landmarks of replayed phantoms: one that has learned
#: nothing yet cannot know.
KNOWS_PHANTOMS = 0.5


@dataclass(frozen=True)
class Verdict:
    """What the gate says.

    Attributes
    ----------
    passed : bool
    reason : str
        Sentences for a person.
    split, replay, cross_fitted : Comparison or None
        None where there were no such images. Where persons were cross-fitted, those of the split are among them, and
        ``split`` is for information.
    """

    passed: bool
    reason: str
    split: Comparison | None
    replay: Comparison | None
    cross_fitted: Comparison | None = None

    @property
    def figures(self) -> Comparison | None:
        """The set that tells most of patients."""
        return self.cross_fitted or self.split or self.replay

    def to_dict(self) -> dict:
        """Plain numbers and nulls; ``tolerances`` says what was allowed."""
        return {
            **asdict(self),
            "near_px": NEAR_PX,
            "tolerances": {
                "sdr": SDR_TOLERANCE,
                "median_px": list(MEDIAN_TOLERANCE),
                "replay_levels": REPLAY_LEVELS_TOLERANCE,
                "named": NAMED_TOLERANCE,
            },
        }


def judge(split: Comparison | None, replay: Comparison | None, cross_fitted: CrossFitted | None = None) -> Verdict:
    """Whether the candidate may be served; without any image it may not."""
    if split is None and replay is None and cross_fitted is None:
        return Verdict(False, "There is no image to judge by, so the served model stays.", None, None)
    faults, words = [], []
    if cross_fitted is not None:
        found = cross_fitted.comparison
        faults += _cross_fitted_faults(found)
        faults += _suspicion(found, replay)
        words.append(cross_fitted.told())
    else:
        found = None
        faults += [] if split is None else _faults(split, "the frozen split", 0)
        words.append(_told(split, "the frozen split"))
    if replay is not None:
        faults += _faults(replay, "the replayed phantoms", int(REPLAY_LEVELS_TOLERANCE * replay.images))
    words.append(_told(replay, "the replayed phantoms"))
    if found is None:
        words.append(_weight(split))
    if faults:
        start = f"Refused, and the served model stays: {'; '.join(faults)}."
    else:
        start = "Passed: the new model is not worse than the served one on any set of images."
    return Verdict(not faults, " ".join([start, *filter(None, words)]), split, replay, found)


def _faults(found: Comparison, where: str, levels_allowed: int) -> list[str]:
    served, candidate, faults = found.served, found.candidate, []
    if candidate.sdr < served.sdr - SDR_TOLERANCE:
        shares = f"{candidate.sdr:.1%} of the landmarks within {NEAR_PX:g} px, {served.sdr:.1%} before"
        faults.append(f"on {where} it finds {shares}")
    if candidate.levels_right < served.levels_right - levels_allowed:
        counts = f"{candidate.levels_right} of {found.images} spines right, {served.levels_right} before"
        faults.append(f"on {where} it names {counts}")
    if served.median_px is not None and _less_exact(served.median_px, candidate.median_px):
        now = "unknown, for it finds nothing" if candidate.median_px is None else f"{candidate.median_px:.2f} px"
        faults.append(f"on {where} its median error is {now}, {served.median_px:.2f} px before")
    return faults


def _cross_fitted_faults(found: Comparison) -> list[str]:
    named, corners, faults = found.named, found.corner_px, []
    if named.candidate < named.served - NAMED_TOLERANCE:
        faults.append(
            f"of the vertebrae of persons it had not learned it names {named.candidate:.1%} rightly, "
            f"{named.served:.1%} before ({_sure(named, found)})"
        )
    if _less_exact(corners.served, corners.candidate):
        faults.append(
            f"of persons it had not learned its corners are off by {corners.candidate:.2f} px, "
            f"{corners.served:.2f} px before ({_sure(corners, found)})"
        )
    return faults


def _suspicion(found: Comparison, replay: Comparison | None) -> list[str]:
    """Labels that are shuffled judge as wrongly as they teach: by them no model is worse than another."""
    if replay is None or replay.served.sdr < KNOWS_PHANTOMS or found.corner_px.candidate <= UNFORESEEN_PX:
        return []
    return [
        f"neither model finds what the labels mark, for corners of persons it had not learned are off by "
        f"{found.corner_px.candidate:.1f} px: are they those of these images?"
    ]


def _less_exact(before: float, now: float | None) -> bool:
    factor, plus = MEDIAN_TOLERANCE
    return now is None or now > factor * before + plus


def _sure(loss: Paired, found: Comparison) -> str:
    return f"worse in {loss.worse} of {found.persons} persons; by chance so in {loss.p_worse:.1%} of the cases"


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
        return "No labelled patient could judge: phantoms alone have judged."
    if split.persons < ENOUGH_PERSONS:
        return f"A frozen split of {split.images} is small: label more images for a surer word."
    return ""
