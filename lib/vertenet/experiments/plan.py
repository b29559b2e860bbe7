"""Plan: everything that decides an experiment; and the folder that holds one.

An experiment is one folder::

    experiment.json                the plan and the software
    folds.csv                      every image with its person, scanner and fold
    samples/                       training samples, shared by networks of one input size
    <method>/fold-<k>/             the training run (`vertenet.learning`)
    <method>/fold-<k>.json         what the run cost: time, memory, images seen, hash of the weights
    <method>/fold-<k>.log          what the process said; <method>/fold-<k>.failure.txt if it failed
    <method>/predictions/fold-<k>.csv   the long table of the test images
    <method>/cost.json             parameters, multiply-adds, memory and time of one prediction
    tables/  plots/  report.html   made of all that by `vertenet compare`
"""

from __future__ import annotations

import csv
import io
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from .. import RESEARCH_USE, __version__
from ..errors import OptionError
from ..files import write_text
from ..inference import DECODERS
from ..learning.recipe import Recipe
from ..networks.zoo import names
from .data import Cohort, Source
from .folds import Split, make_folds, scanner_folds, split

FORMAT = "vertenet-experiment/1"
SCHEMES = ("persons", "scanners")


@dataclass(frozen=True)
class Plan:
    """Everything that decides an experiment.

    Attributes
    ----------
    title : str
    methods : tuple of str
        Names of the zoo; every one is trained by the same recipe on the same folds.
    source : Source
    recipe : Recipe
        Of every run; its ``network`` and ``seed`` are filled in for each.
    scheme : {"persons", "scanners"}
        Folds of persons with every scanner in each, or a fold a scanner that training never sees.
    folds : int
        Number of folds of persons.
    run_folds : int or None
        How many of them are run, from the first; None: all.
    seed : int
        Of folds and of runs.
    decoders : tuple of str
        How maps become named vertebrae; the first one is that of the plots and of the comparisons.

    Raises
    ------
    OptionError
        A value is outside what is accepted.
    """

    title: str
    methods: tuple[str, ...]
    source: Source
    recipe: Recipe
    scheme: str = "persons"
    folds: int = 10
    run_folds: int | None = None
    seed: int = 0
    decoders: tuple[str, ...] = ("levels", "top-six")

    def __post_init__(self) -> None:
        _check_names("network", self.methods, names())
        _check_names("decoder", self.decoders, DECODERS)
        _check_names("scheme", (self.scheme,), SCHEMES)
        if self.run_folds is not None and self.run_folds < 1:
            raise OptionError("at least one fold must be run")

    def to_dict(self) -> dict:
        data = {**self.__dict__, "source": dict(self.source.__dict__), "recipe": self.recipe.to_dict()}
        return json.loads(json.dumps(data))

    @classmethod
    def from_dict(cls, data: Mapping) -> Plan:
        kept = {name: data[name] for name in cls.__dataclass_fields__}
        kept.update(source=Source(**data["source"]), recipe=Recipe.from_dict(data["recipe"]))
        kept.update(methods=tuple(data["methods"]), decoders=tuple(data["decoders"]))
        return cls(**kept)

    def budget(self) -> str:
        """What every method may spend, as a sentence without a full stop."""
        recipe = self.recipe
        text = f"{recipe.steps} steps of {recipe.batch} images ({recipe.steps * recipe.batch} seen)"
        if recipe.minutes is not None:
            text = f"{recipe.minutes:g} minutes, at most {text}"
        return f"{text} for every method, {recipe.precision}, learning rate {recipe.learning_rate:g}"

    def recipe_of(self, method: str, fold: int) -> Recipe:
        """The recipe of one run; every method of a fold starts from the same seed."""
        options = dict(self.recipe.options)
        return replace(self.recipe, network=method, options=options, seed=1000 * self.seed + fold + 1)

    def fold_of(self, cohort: Cohort) -> np.ndarray:
        """(n,) int: the fold that each image is tested in."""
        if self.scheme == "scanners":
            return scanner_folds(cohort)
        return make_folds(cohort, self.folds, self.seed)

    def split(self, cohort: Cohort, fold: int) -> Split:
        return split(cohort, self.fold_of(cohort), fold, self.seed)

    def folds_to_run(self, cohort: Cohort) -> range:
        folds = int(self.fold_of(cohort).max()) + 1
        return range(folds if self.run_folds is None else min(self.run_folds, folds))


