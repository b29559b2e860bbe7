"""Who is trained on and who judges: decided by a hash of the patient alone, once and for all rounds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from vertenet.learning.cases import Case

#: Of the patients, about, whose images never train anything.
SHARE = 0.2
#: Goes into the hash; another text would be another split.
_SPLIT = "vertenet-split/1"


def is_held(person: str, share: float = SHARE) -> bool:
    """Whether a patient's images judge models and never train them.

    It depends on the patient's (pseudonymous) name and on nothing else, so it is the same in every round, whoever else
    joins. `vertenet.learning.cases.split_by_person` fills up small cohorts with further persons and then moves them
    back: good for one training, wrong for the next one, which would be judged on what an earlier one has learned.
    """
    digest = hashlib.sha256(f"{_SPLIT}\0{person}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def split(cases: Sequence[Case]) -> tuple[list[Case], list[Case]]:
    """Cases to train on, and cases to judge by."""
    return [case for case in cases if not is_held(case.person)], [case for case in cases if is_held(case.person)]
