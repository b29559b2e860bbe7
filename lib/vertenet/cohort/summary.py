"""How many images of a cohort can be used and why others cannot: by reason, by scanner, by month."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..reading import RESEARCH_USE

#: What an image is counted as; one may be several, such as uncertain and cropped.
COUNTED = ("read", "failed", "refused", "uncertain", "cropped", "crop_not_assessed", "usable")
UNKNOWN = "unknown"


@dataclass
class Group:
    """Counts of some images, and the middle of their quality."""

    images: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    scores: list[float] = field(default_factory=list)

    def add(self, row: Mapping[str, object], counted: Iterable[str]) -> None:
        self.images += 1
        self.counts.update(list(counted))
        if row.get("quality_score") is not None:
            self.scores.append(float(row["quality_score"]))

    def to_dict(self) -> dict[str, object]:
        score = round(statistics.median(self.scores), 3) if self.scores else None
        return {"images": self.images, **{name: self.counts[name] for name in COUNTED}, "median_quality": score}


class Summary:
    """Counts of a cohort, a row of results after another.

    *Usable* is an image that was read, whose levels are certain and whose aorta was not found to be cropped. Reasons
    are without what is particular to one image, see `vertenet.cohort.attention.kind_of_problem`.
    """

    def __init__(self) -> None:
        self.all = Group()
        self.reasons: dict[str, Counter[str]] = defaultdict(Counter)
        self.by_scanner: dict[str, Group] = defaultdict(Group)
        self.by_month: dict[str, Group] = defaultdict(Group)
        self.by_scanner_and_month: dict[tuple[str, str], Group] = defaultdict(Group)
        self.reasons_by_scanner: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        self.models: Counter[str] = Counter()

    def add(self, row: Mapping[str, object]) -> None:
        counted = counted_as(row)
        scanner, month = scanner_of(row), str(row.get("study_month") or UNKNOWN)
        groups = (self.all, self.by_scanner[scanner], self.by_month[month], self.by_scanner_and_month[scanner, month])
        for group in groups:
            group.add(row, counted)
        for kind, reason in counted.items():
            if reason is not None:
                self.reasons[kind][reason] += 1
                self.reasons_by_scanner[scanner][kind][reason] += 1
        if row.get("model"):
            self.models[f"{row['model']} {row['model_sha256']}"] += 1

    def to_dict(self) -> dict[str, object]:
        """Plain JSON: every count under the name of `COUNTED`."""
        scanners = sorted(self.by_scanner)
        return {
            "notice": RESEARCH_USE,
            **self.all.to_dict(),
            "by_reason": {kind: dict(found.most_common()) for kind, found in sorted(self.reasons.items())},
            "by_scanner": {
                scanner: {
                    **self.by_scanner[scanner].to_dict(),
                    "by_reason": {k: dict(c.most_common()) for k, c in self.reasons_by_scanner[scanner].items()},
                }
                for scanner in scanners
            },
            "by_month": {month: self.by_month[month].to_dict() for month in sorted(self.by_month)},
            "by_scanner_and_month": [
                {"scanner": scanner, "month": month, **self.by_scanner_and_month[scanner, month].to_dict()}
                for scanner, month in sorted(self.by_scanner_and_month)
            ],
            "models": dict(self.models.most_common()),
        }


def counted_as(row: Mapping[str, object]) -> dict[str, str | None]:
    """What an image counts as, of `COUNTED`, each with its reason; None where the name says it all."""
    if row["outcome"] == "failed":
        return {"failed": str(row.get("reason"))}
    if row["outcome"] == "refused":
        return {"refused": str(row.get("reason"))}
    counted: dict[str, str | None] = {"read": None}
    if row.get("levels_certain") == "no":
        levels = str(row.get("levels") or "").split()
        counted["uncertain"] = f"{levels[0]} to {levels[-1]} found" if levels else "no vertebra found"
    if row.get("crop_state") == "cropped":
        counted["cropped"] = str(row.get("crop_causes"))
    elif row.get("crop_state") != "clear":
        counted["crop_not_assessed"] = "a vertebra is missing" if row.get("crop_reason") else UNKNOWN
    if not counted.keys() & {"uncertain", "cropped"}:
        counted["usable"] = None
    return counted


def scanner_of(row: Mapping[str, object]) -> str:
    """Manufacturer and model as one name."""
    return " ".join(str(row[name]) for name in ("manufacturer", "scanner") if row.get(name)) or UNKNOWN
