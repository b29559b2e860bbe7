"""A reader who is never tired: asks for the next image, asks the model, moves every point to the truth, submits."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import numpy as np
from monailabel.client import MONAILabelClient

from vertenet.annotation import markups
from vertenet.errors import VerteNetError
from vertenet.imaging import read
from vertenet.reading import Reading
from vertenet.spine import Spine

_PAUSE_S = 1.0


class LoopError(VerteNetError):
    """The server did not do what a round needs."""


@dataclass(frozen=True, eq=False)
class Scan:
    """An image with its truth, which the server never sees."""

    name: str
    path: Path
    truth: Spine


@dataclass(frozen=True)
class Trained:
    """How a training ended: whether a new version is served, which one, and why (or why not)."""

    published: bool
    version: str
    reason: str


class SimulatedAnnotator:
    """Works with MONAI Label's own client, as a person does in a viewer.

    Parameters
    ----------
    url : str
    scans : mapping of image id to Scan
        Everything that the server may ask about.
    name : str
    precision_px : float
        Standard deviation of the corrected points about the truth, source pixels: people differ by about that.
    seed : int
        Of the imprecision.
    """

    def __init__(
        self, url: str, scans: Mapping[str, Scan], *, name: str = "simulated", precision_px: float = 1.0, seed: int = 0
    ) -> None:
        self._files = tempfile.TemporaryDirectory(prefix="vertenet-annotator-")
        self.url = url
        self.client = MONAILabelClient(url, tmpdir=self._files.name, client_id=name)
        self.scans, self.precision_px = scans, precision_px
        self._rng = np.random.default_rng(seed)

    def annotate_next(self, strategy: str, seed: int = 0) -> str | None:
        """Take the next image, correct and submit it; its id, or None when nothing is left."""
        offered = self.client.next_sample(strategy, {"seed": seed})
        if not offered:
            return None
        scan = self.scans[offered["id"]]
        # The proposal is looked at as a person would, and its geometry is what the label is written in.
        self.client.infer("vertenet", scan.name, {})
        label = Path(self._files.name, f"{scan.name}.mrk.json")
        radiograph = read(scan.path)
        text = markups.dumps(self._corrected(scan.truth), radiograph.geometry, size=radiograph.pixels.shape)
        label.write_text(text, encoding="utf-8")
        self.client.save_label(scan.name, str(label), tag="final")
        return scan.name

    def score_pool(self) -> None:
        """Have the server look at every image before it chooses, as it does by itself given time."""
        while True:
            answer = httpx.post(f"{self.url}/scoring/active?run_sync=true", timeout=None, trust_env=False)
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                answer.raise_for_status()
                return
            time.sleep(_PAUSE_S)  # it is looking already, and may have begun before the last label came

    def train(self, timeout_s: float = 3600.0, **options: object) -> Trained:
        """Start a training and wait for its end.

        Raises
        ------
        LoopError
            It failed, or did not end in time.
        """
        before = self._progress().get("start_ts")
        self.client.train_start("vertenet", options)
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            time.sleep(_PAUSE_S)
            stats = self._progress()
            if stats.get("start_ts") == before:
                continue  # the process has not begun: these are the figures of the round before
            if stats["state"] == "done":
                return Trained(bool(stats["published"]), stats["version"], stats["message"])
            if stats["state"] in ("failed", "killed"):
                raise LoopError(f"the training {stats['state']}: {stats.get('message')}")
        raise LoopError(f"the training did not end within {timeout_s:.0f} s")

    def read(self, scan: Scan) -> Reading:
        """What the served model says of an image that is not in its store."""
        _, answer = self.client.infer("vertenet", "", {}, file=str(scan.path))
        return Reading.from_dict(answer)

    def _progress(self) -> dict:
        return self.client.info()["train_stats"]["vertenet"]

    def _corrected(self, truth: Spine) -> Spine:
        vertebrae = []
        for vertebra in truth:
            points = {
                name: replace(corner, x=corner.x + dx, y=corner.y + dy) if corner.is_present else corner
                for (name, corner), (dx, dy) in zip(
                    vertebra.points.items(), self._rng.normal(0, self.precision_px, (len(vertebra.points), 2))
                )
            }
            vertebrae.append(replace(vertebra, points=points))
        return replace(truth, vertebrae=tuple(vertebrae))
