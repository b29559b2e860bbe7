"""The versions of the served model: immutable folders, and a pointer that is exchanged in one step.

::

    <folder>/current.json      which version is served; absent: v0000, the starter, whose files stay where they are
    <folder>/v0001/            weights, card, refiner, calibration, gate.json, recipe.json of one round
    <folder>/overruled.json    which refused versions an administrator has published knowingly: who, when, why

What the gate refused is a version too, to be looked at, which nothing serves unless somebody says so by name.

A version's folder is made whole under another name and then renamed, and nothing is changed in it afterwards. Whoever
reads the pointer at any moment, also after a SIGKILL, finds a version that is all there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from vertenet.errors import ModelError, OptionError
from vertenet.files import write_text
from vertenet.inference.calibration import calibration_of
from vertenet.inference.refine import refiner_of
from vertenet.networks import Card

#: The name of the starter as a version.
STARTER = "v0000"
POINTER = "current.json"
GATE = "gate.json"
OVERRULED = "overruled.json"
#: Refused versions that are kept, the latest; none of those that somebody published all the same.
KEPT_REFUSED = 5
PUBLISHED, REFUSED, OVERRULED_STATE = "published", "refused", "published although refused"
_NAME = re.compile(r"v\d{4,}")


@dataclass(frozen=True)
class ModelVersion:
    """One version.

    Attributes
    ----------
    name : str
        ``v0000`` for the starter, then ``v0001`` and on, never used twice.
    weights : Path
        Of the ``.safetensors``; card, refiner and calibration lie beside it.
    sha256 : str
        Of the weight file, as its card says.
    """

    name: str
    weights: Path
    sha256: str


class ModelVersions:
    """The versions that descend from one starter.

    Processes share the folder: the training process publishes, the server follows. Reading is cheap enough for every
    request (one ``stat`` while nothing changes).

    Parameters
    ----------
    folder : Path
        Made when something is published.
    starter : Path
        Weight file of version `STARTER`.

    Examples
    --------
    >>> versions = ModelVersions(Path("models"), Path("vertenet-lite.safetensors"))     # doctest: +SKIP
    >>> versions.current().name                                                          # doctest: +SKIP
    'v0000'
    """

    def __init__(self, folder: Path, starter: Path) -> None:
        self.folder, self.starter = Path(folder), Path(starter)
        self._read: tuple[tuple, ModelVersion] | None = None
        self._reading = threading.Lock()

    def current(self) -> ModelVersion:
        """The version that is served.

        Raises
        ------
        ModelError
            The pointer or the version's card is damaged or missing.
        """
        with self._reading:
            stamp = (_stamp(self.folder / POINTER), _stamp(self.starter.with_suffix(".json")))
            if self._read is None or self._read[0] != stamp:
                self._read = (stamp, self.version(self._pointed()))
            return self._read[1]

    def version(self, name: str) -> ModelVersion:
        """The version called ``name``.

        Raises
        ------
        OptionError
            There is none.
        ModelError
            Its card is missing or damaged.
        """
        weights = self.starter if name == STARTER else self._folder_of(name) / self.file_name(name)
        return ModelVersion(name, weights, Card.read(weights.with_suffix(".json")).sha256)

    def file_name(self, name: str) -> str:
        """Name of a version's weight file."""
        return f"{self.starter.stem}-{name}.safetensors"

    def names(self) -> list[str]:
        """All versions, oldest first."""
        made = [path.name for path in self.folder.glob("v*") if _NAME.fullmatch(path.name)]
        return [STARTER, *sorted(made, key=lambda name: int(name[1:]))]

    def next_name(self) -> str:
        return f"v{int(self.names()[-1][1:]) + 1:04d}"

    def list(self) -> list[dict[str, Any]]:
        """What a person needs to choose a version, oldest first.

        Returns
        -------
        list of dict
            ``version, sha256, created, training_data, synthetic_only, calibrated, refined, served, state, gate``;
            ``state`` is ``published``, ``refused`` or ``published although refused`` (then with ``overruled``: ``by``,
            ``when``, ``reason``); ``gate`` is what the gate said of it, None for the starter. A version whose card
            is damaged has ``problem``, a sentence, instead.
        """
        served, rows, overruled = self._pointed(), [], self._overruled()
        for name in self.names():
            try:
                version = self.version(name)
                card = Card.read(version.weights.with_suffix(".json"))
                rows.append(
                    {
                        "version": name,
                        "sha256": version.sha256,
                        "created": card.created,
                        "training_data": card.training_data,
                        "synthetic_only": card.synthetic_only,
                        "calibrated": calibration_of(version.weights).is_file(),
                        "refined": refiner_of(version.weights).is_file(),
                        "served": name == served,
                        "state": self.state(name),
                        "gate": self.gate(name),
                        **({"overruled": overruled[name]} if name in overruled else {}),
                    }
                )
            except ModelError as error:
                rows.append({"version": name, "served": name == served, "problem": error.problem})
        return rows

    def state(self, name: str) -> str:
        """`PUBLISHED`, also of the starter, `REFUSED` or `OVERRULED_STATE`."""
        if name in self._overruled():
            return OVERRULED_STATE
        return PUBLISHED if (self.gate(name) or {}).get("passed", True) else REFUSED

    def learned(self, name: str) -> set[str]:
        """Names of the images that a version, or one that it was fine-tuned from, was trained on in rounds."""
        images: set[str] = set()
        while (gate := self.gate(name)) is not None:
            images.update(gate.get("trained_on", ()))
            if gate.get("options", {}).get("start") == "scratch":
                break
            name = gate["compared_with"]["version"]
        return images

    def gate(self, name: str) -> dict[str, Any] | None:
        """The gate's numbers of a version, None for the starter."""
        path = self.folder / name / GATE
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def publish(self, weights_folder: Path, gate: Mapping[str, Any], name: str | None = None) -> ModelVersion:
        """Make a folder of weights the next version, and serve it; parameters and errors of `keep`."""
        version = self.keep(weights_folder, gate, name)
        self._point(version.name, "published")
        return version

    def keep(self, weights_folder: Path, gate: Mapping[str, Any], name: str | None = None) -> ModelVersion:
        """Make a folder of weights the next version, and go on serving what is served.

        Of refused versions that nobody published all the same the latest `KEPT_REFUSED` stay.

        Parameters
        ----------
        weights_folder : Path
            On the same disk; holds `file_name` of the new version with everything beside it. It is moved.
        gate : mapping
            JSON-able; kept as ``gate.json``.
        name : str, optional
            Default `next_name`.

        Raises
        ------
        ModelError
            The weights are not in the folder or not those of their card; what is served stays as it is.
        OptionError
            There is such a version already.
        """
        name = name or self.next_name()
        target = self.folder / name
        if target.exists():
            raise OptionError(f"there is a version {name} already", subject=str(self.folder))
        weights = Path(weights_folder) / self.file_name(name)
        if not weights.is_file():
            raise ModelError("there is no such weight file to publish", subject=weights)
        Card.read(weights.with_suffix(".json"))
        write_text(weights.with_name(GATE), json.dumps(gate, indent=1, allow_nan=False) + "\n")
        _sync(Path(weights_folder))
        self.folder.mkdir(parents=True, exist_ok=True)
        os.rename(weights_folder, target)
        _sync_folder(self.folder)
        served = self._pointed()
        refused = [old for old in self.names() if self.state(old) == REFUSED and old not in (served, name)]
        for old in refused[: max(0, len(refused) + 1 - KEPT_REFUSED)]:
            shutil.rmtree(self.folder / old)
        return self.version(name)

    def publish_refused(self, name: str, *, by: str | None, reason: str) -> ModelVersion:
        """Serve a version that the gate refused, because somebody who looked at it says so.

        Raises
        ------
        OptionError
            There is no such version, it was not refused, or no reason is given.
        ModelError
            Its files are damaged.
        """
        version = self._whole(name)
        if self.state(name) != REFUSED:
            raise OptionError(f"the version {name} was not refused", remedy="Roll back to it to serve it")
        if not reason.strip():
            raise OptionError(f"no reason is given to publish {name}", remedy="Say why the gate is overruled")
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        entries = {**self._overruled(), name: {"by": by, "when": now, "reason": reason.strip()}}
        write_text(self.folder / OVERRULED, json.dumps(entries, indent=1) + "\n")
        self._point(name, "published although refused")
        return version

    def rollback(self, name: str) -> ModelVersion:
        """Serve another version from now on; no version is removed.

        Raises
        ------
        OptionError
            There is no such version, or the gate refused it and nobody has published it knowingly.
        ModelError
            Its files are damaged.
        """
        version = self._whole(name)
        if self.state(name) == REFUSED:
            raise OptionError(
                f"the gate refused the version {name}",
                remedy="Read its report; an administrator may publish it knowingly with POST /models/publish",
            )
        self._point(name, "rolled back")
        return version

    def _whole(self, name: str) -> ModelVersion:
        version = self.version(name)
        if not version.weights.is_file():
            raise ModelError("the version's weights are missing", subject=version.weights)
        return version

    def _overruled(self) -> dict[str, dict[str, Any]]:
        path = self.folder / OVERRULED
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}

    def _point(self, name: str, why: str) -> None:
        content = {"version": name, "since": datetime.now(timezone.utc).isoformat(timespec="seconds"), "why": why}
        write_text(self.folder / POINTER, json.dumps(content) + "\n")
        _sync_folder(self.folder)

    def _pointed(self) -> str:
        path = self.folder / POINTER
        try:
            name = json.loads(path.read_text(encoding="utf-8"))["version"]
        except FileNotFoundError:
            return STARTER
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"the pointer to the served model cannot be read ({type(error).__name__})",
                subject=path,
                remedy="Remove it to serve the starter, then roll back to the version that is wanted",
            ) from error
        return str(name)

    def _folder_of(self, name: str) -> Path:
        folder = self.folder / name
        if not _NAME.fullmatch(name) or not folder.is_dir():
            raise OptionError(f"there is no model version {name!r}", remedy=f"There are {', '.join(self.names())}")
        return folder


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _sync(folder: Path) -> None:
    """Hand every file of a folder to the disk, so that the rename does not overtake what it renames."""
    for path in folder.iterdir():
        if path.is_file():
            with path.open("rb") as handle:
                os.fsync(handle.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # Windows keeps folders in its journal and does not open them
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
