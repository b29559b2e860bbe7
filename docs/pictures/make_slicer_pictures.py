"""Make the pictures of docs/slicer.md and the screenshots of the extension: real server, real MRML, shimmed Qt.

export PYTHONPATH=slicer_module/VerteNet
python -m docs.pictures.make_slicer_pictures --out docs/images
python -m docs.pictures.make_slicer_pictures --panels FOLDER [--dark]    # to look at; QT_SCALE_FACTOR=2: twice

Everything is done through the module's own widget, by pressing its buttons. Images are phantoms of sample_data. Needs
what the tests need (slicer-core, PySide6); Slicer itself draws the panels with other fonts and frames.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402
from tests.slicer_module.mrml_scene import MrmlScene  # noqa: E402
from tests.slicer_module.qt_shim import Shim, installed  # noqa: E402

from vertenet import phantom  # noqa: E402
from vertenet.server.background import BackgroundServer  # noqa: E402

VIEW, PANEL_WIDTH = (620, 1000), 430
#: id on the server (offered in this order) to the file in sample_data.
IMAGES = {
    "1-clean": "02-clean-4500a-dicom.dcm",
    "2-dark": "05-cropped-black.png",
    "3-bright": "06-cropped-white.png",
}
#: A phantom cut to four vertebrae, without chest and sacrum: nobody could be sure of the levels.
UNCERTAIN, UNCERTAIN_SEED, UNCERTAIN_ROWS = "4-levels", 1, slice(491, 942)
#: The smallest round that really trains, changes the weights hardly and so passes the gate.
TRAINING = {"steps": 2, "batch": 2, "minutes": 5, "device": "cpu", "learning_rate": 1e-6, "freeze": "encoder"}
GRADES = (1, 0, 1, 2, 2, 3, 1)
#: Sections that can be folded, by the tab that they are on; the others are always open on the first one.
FOLDED = {"landmarks": 0, "overlays": 0, "measures": 0, "notes": 0}
FOLDED |= {"connection": 1, "image": 1, "habits": 1, "training": 1}
#: In view pixels: L3-SA is pulled behind its own vertebra.
FAULT, FAR = "L3-SA", (-120, -30)
PATIENCE_S = 240
#: Greys are kept in steps of so much, which nobody sees and which halves the files; colours are kept as they are.
GREY_STEP = 5
#: Black beside the image that is left over.
MARGIN = 30
#: Of two views in one picture.
SMALLER = 0.7


class Walk:
    """The module as a reader uses it, by its buttons, and pictures of it on the way."""

    def __init__(self, mrml: MrmlScene, shim: Shim, folder: Path) -> None:
        from VerteNet import VerteNetWidget

        self.mrml, self.shim, self._part = mrml, shim, folder / "part.png"
        self.widget = VerteNetWidget()
        self.widget.make_stage = mrml.stage
        self.widget.setup()
        self.widget.enter()
        self.session, self.stage, self.panel = self.widget.session, self.widget.stage, self.widget.panel
        shim.show(self.widget.parent, PANEL_WIDTH)

    def press(self, button: Any) -> None:
        """Press a button that can be pressed, and wait for what comes of it."""
        self.settle()
        if not button.enabled:
            raise RuntimeError(f"{button.name} cannot be pressed: {button.toolTip}")
        button.click()
        self.settle()

    def settle(self, until: Callable[[], Any] = lambda: True) -> None:
        """Let the module's own timer run until nothing is under way."""
        deadline = time.monotonic() + PATIENCE_S
        shown = time.monotonic() + 0.3  # the panels follow ten times a second
        while self.session.situation.busy or not until() or time.monotonic() < shown:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.session.progress}, {self.session.message}")
            self.shim.process_events()
            time.sleep(0.01)
        if self.session.message is not None and self.session.message.kind == "error":
            raise RuntimeError(self.session.message.text)

    def next_image(self, name: str) -> None:
        self.press(self.panel.image.ui.nextImageButton)
        if self.session.sample.image_id != name:
            raise RuntimeError(f"{self.session.sample.image_id} came instead of {name}")
        self.press(self.panel.landmarks.ui.autoLandmarkButton)

    def confirm(self) -> None:
        self.press(self.panel.levels.ui.confirmButton)

    def view(self) -> Image.Image:
        self.mrml.render()
        self.stage.view.capture(self._part)
        return self._taken()

    def section(self, name: str) -> Image.Image:
        """One panel as it looks in the window."""
        self.unfold(name)
        self.shim.picture(getattr(self.panel, name).root, self._part)
        return self._taken()

    def unfold(self, *names: str) -> None:
        """Show these sections and fold the others."""
        for name in FOLDED:
            getattr(self.panel.ui, f"{name}Section").collapsed = name not in names
        self.panel.show_tab(max([FOLDED.get(name, 0) for name in names], default=0))
        self.settle()

    def window(self) -> Image.Image:
        """Panels and view side by side, as Slicer shows them."""
        self.shim.main_window.resize(PANEL_WIDTH, VIEW[1])
        self.shim.picture(self.shim.main_window, self._part)
        return beside(self._taken(), self.view(), gap=0)

    def drag(self, name: str, by: tuple[int, int]) -> None:
        level, corner = name.split("-")
        lps = self.stage.image.geometry.to_lps(self.stage.landmarks.spine()[level][corner].xy)[0]
        self.mrml.render()
        x, y = self.mrml.to_display(lps * (-1, -1, 1))
        self.mrml.drag((x, y), (x + by[0], y + by[1]))

    def _taken(self) -> Image.Image:
        with Image.open(self._part) as picture:
            return picture.convert("RGB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "images")
    parser.add_argument("--panels", type=Path, help="write a picture of every panel here instead")
    parser.add_argument("--dark", action="store_true", help="as in a dark application")
    arguments = parser.parse_args()
    out, make = arguments.out, pictures
    if arguments.panels:
        out, make = arguments.panels, panels
        out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        with serving(folder) as server, MrmlScene(*VIEW) as mrml, installed(mrml.scene, folder) as shim:
            if arguments.dark:
                shim.application.setStyle("Fusion")
                shim.application.setPalette(dark_palette())
            walk = Walk(mrml, shim, folder)
            try:
                for name, picture in make(walk, server.url):
                    save(picture, out / f"slicer-{name}.png")
            finally:
                walk.widget.cleanup()


def pictures(walk: Walk, url: str) -> Iterator[tuple[str, Image.Image]]:
    """Name and picture, in the order of the tutorial's work."""
    panel = walk.panel
    panel.connection.ui.urlEdit.text = url
    walk.press(panel.connection.ui.connectButton)
    yield "connect", walk.section("connection")

    panel.habits.ui.askBox.checked = False  # nobody is there to answer
    forms_choose(panel.image.ui.strategyCombo, "first")
    walk.next_image("1-clean")
    yield "landmarks", trimmed(walk.view())
    walk.unfold("measures")
    yield "module", walk.window()
    walk.unfold()
    walk.confirm()
    for grade in GRADES:
        panel.reading.aac.give(grade)
    walk.settle()
    yield "reading", walk.window()
    walk.press(panel.image.ui.fitButton)
    walk.drag(FAULT, FAR)
    walk.settle()
    yield "fault", beside(walk.section("landmarks"), close_up(walk, FAULT))
    walk.press(panel.landmarks.ui.undoButton)
    walk.press(panel.session.ui.submitButton)

    cropped = []
    for name in ("2-dark", "3-bright"):
        walk.next_image(name)
        cropped.append(trimmed(walk.view()))
        walk.press(panel.session.ui.submitButton)
    yield "crop", smaller(beside(*cropped))

    walk.next_image(UNCERTAIN)
    yield "uncertain", beside(walk.section("levels"), smaller(trimmed(walk.view())))
    walk.session.train(TRAINING)  # the button asks for minutes; this round ends after two steps
    walk.settle(until=lambda: walk.session.training is not None and walk.session.training.published is not None)
    yield "training", walk.section("training")


def panels(walk: Walk, url: str) -> Iterator[tuple[str, Image.Image]]:
    """Every panel by itself, and the whole of both tabs."""
    panel = walk.panel
    panel.connection.ui.urlEdit.text = url
    walk.press(panel.connection.ui.connectButton)
    forms_choose(panel.image.ui.strategyCombo, "first")
    walk.next_image("1-clean")
    walk.press(panel.image.ui.nextImageButton)
    walk.press(panel.landmarks.ui.autoLandmarkButton)
    for name in ("reading", "levels", "session", *FOLDED):
        yield name, walk.section(name)
    walk.unfold()
    yield "read-tab", walk.window()
    walk.confirm()
    panel.reading.aac.give(1)
    yield "read-tab-graded", walk.window()
    walk.unfold("connection", "image", "habits")
    yield "set-up-tab", walk.window()


def dark_palette() -> Any:
    from PySide6.QtGui import QColor, QPalette

    palette, role = QPalette(), QPalette.ColorRole
    paper, ink, base = QColor(45, 45, 45), QColor(230, 230, 230), QColor(30, 30, 30)
    for each, colour in (
        (role.Window, paper),
        (role.WindowText, ink),
        (role.Base, base),
        (role.AlternateBase, paper),
        (role.ToolTipBase, base),
        (role.ToolTipText, ink),
        (role.Text, ink),
        (role.Button, paper),
        (role.ButtonText, ink),
        (role.PlaceholderText, QColor(150, 150, 150)),
        (role.Highlight, QColor(42, 130, 218)),
        (role.HighlightedText, QColor(0, 0, 0)),
    ):
        palette.setColor(each, colour)
    for each in (role.Text, role.ButtonText, role.WindowText):
        palette.setColor(QPalette.ColorGroup.Disabled, each, QColor(130, 130, 130))
    return palette


def forms_choose(combo: Any, data: str) -> None:
    from VerteNetLib.widgets import forms

    forms.choose(combo, data)


def close_up(walk: Walk, point: str, size: tuple[int, int] = (420, 420)) -> Image.Image:
    """The view around a point."""
    level, corner = point.split("-")
    lps = walk.stage.image.geometry.to_lps(walk.stage.landmarks.spine()[level][corner].xy)[0]
    x, y = walk.mrml.to_display(lps * (-1, -1, 1))
    left, top = x - size[0] // 2, VIEW[1] - y - size[1] // 2
    return walk.view().crop((left, top, left + size[0], top + size[1]))


def beside(*parts: Image.Image, gap: int = 12) -> Image.Image:
    """Pictures in a row on white."""
    width = sum(part.width for part in parts) + gap * (len(parts) - 1)
    row = Image.new("RGB", (width, max(part.height for part in parts)), "white")
    left = 0
    for part in parts:
        row.paste(part, (left, 0))
        left += part.width + gap
    return row


def trimmed(view: Image.Image) -> Image.Image:
    """The view without most of the black at its sides."""
    columns = np.flatnonzero(np.asarray(view).max(axis=(0, 2)) > 0)
    left, right = max(columns[0] - MARGIN, 0), min(columns[-1] + MARGIN, view.width)
    return view.crop((left, 0, right, view.height))


def smaller(picture: Image.Image) -> Image.Image:
    size = (round(picture.width * SMALLER), round(picture.height * SMALLER))
    return picture.resize(size, Image.Resampling.LANCZOS)


def save(picture: Image.Image, path: Path) -> None:
    pixels = np.asarray(picture).astype(int)
    grey = np.ptp(pixels, axis=2) < GREY_STEP
    pixels[grey] = np.minimum(np.round(pixels[grey].mean(axis=1, keepdims=True) / GREY_STEP) * GREY_STEP, 255)
    Image.fromarray(pixels.astype(np.uint8)).save(path, optimize=True)
    print(f"{path.name}: {picture.width} x {picture.height}, {path.stat().st_size // 1024} KiB")


@contextmanager
def serving(folder: Path) -> Iterator[BackgroundServer]:
    """`vertenet serve` on a copy of the app over the images."""
    studies = folder / "studies"
    studies.mkdir()
    for name, file in IMAGES.items():
        shutil.copy(REPOSITORY / "sample_data" / file, studies / f"{name}{Path(file).suffix}")
    drawn = phantom.generate(UNCERTAIN_SEED, difficulty="easy", crop=None).radiograph.pixels[UNCERTAIN_ROWS]
    Image.fromarray(np.round(drawn).astype(np.uint8)).save(studies / f"{UNCERTAIN}.png")
    ignore = shutil.ignore_patterns("__pycache__", "logs")
    app = shutil.copytree(REPOSITORY / "apps" / "vertenet", folder / "app", ignore=ignore)
    command = [sys.executable, "-m", "vertenet.cli", "serve", "--studies", str(studies), "--port", "0"]
    command += ["--app", str(app), "--conf", "replay=2", "--conf", "replay_judging=8"]
    environment = {"MONAI_LABEL_SESSION_PATH": str(folder / "sessions")}
    with BackgroundServer(command, environment=environment) as server:
        yield server


if __name__ == "__main__":
    main()
