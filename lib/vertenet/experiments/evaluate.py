"""One weight file on a cohort, read in several ways: decoders on the same images, refinement on and off."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

import pandas as pd

from .. import RESEARCH_USE
from ..errors import OptionError
from ..files import write_text
from ..inference.calibration import calibration_of
from ..inference.refine import refiner_of
from ..learning.samples import TEST_SEEDS
from ..models import find_weights
from ..networks import Card, LandmarkNetwork, load_weights
from .comparison import Comparison
from .data import Cohort, Source
from .predict import Variant, predict_cases

#: First phantom seed of each named split; only final figures come from ``test``.
SPLITS = {"validation": 800_000, "calibration": 850_000, "test": TEST_SEEDS.start}
#: Folder of the readings of annotated images, in that of the evaluation.
READINGS = "readings"
#: What the name of a way of reading ends with that refuses nothing.
UNREFUSED = ", refusals off"


def phantom_source(count: int, difficulty: str, part: str) -> Source:
    """Phantoms of a named split.

    Raises
    ------
    OptionError
        No phantoms are asked for, there is no such split, or more are asked for than the test split has.
    """
    if part not in SPLITS:
        raise OptionError(f"there is no split {part!r}", remedy=f"Use one of {', '.join(SPLITS)}")
    if part == "test" and count > len(TEST_SEEDS):
        raise OptionError(f"the test split has {len(TEST_SEEDS)} phantoms, not {count}")
    return Source(phantoms=count, difficulty=difficulty, first_seed=SPLITS[part])


def make_variants(
    weights: Path, decoders: Sequence[str], *, refine: str = "auto", facing: bool = False, unrefused: bool = False
) -> list[Variant]:
    """The ways to read with a weight file.

    Parameters
    ----------
    decoders : sequence of str
        The first one is the reference. A network that names its points itself has no decoders, and one way.
    refine : {"auto", "on", "off", "both"}
        "auto" is "both" where a refiner lies beside the weights, else "off"; top-six stays unrefined, as the authors'.
    facing : bool
        Also let the model find the anterior side, with the first decoder.
    unrefused : bool
        Also read in the first way without the calibration, where there is one: nothing is refused.

    Raises
    ------
    OptionError
        Refinement is asked for and there is no refiner beside the weights.
    """
    beside = refiner_of(weights).is_file()
    if refine in ("on", "both") and not beside:
        raise OptionError("no refiner lies beside these weights", subject=weights, remedy="Evaluate with refine off")
    if refine == "auto":
        refine = "both" if beside else "off"
    network, _ = load_weights(weights)
    base = [Variant("points")] if isinstance(network, LandmarkNetwork) else [Variant.of(name) for name in decoders]
    ways = [
        replace(way, name=f"{way.name}, refined", refine=True)
        for way in base
        if refine != "off" and way.decoder != "top-six"
    ]
    ways += [way for way in base if refine != "on" or way.decoder == "top-six"]
    if facing:
        ways.append(replace(ways[0], name=f"{ways[0].name}, side detected", anterior="auto"))
    if unrefused and calibration_of(weights).is_file():
        ways.append(replace(ways[0], name=f"{ways[0].name}{UNREFUSED}", calibrated=False))
    return ways


@dataclass(frozen=True)
class Evaluation:
    """What is evaluated, and how: decides what ``evaluation.json`` must say for a folder to be gone on with."""

    weights: Path
    source: Source
    variants: tuple[Variant, ...]


def evaluate(
    evaluation: Evaluation,
    folder: Path,
    *,
    workers: int = 1,
    threads: int = 1,
    report: Callable[[int], None] = lambda images: None,
) -> Comparison:
    """Read every image in every way, into ``folder/predictions.csv``; what is there already is not read again.

    Raises
    ------
    OptionError
        The folder holds another evaluation.
    ModelError
        The weights are not to be found or damaged.
    """
    weights = find_weights(evaluation.weights)
    card = Card.read(weights.with_suffix(".json"))
    cohort = Cohort(evaluation.source)
    content = {
        "model": card.name,
        "weights_sha256": card.sha256,
        "companions": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in _companions(weights)},
        "source": {**asdict(evaluation.source), "under": list(evaluation.source.under)},
        "fingerprint": cohort.fingerprint,
        "variants": [asdict(variant) for variant in evaluation.variants],
    }
    _keep_to(folder, content)
    table = predict_cases(
        weights,
        evaluation.source,
        range(len(cohort)),
        evaluation.variants,
        folder / "predictions.csv",
        workers=workers,
        threads=threads,
        readings=None if evaluation.source.folder is None else folder / READINGS,
        report=report,
    )
    names = tuple(variant.name for variant in evaluation.variants)
    known = "synthetic images only" if card.synthetic_only else "images of patients"
    beside = ", ".join(path.name for path in _companions(weights)) or "no refiner, not calibrated"
    models = {"method": card.name, "weights": card.sha256[:12], "trained on": card.training_data}
    return Comparison(
        title=f"{card.name} {card.sha256[:8]} on {cohort.describe()}",
        table=table.assign(method=table["variant"]),
        primary=names,
        reference=names[0],
        data=cohort.describe(),
        conditions=f"Weights: {card.name} {card.sha256[:12]}, trained on {known} ({beside})",
        synthetic=cohort.synthetic,
        models=pd.DataFrame([models]),
    )


def _companions(weights: Path) -> list[Path]:
    """Refiner and calibration, where they lie beside the weights: figures are those of all three together."""
    return [path for path in (refiner_of(weights), calibration_of(weights)) if path.is_file()]


def _keep_to(folder: Path, content: dict) -> None:
    """Write evaluation.json, or check that the one that is there says the same."""
    path = folder / "evaluation.json"
    if path.exists():
        held = json.loads(path.read_text(encoding="utf-8"))
        different = [key for key in content if held.get(key) != content[key]]
        if different:
            raise OptionError(
                f"it holds another evaluation: {', '.join(different)} differ",
                subject=folder,
                remedy="Choose another folder",
            )
        return
    stamp = datetime.now(timezone.utc).isoformat(timespec="seconds")
    write_text(path, json.dumps({**content, "started": stamp, "notice": RESEARCH_USE}, indent=1) + "\n")
