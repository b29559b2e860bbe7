"""The calibration of one weight file: level statistics, error radii and typicality, bound to the file's hash."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from .. import RESEARCH_USE, __version__
from ..errors import ModelError, PathLike, SchemaError
from ..files import write_text
from .conformal import ConformalRadii
from .level_statistics import LevelStatistics
from .typicality import Typicality

FORMAT = "vertenet-calibration/2"
SUFFIX = ".calibration.json"


@dataclass(frozen=True)
class Calibration:
    """What was learned about a model's answers from images that it was not trained on.

    Attributes
    ----------
    weights_sha256 : str
        Of the weight file that it belongs to.
    refiner_sha256 : str or None
        Of the refinement's weight file, None where there was none.
    levels : LevelStatistics
        With the thresholds of certainty.
    coarse : ConformalRadii
        Radii of the corners as the network gives them.
    refined : ConformalRadii or None
        Radii of the points after refinement.
    typicality : Typicality or None
        None for networks without an encoder to ask.
    data : str
        A sentence on what it was fitted on.
    synthetic_only : bool
        True where no patient was among that.
    created, software : str
    """

    weights_sha256: str
    refiner_sha256: str | None
    levels: LevelStatistics
    coarse: ConformalRadii
    refined: ConformalRadii | None
    typicality: Typicality | None
    data: str
    synthetic_only: bool
    created: str = ""
    software: str = ""

    def to_dict(self) -> dict:
        return {
            "format": FORMAT,
            "notice": RESEARCH_USE,
            "weights_sha256": self.weights_sha256,
            "refiner_sha256": self.refiner_sha256,
            "data": self.data,
            "synthetic_only": self.synthetic_only,
            "created": self.created or datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "software": self.software or f"vertenet {__version__}",
            "levels": self.levels.to_dict(),
            "radii": {
                "coarse": self.coarse.to_dict(),
                "refined": None if self.refined is None else self.refined.to_dict(),
            },
            "typicality": None if self.typicality is None else self.typicality.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping) -> Calibration:
        """Raises `ModelError` where the dictionary is not a calibration of this format or its numbers are unusable."""
        if data.get("format") != FORMAT:
            raise ModelError(f"the calibration's format is {data.get('format')!r}, but this software reads {FORMAT}")
        try:
            refined, typicality = data["radii"]["refined"], data["typicality"]
            return cls(
                str(data["weights_sha256"]),
                None if data["refiner_sha256"] is None else str(data["refiner_sha256"]),
                LevelStatistics.from_dict(data["levels"]),
                ConformalRadii.from_dict(data["radii"]["coarse"]),
                None if refined is None else ConformalRadii.from_dict(refined),
                None if typicality is None else Typicality.from_dict(typicality),
                str(data["data"]),
                bool(data["synthetic_only"]),
                str(data["created"]),
                str(data["software"]),
            )
        except SchemaError as error:
            raise ModelError(error.problem) from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the calibration is damaged ({type(error).__name__}: {error})") from error

    def save(self, path: PathLike) -> None:
        """Write beside, then rename."""
        write_text(path, json.dumps(self.to_dict(), allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: PathLike, weights_sha256: str, refiner_sha256: str | None = None) -> Calibration:
        """Read a calibration and hold it against the weights that it is to serve.

        Parameters
        ----------
        path : path of the ``.calibration.json``
        weights_sha256 : str
            Of the weights in use.
        refiner_sha256 : str, optional
            Of the refinement in use; None where there is none.

        Raises
        ------
        ModelError
            The file cannot be read, or was made for other weights or another refinement.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise ModelError(f"the calibration cannot be read ({error})", subject=path) from error
        if not isinstance(data, dict):
            raise ModelError("the calibration is not a JSON object", subject=path)
        try:
            found = cls.from_dict(data)
        except ModelError as error:
            raise ModelError(error.problem, subject=path, remedy=_AGAIN) from error
        if found.weights_sha256 != weights_sha256:
            raise ModelError(
                f"the calibration is that of other weights ({found.weights_sha256[:12]}…, not {weights_sha256[:12]}…)",
                subject=path,
                remedy=_AGAIN,
            )
        if None not in (refiner_sha256, found.refiner_sha256) and found.refiner_sha256 != refiner_sha256:
            raise ModelError("the calibration is that of another refinement", subject=path, remedy=_AGAIN)
        return found

    def radii(self, refined: bool) -> ConformalRadii | None:
        """Those that hold with or without refinement; None where that was not calibrated."""
        return self.refined if refined else self.coarse


def calibration_of(weights: PathLike) -> Path:
    """Where the calibration of a weight file lies: ``<stem>.calibration.json`` beside it."""
    return Path(weights).with_suffix(SUFFIX)


_AGAIN = "Make it again with: vertenet calibrate, or remove the file to go on without"
