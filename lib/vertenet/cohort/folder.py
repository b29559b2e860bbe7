"""The folder of a cohort: whose it is while a run writes to it, and what every run on it must agree in."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import OptionError
from ..files import sha256_of, write_text
from .reader import ReadingOptions

FORMAT = "vertenet-cohort/1"
#: What the settings' members are called in a sentence.
_SAID = {
    "kind": "command",
    "inputs": "input",
    "model": "model",
    "refiner": "refiner",
    "calibration": "calibration",
    "refine": "--refine",
    "decoder": "--decoder",
    "anterior": "--anterior",
    "spacing": "--spacing",
    "factor": "--factor",
    "pseudonyms": "key of the pseudonyms",
}


@dataclass(frozen=True)
class CohortFolder:
    """Where things are in a folder of results."""

    path: Path

    @property
    def settings(self) -> Path:
        return self.path / ".cohort" / "settings.json"

    @property
    def journal(self) -> Path:
        return self.path / ".cohort" / "journal.jsonl"

    @property
    def scratch(self) -> Path:
        return self.path / ".cohort" / "scratch"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the folder for this process; the lock goes with the process, however it ends.

        Raises
        ------
        OptionError
            Another run has it.
        """
        self.settings.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.settings.with_name("lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise OptionError(
                "another run is writing to this folder", subject=self.path, remedy="Wait for it, or name another --out"
            ) from error
        try:
            shutil.rmtree(self.scratch, ignore_errors=True)  # what a killed worker left
            self.scratch.mkdir()
            yield
        finally:
            shutil.rmtree(self.scratch, ignore_errors=True)
            lock.release()

    def agree(self, settings: Mapping[str, object]) -> None:
        """Keep the settings of the first run; a later one must have the same.

        Raises
        ------
        OptionError
            It has others; the sentence says which.
        """
        before = self._before()
        if before is None:
            write_text(self.settings, json.dumps({"format": FORMAT, **settings}, indent=1) + "\n")
            return
        if before.get("format") != FORMAT:
            raise OptionError(
                "the folder holds a cohort of another version, or its settings are damaged",
                subject=self.path,
                remedy="Name another --out, or add --start-over",
            )
        other = [said for name, said in _SAID.items() if before.get(name) != settings.get(name)]
        if other:
            raise OptionError(
                f"the folder holds a cohort that was read with another {' and another '.join(other)}",
                subject=self.path,
                remedy="Name another --out, or have vertenet cohort read every image again with --start-over",
            )

    def began(self, kind: str) -> bool:
        """Whether a run of this kind was begun here and left its record."""
        return (self._before() or {}).get("kind") == kind

    def agrees(self, settings: Mapping[str, object]) -> bool:
        """Whether it was begun with these settings."""
        return self._before() == {"format": FORMAT, **settings}

    def _before(self) -> dict | None:
        """The settings of the run that began here; None where none did, and empty where they are damaged."""
        try:
            found = json.loads(self.settings.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def forget(self) -> None:
        """Remove the record of what was read; the files of results stay until others take their place."""
        self.journal.unlink(missing_ok=True)
        self.settings.unlink(missing_ok=True)


def settings_of(options: ReadingOptions, inputs: list[str], kind: str) -> dict[str, object]:
    """What two runs must agree in so that their rows may stand in one table."""
    weights = Path(options.weights)
    beside = {
        "refiner": weights.with_suffix(".refiner.safetensors"),
        "calibration": weights.with_suffix(".calibration.json"),
    }
    return {
        "kind": kind,
        # A hash: a DICOMweb query may name a patient.
        "inputs": hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:16],
        "model": sha256_of(weights),
        **{name: sha256_of(path) if path.is_file() else None for name, path in beside.items()},
        **{name: getattr(options, name) for name in ("refine", "decoder", "anterior", "spacing", "factor")},
        "pseudonyms": hashlib.sha256(b"vertenet key\0" + options.key).hexdigest()[:12],
    }