def open_experiment(plan: Plan, folder: Path) -> Plan:
    """Write the plan into a new folder, or join it with the plan that is there.

    Methods may be added and folds run later; whatever else differs would compare the incomparable.

    Returns
    -------
    Plan
        With the methods of both.

    Raises
    ------
    OptionError
        The folder holds another experiment; the message names what differs.
    """
    cohort = Cohort(plan.source)
    if (folder / "experiment.json").exists():
        held = read_plan(folder)
        _check_same(plan, held, folder)
        if _read(folder)["fingerprint"] != cohort.fingerprint:
            raise OptionError(
                "its images or landmarks have changed since the experiment began",
                subject=folder,
                remedy="Begin anew in another folder",
            )
        methods = tuple(dict.fromkeys((*held.methods, *plan.methods)))
        counts = (held.run_folds, plan.run_folds)
        plan = replace(held, methods=methods, run_folds=None if None in counts else max(counts))
    content = {
        "format": FORMAT,
        **plan.to_dict(),
        "data": cohort.describe(),
        "synthetic": cohort.synthetic,
        "fingerprint": cohort.fingerprint,
        "budget": plan.budget(),
        "software": _software(),
        "written": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "notice": RESEARCH_USE,
    }
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["image", "person", "scanner", "fold"])
    folds = plan.fold_of(cohort)
    writer.writerows([case.name, case.person, case.scanner, fold] for case, fold in zip(cohort, folds))
    write_text(folder / "folds.csv", table.getvalue())
    write_text(folder / "experiment.json", json.dumps(content, indent=1) + "\n")
    return plan


def read_plan(folder: Path) -> Plan:
    """The plan in an experiment's folder; raises `OptionError` where there is none."""
    return Plan.from_dict(_read(folder))


def predictions_file(folder: Path, method: str, fold: int) -> Path:
    """The long table of a finished fold; while it grows its name ends in ``.part.csv``."""
    return folder / method / "predictions" / f"fold-{fold}.csv"


def describe_experiment(folder: Path) -> dict:
    """What experiment.json says beside the plan: ``data``, ``synthetic``, ``budget``, ``software``."""
    return {key: _read(folder)[key] for key in ("data", "synthetic", "budget", "software")}


def _check_names(what: str, given: tuple[str, ...], known: tuple[str, ...]) -> None:
    wrong = [name for name in given if name not in known]
    if wrong or not given:
        problem = f"there is no {what} {', '.join(map(repr, wrong))}" if wrong else f"no {what} is named"
        raise OptionError(problem, remedy=f"Known: {', '.join(known)}")
    if len(set(given)) < len(given):
        raise OptionError(f"a {what} is named twice")


def _check_same(plan: Plan, held: Plan, folder: Path) -> None:
    ours, theirs = _comparable(plan), _comparable(held)
    different = [key for key in ours if ours[key] != theirs[key]]
    if different:
        texts = [f"{key} is {theirs[key]!r} there and {ours[key]!r} here" for key in different]
        raise OptionError(
            f"it holds another experiment: {'; '.join(texts)}",
            subject=folder,
            remedy="Choose another folder, or go on with the options of experiment.json",
        )


def _read(folder: Path) -> dict:
    path = folder / "experiment.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise OptionError("this is not the folder of an experiment", subject=folder) from error
    except ValueError as error:
        raise OptionError(f"the plan cannot be read ({error})", subject=path) from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise OptionError(f"this is not a plan of the format {FORMAT}", subject=path)
    return data


def _comparable(plan: Plan) -> dict:
    data = plan.to_dict()
    recipe = data.pop("recipe")
    for entry in ("methods", "run_folds", "title"):
        data.pop(entry)
    # How fast it goes is not what is compared.
    return {**data, **{f"recipe {key}": value for key, value in recipe.items() if key != "threads"}}


def _software() -> dict[str, str]:
    import torch

    return {
        "vertenet": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }
