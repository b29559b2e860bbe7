"""What the parts of the module ask of each other; panels and session know these, never a concrete class.

Pixels are source pixels: x to the right, y down, centres at integers. Nothing here knows Qt or MRML.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Protocol

import numpy as np

from vertenet.measure import CropResult, Guide
from vertenet.measure.aac import Wall
from vertenet.measure.consistency import Contradiction
from vertenet.radiograph import Radiograph, Spacing, ViewerGeometry
from vertenet.reading import Reading
from vertenet.spine import Level, Spine, Status, Transition

from .answers import (
    Comparison,
    Consensus,
    ModelVersion,
    Proposal,
    Receipt,
    Sample,
    ServerInfo,
    Submission,
    TrainingProgress,
)

Unsubscribe = Callable[[], None]


class Server(Protocol):
    """A label server. Every method blocks, and raises `failures.ServerError` with a sentence for a person.

    Methods that send or fetch a file raise `jobs.CancelledError` where ``progress`` says so. ``size`` and ``sha256``
    are (rows, columns) of the image on the screen and of its file: an answer about another image is refused. Once
    `info` has answered, an answer of another store at the same address is `FailureKind.MISDIRECTED`.
    """

    def info(self) -> ServerInfo: ...
    def next_sample(self, strategy: str) -> Optional[Sample]: ...
    def fetch_image(self, image_id: str, folder: Path, progress: Optional[Progress] = None) -> Path: ...
    def infer(
        self, image_id: str, parameters: Mapping[str, Any], size: Optional[tuple[int, int]] = None, sha256: str = ""
    ) -> Proposal: ...
    def upload(self, path: Path, image_id: Optional[str] = None, progress: Optional[Progress] = None) -> str: ...
    def submit(self, submission: Submission) -> Receipt: ...
    def skip(self, image_id: str, reason: str) -> None: ...
    def next_second(self, known: Container[str]) -> Optional[Sample]:
        """An image that others have labelled and this annotator has not, and that nobody has settled yet."""

    def comparison(self, image_id: str) -> Comparison:
        """What every annotator says of an image, and how far they lie apart."""

    def make_consensus(self, image_id: str) -> Consensus: ...
    def start_training(self, options: Mapping[str, Any]) -> None: ...
    def stop_training(self) -> None: ...
    def training(self) -> TrainingProgress: ...
    def versions(self) -> Sequence[ModelVersion]: ...
    def rollback(self, version: str) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class LoadedImage:
    """The image on the screen.

    ``spacing`` is what millimetres are made of; None where nobody knows it. ``geometry`` is where the volume puts the
    pixels, before parent transforms: the frame of Markups files. ``warnings`` are sentences that a reader should see.
    """

    name: str
    rows: int
    columns: int
    spacing: Optional[Spacing]
    volume_id: str
    geometry: ViewerGeometry
    warnings: tuple[str, ...] = ()


class LandmarkEditor(Protocol):
    """The 24 points of the image in one Markups node, and what a reader does to them."""

    def show(self, spine: Spine) -> None: ...
    def spine(self) -> Optional[Spine]:
        """What the node says now; None where no landmarks are shown."""

    def clear(self) -> None: ...
    def selected(self) -> Optional[str]:
        """Name of the point that was clicked last, such as ``T12-SA``."""

    def select(self, name: str) -> None: ...
    def place_next_missing(self) -> Optional[str]:
        """Begin to place the next point that has no position; its name, None where all have one."""

    def place(self, name: str) -> None: ...
    def cancel_placing(self) -> None: ...
    def mark(self, names: Sequence[str], status: Status) -> None:
        """Take points away and say why: ``missing``, ``outside`` or ``unevaluable``."""

    def set_locked(self, locked: bool) -> None: ...
    def is_locked(self) -> bool: ...
    def last_change(self) -> int:
        """The moment (`history.History`) of what `undo` takes back; 0 where it takes nothing back."""

    def next_change(self) -> int:
        """The same of `redo`."""

    def forget_undone(self) -> None:
        """`redo` makes nothing again from here on."""

    def undo(self) -> None: ...
    def redo(self) -> None: ...
    def shift_levels(self, steps: int) -> None:
        """Rename every vertebra ``steps`` levels towards the feet; one undo takes it back."""

    def set_transition(self, transition: Transition) -> None: ...
    def replace(self, spine: Spine) -> None:
        """Other landmarks for the same image, such as the model's second reading; one undo takes it back."""

    def faults(self) -> Sequence[str]:
        """Sentences on what cannot be: crossed corners, levels out of order."""

    def doubts(self) -> Sequence[Contradiction]:
        """The same with the levels that each is about."""

    def subscribe(self, changed: Callable[[], None]) -> Unsubscribe:
        """``changed`` is called after every change, also while a point is dragged."""


class Overlays(Protocol):
    """What is drawn from the landmarks; follows them by itself.

    What is hidden stays hidden on the next image. Kinds that can be shown or hidden: ``guides``, ``bands``,
    ``corridor``, ``crop``, ``labels``.
    """

    def set_visible(self, kind: str, visible: bool) -> None: ...
    def is_visible(self, kind: str) -> bool: ...
    def mark_cell(self, cell: Optional[tuple[Level, Wall]]) -> None:
        """Mark where a wall of an AAC segment is looked for; None: nowhere."""

    def cell_area(self, cell: tuple[Level, Wall]) -> Optional[np.ndarray]:
        """(n, 2) source pixels of what belongs to a cell: its segment of the corridor and its vertebra; None where that
        cannot be told."""

    def compare(self, spine: Optional[Spine], *, outlines: bool = False) -> None:
        """Draw the names of a second reading beside those of the landmarks, and its ``outlines``; None: no more."""

    def guides(self) -> Mapping[str, Guide]: ...
    def crop(self) -> Optional[CropResult]: ...
    def subscribe(self, changed: Callable[[], None]) -> Unsubscribe: ...


class ImageView(Protocol):
    """The one slice view."""

    def fit(self) -> None: ...
    def set_flipped(self, flipped: bool) -> None: ...
    def is_flipped(self) -> bool: ...
    def set_preset(self, name: str) -> None:
        """``bone``, ``soft tissue`` or ``inverted``; kept for the next images."""

    def preset(self) -> str: ...

    def jump_to(self, point: str) -> None: ...
    def zoom_to(self, xy: np.ndarray) -> None:
        """Show a part of the image, (n, 2) source pixels, in the middle and as large as fits."""

    def magnify(self, magnified: bool) -> None:
        """Enlarge what is under the mouse, and go back to what was shown before."""

    def is_magnified(self) -> bool: ...
    def capture(self, path: Path) -> None:
        """Write the view as PNG."""


class Stage(Protocol):
    """The scene as far as this module uses it: one image with landmarks and overlays, saved with the scene."""

    landmarks: LandmarkEditor
    overlays: Overlays
    view: ImageView

    @property
    def image(self) -> Optional[LoadedImage]: ...
    def load(self, path: Path, name: str) -> LoadedImage:
        """Show an image file beside whatever the scene holds; nothing is removed. Raises `ImageReadError`."""

    def adopt(self, volume_id: str) -> LoadedImage:
        """Work on a volume that is in the scene already. Raises `ImageReadError` where it is no single grey image."""

    def source_file(self) -> Optional[Path]:
        """The file that the volume was read from, where it still is."""

    def write_pixels(self, path: Path) -> None:
        """Write pixels and spacing as NRRD, and nothing else that the file or the scene says."""

    def set_spacing(self, spacing: Optional[Spacing]) -> None:
        """What a pixel measures; the volume's own geometry and the landmarks stay where they are."""

    def radiograph(self) -> Radiograph:
        """Display pixels, for measuring. Raises `ImageReadError` where there is no image."""

    def holds(self, volume_id: str) -> bool:
        """Whether a volume is in the scene still."""

    def release(self) -> None:
        """Stop working on the image; its nodes stay in the scene."""


class Settings(Protocol):
    """Kept for the user between runs, never in the scene."""

    def get(self, key: str, default: str = "") -> str: ...
    def set(self, key: str, value: str) -> None: ...


class Progress(Protocol):
    """Given to work in the background: how far it is, and whether it should stop."""

    def report(self, sentence: str, fraction: Optional[float] = None) -> None: ...
    def check(self) -> None:
        """Raises `jobs.CancelledError` where the user asked to stop."""


__all__ = [
    "ImageView",
    "LandmarkEditor",
    "LoadedImage",
    "Overlays",
    "Progress",
    "Reading",
    "Server",
    "Settings",
    "Stage",
    "Unsubscribe",
]
