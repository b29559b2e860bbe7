"""Which image is worked on, what a pixel of it measures, and how it is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

from vertenet.radiograph import Spacing, SpacingSource

from ..i18n import _
from ..interfaces import Settings, Stage
from ..session import Session
from ..states import Action, Situation
from . import dialogs, forms
from .controls import Controls, Tell

STRATEGY_KEY = "image/strategy"
FILES = "*.dcm *.dicom *.ima *.png *.jpg *.jpeg *.tif *.tiff *.nii *.nii.gz *.nrrd *.mha"


class ImagePanel:
    """The next image of the server, a volume of the scene or a file; spacing with its source; the view."""

    def __init__(self, session: Session, stage: Stage, settings: Settings, scene: Any, tell: Tell) -> None:
        self._session, self._stage, self._settings = session, stage, settings
        self._spacing_shown: object = ()
        self._drafts_looked_at: object = ()
        self.root, self.ui = forms.load("ImagePanel")
        self.controls = Controls(session, tell)
        ui, button = self.ui, self.controls.button
        ui.volumeSelector.setMRMLScene(scene)
        ui.volumeSelector.connect("currentNodeChanged(vtkMRMLNode*)", lambda _node: self._follow_fields())
        forms.fill(ui.presetCombo, {"bone": _("Bone"), "soft tissue": _("Soft tissue"), "inverted": _("Inverted")})
        button(ui.nextImageButton, Action.NEXT_IMAGE, self.next_image, key="Ctrl+N")
        button(ui.useVolumeButton, Action.USE_VOLUME, self._use_volume, obstacle=self._no_volume)
        button(ui.openFileButton, Action.USE_VOLUME, self._open_file)
        button(ui.uploadButton, Action.UPLOAD, self._upload)
        button(ui.restoreDraftButton, Action.RESTORE_DRAFT, self._restore_draft)
        button(ui.setSpacingButton, Action.SET_SPACING, self._set_spacing, obstacle=self._no_size)
        button(ui.clearSpacingButton, Action.SET_SPACING, lambda: session.set_spacing(None))
        button(ui.flipButton, Action.ADJUST_VIEW, lambda: stage.view.set_flipped(ui.flipButton.checked), key="F")
        button(ui.fitButton, Action.ADJUST_VIEW, stage.view.fit, key="R")
        self.controls.field(ui.strategyCombo, Action.NEXT_IMAGE)
        self.controls.field(ui.volumeSelector, Action.USE_VOLUME)
        self.controls.field(ui.draftCombo, Action.RESTORE_DRAFT)
        self.controls.field(ui.presetCombo, Action.ADJUST_VIEW)
        ui.presetCombo.connect("activated(int)", lambda _place: stage.view.set_preset(ui.presetCombo.currentData))
        ui.strategyCombo.connect(
            "activated(int)", lambda _place: settings.set(STRATEGY_KEY, ui.strategyCombo.currentData)
        )
        for spin in (ui.columnSpacingSpin, ui.rowSpacingSpin):
            self.controls.field(spin, Action.SET_SPACING)
            spin.connect("valueChanged(double)", lambda _value: self._follow_fields())

    def next_image(self) -> None:
        """Ask the server for the next image, in the chosen order."""
        self._session.next_image(self.strategy)

    @property
    def strategy(self) -> str:
        """The chosen order."""
        return self.ui.strategyCombo.currentData or "hybrid"

    def refresh(self, situation: Situation) -> None:
        ui, image = self.ui, self._stage.image
        if self._session.info is not None:
            words, first = _strategies(), ui.strategyCombo.count == 0
            forms.fill(ui.strategyCombo, {name: words.get(name, name) for name in self._session.info.strategies})
            if first:
                forms.choose(ui.strategyCombo, self._settings.get(STRATEGY_KEY, "hybrid"))
        self._show_drafts(situation)
        if image is None:
            ui.imageLabel.text = _("No image yet.")
        else:
            size = _("{name}, {columns} × {rows} pixels").format(
                name=image.name, columns=image.columns, rows=image.rows
            )
            # That the size of a pixel is unknown is said below, beside the fields to enter it.
            warnings = image.warnings if image.spacing is not None else ()
            ui.imageLabel.text = "\n".join([size, *(f"⚠ {warning}" for warning in warnings)])
            ui.flipButton.checked = self._stage.view.is_flipped()
        forms.choose(ui.presetCombo, self._stage.view.preset())
        self._show_spacing(image is not None, None if image is None else image.spacing)
        self.controls.refresh(situation)

    def _show_drafts(self, situation: Situation) -> None:
        """Work on other images that was kept; the folder is looked at only when another image or server came."""
        image = "" if self._stage.image is None else self._stage.image.name
        looked = (image, situation.online, situation.unsent)
        if looked == self._drafts_looked_at:
            return
        self._drafts_looked_at = looked
        drafts = [draft for draft in self._session.drafts() if draft.image_name != image]
        self.ui.draftFrame.visible = bool(drafts)
        moments = {draft.key: draft.changed[:16].replace("T", " ") for draft in drafts}
        forms.fill(
            self.ui.draftCombo,
            {d.key: _("{image}, {when}").format(image=d.image_name, when=moments[d.key]) for d in drafts},
        )

    def _follow_fields(self) -> None:
        self.controls.refresh(self._session.situation)

    def _show_spacing(self, is_image: bool, spacing: Optional[Spacing]) -> None:
        ui = self.ui
        if not is_image:
            ui.spacingLabel.text = ""
        elif spacing is None:
            ui.spacingLabel.text = _("⚠ Size of a pixel unknown: nothing is given in millimetres until you enter it.")
        else:
            ui.spacingLabel.text = _("{column:.4g} × {row:.4g} mm a pixel, {source}{note}.").format(
                column=spacing.column,
                row=spacing.row,
                source=_sources()[spacing.source],
                note=f"; {spacing.note}" if spacing.note else "",
            )
        shown = (self._stage.image.volume_id if is_image else None, spacing)
        if shown != self._spacing_shown:  # else what the user is typing would be overwritten
            self._spacing_shown = shown
            ui.columnSpacingSpin.value = 0.0 if spacing is None else spacing.column
            ui.rowSpacingSpin.value = 0.0 if spacing is None else spacing.row

    def _no_volume(self) -> str:
        return "" if self.ui.volumeSelector.currentNode() is not None else _("Choose a volume first.")

    def _no_size(self) -> str:
        known = self.ui.columnSpacingSpin.value > 0 and self.ui.rowSpacingSpin.value > 0
        return "" if known else _("Enter width and height of a pixel in millimetres first.")

    def _use_volume(self) -> None:
        self._session.use_volume(self.ui.volumeSelector.currentNode().GetID())

    def _open_file(self) -> None:
        # DICOM files often have no ending at all.
        kinds = _("Images ({names});;All files ({all})").format(names=FILES, all="*")
        path = dialogs.choose_file(self.root, _("Open an image"), kinds)
        if path:
            self._session.open_file(Path(path))

    def _upload(self) -> None:
        server = self._session.info.name if self._session.info is not None else _("the server")
        if dialogs.ask_consent(self.root, self._stage.image.name, server):
            self._session.upload(True, True)

    def _restore_draft(self) -> None:
        self._session.restore_draft(self.ui.draftCombo.currentData)

    def _set_spacing(self) -> None:
        column, row = self.ui.columnSpacingSpin.value, self.ui.rowSpacingSpin.value
        self._session.set_spacing(Spacing(row, column, SpacingSource.USER))


def _strategies() -> dict[str, str]:
    return {
        "hybrid": _("most useful first"),
        "uncertainty": _("most doubtful first"),
        "diversity": _("one of each kind"),
        "random": _("by chance"),
        "first": _("in order"),
    }


def _sources() -> dict[SpacingSource, str]:
    return {
        SpacingSource.PIXEL_SPACING: _("from the file (PixelSpacing)"),
        SpacingSource.IMAGER_PIXEL_SPACING: _("at the detector (ImagerPixelSpacing)"),
        SpacingSource.NOMINAL_SCANNED: _("of the scanned film (NominalScannedPixelSpacing)"),
        SpacingSource.VOLUME_HEADER: _("from the volume's header"),
        SpacingSource.USER: _("given by you"),
        SpacingSource.PHANTOM: _("of the phantom"),
    }
