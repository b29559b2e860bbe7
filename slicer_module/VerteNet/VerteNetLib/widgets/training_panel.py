"""The model learns from the labels; which version is served, and why."""

from __future__ import annotations

import qt

from ..answers import ModelVersion, TrainingProgress
from ..i18n import _
from ..session import Session
from ..states import Action, Situation
from . import dialogs, forms
from .controls import Controls, Tell


class TrainingPanel:
    """Train, watch, stop; the versions, and the way back for administrators."""

    def __init__(self, session: Session, tell: Tell) -> None:
        self._session = session
        self.root, self.ui = forms.load("TrainingPanel")
        self.controls = Controls(session, tell)
        ui, button = self.ui, self.controls.button
        table = ui.versionsTable
        table.setColumnCount(3)
        table.setHorizontalHeaderLabels([_("Version"), _("Published"), _("Why")])
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        table.setSelectionMode(qt.QAbstractItemView.SingleSelection)
        table.verticalHeader().setVisible(False)
        table.verticalHeader().setDefaultSectionSize(24)
        table.horizontalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        table.horizontalHeader().setSectionResizeMode(2, qt.QHeaderView.Stretch)
        table.connect("itemSelectionChanged()", lambda: self.controls.refresh(session.situation))
        button(ui.trainButton, Action.TRAIN, lambda: session.train({"minutes": ui.minutesSpin.value}))
        button(ui.stopTrainingButton, Action.STOP_TRAINING, session.stop_training)
        button(ui.rollBackButton, Action.ROLL_BACK, self._roll_back, obstacle=self._nothing_to_serve)
        self.controls.field(ui.minutesSpin, Action.TRAIN)

    def refresh(self, situation: Situation) -> None:
        ui, training = self.ui, self._session.training
        running = training is not None and training.is_running
        ui.trainingBar.visible = running
        if running:
            ui.trainingBar.value = round(100 * training.epoch / max(training.total_epochs, 1))
        ui.trainingLabel.text = training_sentence(training)
        versions = self._session.versions
        forms.show_table(ui.versionsTable, [_row(version) for version in versions], [_tip(v) for v in versions])
        self.controls.refresh(situation)

    def _chosen(self) -> ModelVersion | None:
        row, versions = self.ui.versionsTable.currentRow(), self._session.versions
        return versions[row] if 0 <= row < len(versions) else None

    def _nothing_to_serve(self) -> str:
        chosen = self._chosen()
        if chosen is None:
            return _("Select a version in the table first.")
        return _("This version is served already.") if chosen.served else ""

    def _roll_back(self) -> None:
        chosen = self._chosen()
        question = _("From now on the server answers everybody with version {name}. Go on?").format(name=chosen.name)
        if dialogs.confirm(self.root, question, _("Serve {name}").format(name=chosen.name)):
            self._session.roll_back(chosen.name)


def training_sentence(training: TrainingProgress | None) -> str:
    """How the training goes, or how it ended and what the gate said."""
    if training is None or training.state == "none":
        return _("No training yet.")
    if training.is_running:
        parts = [
            _("Training: {phase}, pass {epoch} of {total}").format(
                phase=training.phase or _("preparing"), epoch=training.epoch, total=training.total_epochs
            )
        ]
        if training.metric > 0:
            parts.append(_("{percent:.0f} % of landmarks within 4 px").format(percent=100 * training.metric))
        if training.seconds_left is not None:
            parts.append(_("about {n} min left").format(n=max(1, round(training.seconds_left / 60))))
        return ", ".join(parts) + "."
    words = {"done": _("Training has ended."), "failed": _("Training failed."), "killed": _("Training was stopped.")}
    parts = [words.get(training.state, training.state)]
    if training.published is not None:
        parts.append(
            _("✔ The gate passed it: version {version} is served now.").format(version=training.version)
            if training.published
            else _("The gate refused it: the model served before stays.")
        )
    return " ".join([*parts, training.message]).strip()


def _row(version: ModelVersion) -> list[str]:
    name = _("{name} (served)").format(name=version.name) if version.served else version.name
    return [name, version.created[:10] or "–", version.verdict or _("the starter")]


def _tip(version: ModelVersion) -> str:
    lines = [version.verdict, version.training_data, f"SHA-256 {version.sha256}"]
    if version.synthetic_only:
        lines.append(_("Trained on synthetic images only."))
    return "\n".join(line for line in lines if line)
