"""Comparison: predictions of several methods on the same images, and everything a reader must know about them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ..errors import OptionError
from ..evaluation.landmark_table import read_tables
from .data import Cohort
from .plan import Plan, describe_experiment, predictions_file, read_plan
from .run import Task, failure_file


@dataclass(frozen=True, eq=False)
class Comparison:
    """What the tables, plots and the report are made of.

    Attributes
    ----------
    title : str
    table : DataFrame
        Long table of landmarks with a column ``method``: the label of each row of the tables.
    primary : tuple of str
        Labels that plots show and that are compared with the reference.
    reference : str
        The label that the others are compared with.
    data, conditions : str
        What the images are, and what the methods were given: sentences without a full stop.
    synthetic : bool
        No image is of a patient.
    models : DataFrame
        ``method``, ``weights`` (12 digits of the SHA-256; of each fold), ``trained on``.
    costs : DataFrame
        A row a method: ``method``, ``parameters_m``, ``gmac``, ``memory_mb``, ``seconds``, ``threads``,
        ``train_minutes``, ``train_memory_mb``, ``images_seen``; empty where nothing was measured.
    curves : DataFrame
        Logs of the training runs: ``method``, ``fold``, ``images_seen`` and what the log holds; may be empty.
    failures : DataFrame
        ``method``, ``fold``, ``reason``.
    notes : tuple of str
        Further sentences that belong into the report.
    """

    title: str
    table: pd.DataFrame
    primary: tuple[str, ...]
    reference: str
    data: str
    conditions: str
    synthetic: bool
    models: pd.DataFrame
    costs: pd.DataFrame = field(default_factory=pd.DataFrame)
    curves: pd.DataFrame = field(default_factory=pd.DataFrame)
    failures: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["method", "fold", "reason"]))
    notes: tuple[str, ...] = ()

    @property
    def methods(self) -> tuple[str, ...]:
        """Every label, in the order of the table."""
        return tuple(dict.fromkeys(self.table["method"]))

    def of(self, method: str) -> pd.DataFrame:
        return self.table[self.table["method"] == method]


def read_experiment(folder: Path, reference: str | None = None) -> Comparison:
    """What an experiment's folder holds so far.

    Parameters
    ----------
    folder : Path
    reference : str, optional
        Method that the others are compared with; default ``vertenet``, else the first that has results.

    Raises
    ------
    OptionError
        It is no experiment, nothing of it is finished, or ``reference`` has no results.
    """
    plan, known = read_plan(folder), describe_experiment(folder)
    cohort = Cohort(plan.source)
    tasks = [Task(method, fold) for method in plan.methods for fold in plan.folds_to_run(cohort)]
    finished = [task for task in tasks if predictions_file(folder, task.method, task.fold).exists()]
    if not finished:
        raise OptionError("no method of this experiment is finished", subject=folder, remedy="Run it first")
    table = pd.concat([_labelled(folder, task, plan) for task in finished], ignore_index=True)
    labels = {method: list(dict.fromkeys(part["method"])) for method, part in table.groupby("zoo", sort=False)}
    primary = tuple(names[0] for names in labels.values())
    if reference is None:
        reference = "vertenet" if "vertenet" in labels else next(iter(labels))
    if reference not in labels:
        raise OptionError(
            f"{reference!r} has no results here", subject=folder, remedy=f"Those with: {', '.join(labels)}"
        )
    records = {task: json.loads((folder / task.method / f"fold-{task.fold}.json").read_text()) for task in finished}
    return Comparison(
        title=plan.title,
        table=table.drop(columns="zoo"),
        primary=primary,
        reference=labels[reference][0],
        data=known["data"],
        conditions=f"Budget: {known['budget']}",
        synthetic=known["synthetic"],
        models=_models(records),
        costs=_costs(folder, records),
        curves=_curves(folder, plan, tasks),
        failures=_failures(folder, tasks),
        notes=_notes(plan, cohort, tasks, finished),
    )


def _labelled(folder: Path, task: Task, plan: Plan) -> pd.DataFrame:
    table = read_tables([predictions_file(folder, task.method, task.fold)])
    several = table["variant"].nunique() > 1
    # The first decoder is the plan's own: the method goes by its bare name under it.
    bare = {plan.decoders[0], "points"}
    label = {v: f"{task.method}, {v}" if several and v not in bare else task.method for v in table["variant"].unique()}
    return table.assign(method=table["variant"].map(label), zoo=task.method, fold=task.fold)


def _models(records: dict[Task, dict]) -> pd.DataFrame:
    rows = [
        {
            "method": task.method,
            "fold": task.fold,
            "weights": record["weights_sha256"][:12],
            "trained on": record["training_data"],
        }
        for task, record in records.items()
    ]
    return pd.DataFrame(rows)


def _costs(folder: Path, records: dict[Task, dict]) -> pd.DataFrame:
    rows = []
    for method in dict.fromkeys(task.method for task in records):
        runs = [record for task, record in records.items() if task.method == method]
        row = {
            "method": method,
            "train_minutes": sum(run["seconds"] for run in runs) / 60 / len(runs),
            "train_memory_mb": max((run["peak_memory_mb"] or float("nan")) for run in runs),
            "images_seen": runs[0]["images_seen"],
        }
        path = folder / method / "cost.json"
        if path.exists():
            found = json.loads(path.read_text(encoding="utf-8"))
            row.update(
                input="{} x {}".format(*found["input_size"]),
                parameters_m=found["parameters"] / 1e6,
                gmac=found["gmac"],
                memory_mb=found["memory_mb"],
                seconds=found["seconds"],
                threads=found["threads"],
            )
        rows.append(row)
    return pd.DataFrame(rows)


def _curves(folder: Path, plan: Plan, tasks: Sequence[Task]) -> pd.DataFrame:
    parts = []
    for task in tasks:
        log = folder / task.method / f"fold-{task.fold}" / "log.csv"
        if log.exists():
            rows = pd.read_csv(log)
            parts.append(rows.assign(method=task.method, fold=task.fold, images_seen=rows["step"] * plan.recipe.batch))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _failures(folder: Path, tasks: Sequence[Task]) -> pd.DataFrame:
    rows = []
    for task in tasks:
        file = failure_file(folder, task.method, task.fold)
        if file.exists():
            rows.append((task.method, task.fold, file.read_text(encoding="utf-8").strip()))
    return pd.DataFrame(rows, columns=["method", "fold", "reason"])


def _notes(plan: Plan, cohort: Cohort, tasks: Sequence[Task], finished: Sequence[Task]) -> tuple[str, ...]:
    folds = int(plan.fold_of(cohort).max()) + 1
    kind = "a fold a scanner" if plan.scheme == "scanners" else "a person's scans in one fold, scanners spread evenly"
    notes = [f"{len(plan.folds_to_run(cohort))} of {folds} folds are run ({kind})."]
    if len(finished) < len(tasks):
        names = ", ".join(str(task) for task in tasks if task not in finished)
        notes.append(f"Not finished, so not in the figures: {names}.")
    if len(plan.decoders) > 1:
        notes.append(
            f"Levels are named by the decoder {plan.decoders[0]!r}; rows that end in {', '.join(plan.decoders[1:])} "
            "decode the maps of the same weights otherwise. Networks that name their points themselves have one row."
        )
    return tuple(notes)
