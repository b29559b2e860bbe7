"""What became of an image: read and named rightly, abstained from, or wrong."""

from __future__ import annotations

from typing import Literal

from ..measure.matching import Naming

#: ``wrong``: called certain, and at least one vertebra is named wrong. ``incomplete``: certain and nothing named wrong,
#: but a vertebra that is wholly in the image was not found.
Outcome = Literal["right", "uncertain", "refused", "wrong", "incomplete"]
OUTCOMES: tuple[Outcome, ...] = ("right", "uncertain", "refused", "wrong", "incomplete")


def outcome_of(naming: Naming, *, refused: bool, certain: bool) -> Outcome:
    """The outcome of an image whose names were judged by `vertenet.measure.matching.judge_names`."""
    if refused:
        return "refused"
    if not certain:
        return "uncertain"
    if "wrong" in naming.named.values():
        return "wrong"
    return "incomplete" if any(naming.named[level] == "missed" for level in naming.required) else "right"
