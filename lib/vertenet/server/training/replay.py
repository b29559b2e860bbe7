"""Phantoms that are shown again in every round, so that a model does not forget what a few new images do not show.

Fine-tuning on some twenty images of one scanner pulls a network towards that scanner (catastrophic forgetting:
McCloskey and Cohen 1989). Rehearsal of old material beside the new is the plain remedy (Robins, Connection Science
1995), and here the old material can be drawn again at will. They are made once and kept beside the versions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from vertenet import phantom
from vertenet.errors import OptionError
from vertenet.files import write_text
from vertenet.learning import TRAINING_SEED, Samples, phantom_scanner
from vertenet.learning.calibrate import CALIBRATION_SEED
from vertenet.learning.cases import Case, annotated_cases, case_samples, phantom_cases
from vertenet.learning.crops import Crops, gather_crops
from vertenet.learning.finetuning import REHEARSED
from vertenet.learning.samples import load_shard, save_shard

FOLDER = "replay"
_LIST = "replay.json"


@dataclass(frozen=True)
class Replay:
    """Which phantoms are replayed.

    Attributes
    ----------
    training : int
        To train on, of difficulty ``training``.
    judging : int
        That judge and calibrate, half of difficulty ``default``, half ``hard``; never trained on. Calibration needs 38.
    without : tuple of str
        Scanner profiles that are left out: an experiment on a scanner that is new to a model must not replay it.

    Raises
    ------
    OptionError
        A count is negative, there is no such scanner, or none is left.
    """

    training: int = 96
    judging: int = 48
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known = set(phantom.scanners())
        if self.training < 0 or self.judging < 2:
            raise OptionError("replayed phantoms must be at least 0 to train on and at least 2 to judge by")
        if not set(self.without) < known:
            raise OptionError(
                f"no such set of scanners can be left out: {', '.join(self.without)}",
                remedy=f"Name some of {', '.join(sorted(known))}",
            )

    def samples(self, folder: Path, size: tuple[int, int]) -> Samples | None:
        """Those to train on, in a network's frame of ``size``; drawn the first time. None for a count of 0."""
        if not self.training:
            return None
        path = (
            folder
            / FOLDER
            / f"training-looks-{size[0]}x{size[1]}-{self.training}-{'+'.join(self.without) or 'all'}.npz"
        )
        if not path.is_file():
            seeds = self._seeds(TRAINING_SEED, self.training)
            cases = (phantom_cases(1, difficulty="training", first_seed=seed)[0] for seed in seeds)
            save_shard(case_samples(cases, size, lower=1), path)
        return load_shard(path)

    def crops(self, folder: Path) -> Crops | None:
        """Vertebrae of a few of those to train on, for the refiner; drawn the first time. None for a count of 0."""
        count = min(self.training, REHEARSED)
        if not count:
            return None
        seeds = self._seeds(TRAINING_SEED, count)
        cases = [phantom_cases(1, difficulty="training", first_seed=seed)[0] for seed in seeds]
        return gather_crops(cases, folder / FOLDER / f"crops-{count}-{'+'.join(self.without) or 'all'}.npz")

    def cases(self, folder: Path) -> list[Case]:
        """Those that judge, as image files with their truth; drawn the first time."""
        home = folder / FOLDER / "judging"
        wanted = [
            *(("default", seed) for seed in self._seeds(CALIBRATION_SEED, self.judging - self.judging // 2)),
            *(("hard", seed) for seed in self._seeds(CALIBRATION_SEED + 5000, self.judging // 2)),
        ]
        content = json.dumps({"replay": asdict(self), "wanted": wanted})
        done = home / _LIST
        if not done.is_file() or done.read_text(encoding="utf-8") != content:
            home.mkdir(parents=True, exist_ok=True)
            for path in home.iterdir():
                path.unlink()
            for difficulty, seed in wanted:
                made = phantom.generate(seed, scanner=phantom_scanner(seed), difficulty=difficulty)
                phantom.write(made, home, name=f"replay-{difficulty}-{seed}")
            write_text(done, content)
        return annotated_cases(home)

    def _seeds(self, first: int, count: int) -> list[int]:
        return [seed for seed, _ in zip(self._fitting(first), range(count))]

    def _fitting(self, seed: int) -> Iterator[int]:
        while True:
            if phantom_scanner(seed) not in self.without:
                yield seed
            seed += 1
