"""Which images an experiment is about: small enough to write down, complete enough to find them again anywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ..errors import OptionError, VerteNetError
from ..evaluation.perturbations import check_perturbation, moved, perturbed
from ..learning.cases import Case, annotated_cases, phantom_cases
from ..learning.samples import TRAINING_SEED, phantom_scanner
from .truth import cases_to_measure


@dataclass(frozen=True)
class Source:
    """A folder of annotated images, or phantoms by count, difficulty and first seed.

    ``to_measure``: the folder's truth may be partial (`vertenet.experiments.truth`), which nothing can be learnt from.
    ``under``: every image once under each of these `vertenet.evaluation.perturbations`, as a set of its name.

    Raises
    ------
    OptionError
        Neither a folder nor phantoms, or both; or there is no such perturbation.
    """

    folder: str | None = None
    phantoms: int = 0
    difficulty: str = "default"
    first_seed: int = TRAINING_SEED
    to_measure: bool = False
    under: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "under", tuple(self.under))
        for name in self.under:
            check_perturbation(name)
        if (self.folder is None) == (self.phantoms < 1):
            raise OptionError("an experiment needs either a folder of annotated images or a number of phantoms")


@dataclass(frozen=True)
class Entry:
    """What a fair split needs to know of a case."""

    name: str
    person: str
    scanner: str


class Cohort(Sequence[Entry]):
    """The entries of a `Source` in a fixed order; a case's landmarks and pixels come when they are asked for.

    Phantoms take a second each to draw, so a cohort of a thousand is listed without drawing one.
    """

    def __init__(self, source: Source) -> None:
        self.source = source

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> Entry:
        return self._entries[index]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def case(self, index: int) -> Case:
        """The case of entry ``index``."""
        if self.source.under:
            change, index = divmod(range(len(self))[index], len(self._unchanged))
            return _changed(self._case(index), self.source.under[change])
        return self._case(range(len(self))[index])

    def _case(self, index: int) -> Case:
        """The case of that number before any change."""
        if self._cases is not None:
            return self._cases[index]
        source = self.source
        return phantom_cases(1, difficulty=source.difficulty, first_seed=source.first_seed + index)[0]

    @cached_property
    def synthetic(self) -> bool:
        """No image is of a patient: phantoms, or a folder in which every image has a phantom's truth file."""
        return self._cases is None or all(case.synthetic for case in self._cases)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what the cases are: seeds and difficulty, or names, owners and landmarks."""
        parts: list = [self.source.difficulty, self.source.first_seed, len(self)]
        if self._cases is not None:
            parts = [_content(case) for case in self._cases]
        if self.source.under:
            parts.append(list(self.source.under))
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def describe(self) -> str:
        """A sentence without a full stop: how many images, of what, synthetic or not."""
        source, count = self.source, len(self._unchanged)
        under = f", each under {', '.join(source.under)}" if source.under else ""
        if self._cases is None:
            last = source.first_seed + count - 1
            return (
                f"{count} synthetic phantom images ({source.difficulty} difficulty, seeds {source.first_seed} to "
                f"{last}), no patient{under}"
            )
        kind = "synthetic phantom images, no patient," if self.synthetic else "annotated images"
        return f"{count} {kind} of the folder {Path(source.folder).name}{under}"

    @cached_property
    def _cases(self) -> list[Case] | None:
        if self.source.folder is None:
            return None
        folder = Path(self.source.folder)
        cases = cases_to_measure(folder) if self.source.to_measure else annotated_cases(folder)
        return [_with_true_spacing(case) for case in cases]

    @cached_property
    def _entries(self) -> list[Entry]:
        under = self.source.under
        if not under:
            return self._unchanged
        return [replace(entry, name=_name(entry.name, change)) for change in under for entry in self._unchanged]

    @cached_property
    def _unchanged(self) -> list[Entry]:
        if self._cases is not None:
            return [Entry(case.name, case.person, case.scanner) for case in self._cases]
        source = self.source
        seeds = range(source.first_seed, source.first_seed + source.phantoms)
        names = [f"{source.difficulty}-{seed}" for seed in seeds]
        return [Entry(name, name, phantom_scanner(seed)) for name, seed in zip(names, seeds)]


def _name(image: str, change: str) -> str:
    return f"{image}, {change}"


def _changed(case: Case, change: str) -> Case:
    """The case under a perturbation; one whose image cannot be read says so when it is."""
    known = {"name": _name(case.name, change), "set": change}
    try:
        radiograph, move = perturbed(change, case.radiograph(), case.name)
    except VerteNetError:
        return replace(case, **known)
    spine, anatomy = (moved(s, move, radiograph.rows, radiograph.columns) for s in (case.spine, case.anatomy))
    centres = {level: tuple(move(np.array([xy], float))[0].tolist()) for level, xy in case.centres.items()}
    return replace(case, spine=spine, anatomy=anatomy, centres=centres, load=lambda: radiograph, **known)


def _content(case: Case) -> list:
    parts = [case.name, case.person, case.scanner, case.spine.to_dict(), case.anatomy.to_dict()]
    partial = [{str(level): list(xy) for level, xy in case.centres.items()}, case.side_known, case.set, case.doubtful]
    return parts if partial == [{}, True, "", False] else [*parts, *partial]


def _with_true_spacing(case: Case) -> Case:
    """A phantom's PNG states no pixel size, its truth file does."""
    if case.true_spacing is None:
        return case
    return replace(case, load=lambda: case.load().with_spacing(case.true_spacing))
