"""The options of a training request, checked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vertenet.errors import OptionError
from vertenet.learning.recipe import DEVICES

STARTS = ("served", "scratch")

#: What a client's option table shows; the first of a list is the default, and empty text stands for "not given".
DEFAULTS: dict[str, Any] = {
    "start": list(STARTS),
    "minutes": 6.0,
    "epochs": 6,
    "steps": "",
    "learning_rate": 4e-4,
    "freeze": "",
    "input_size": "",
    "batch": 4,
    "device": list(DEVICES),
    "seed": 1,
}
#: What MONAI Label and its clients put into every request.
FRAMEWORK_KEYS = frozenset(
    {"model", "name", "client_id", "annotator", "local_rank", "gpus", "multi_gpu", "description", "bundle_path"}
)
_SIZE = re.compile(r"\s*(\d{2,4})\s*[x, ]\s*(\d{2,4})\s*")


@dataclass(frozen=True)
class TrainOptions:
    """How a round trains.

    Attributes
    ----------
    start : {"served", "scratch"}
        Fine-tune the served version, or begin with random weights.
    minutes : float
        The training of the round (not gathering, judging and calibration) ends after this time at the latest, and the
        learning rate falls to zero by then.
    epochs : int
        Passes over the images of the round, the repeated labelled ones and the replayed phantoms counted.
    steps : int or None
        Optimiser steps at most, in the place of ``epochs``.
    learning_rate : float
        The highest.
    freeze : str or None
        A part of the network that keeps its weights, such as ``"encoder"``.
    input_size : (rows, columns) or None
        Of the network's frame; None: the served version's.
    batch : int
        Images a step.
    device : {"auto", "cpu", "cuda"}
    seed : int
    ignored : tuple of str
        Names in the request that mean nothing here. ``bundle_path`` is among those that are dropped in silence: a
        client may not say where this process looks for code.
    """

    start: str = "served"
    minutes: float = DEFAULTS["minutes"]
    epochs: int = DEFAULTS["epochs"]
    steps: int | None = None
    learning_rate: float = DEFAULTS["learning_rate"]
    freeze: str | None = None
    input_size: tuple[int, int] | None = None
    batch: int = DEFAULTS["batch"]
    device: str = "auto"
    seed: int = DEFAULTS["seed"]
    ignored: tuple[str, ...] = ()

    @classmethod
    def from_request(cls, request: Mapping[str, Any]) -> TrainOptions:
        """Options of a MONAI Label request; ``max_epochs`` is another word for ``epochs``, as its own tasks have it.

        Raises
        ------
        OptionError
            A value is not accepted.
        """
        given = {name: value for name, value in request.items() if not _empty(value)}
        if "max_epochs" in given:
            given.setdefault("epochs", given["max_epochs"])
        chosen: dict[str, Any] = {}
        for name, accepted in (("start", STARTS), ("device", DEVICES)):
            if name in given:
                # Clients send the whole list of choices where nobody chose.
                value = given[name][0] if isinstance(given[name], list) else given[name]
                chosen[name] = _choice(name, value, accepted)
        for name, most in (("minutes", 24 * 60), ("learning_rate", 1.0)):
            if name in given:
                chosen[name] = _number(name, given[name], most)
        for name, most in (("epochs", 10_000), ("steps", 1_000_000), ("batch", 1024), ("seed", 2**31)):
            if name in given:
                chosen[name] = _whole(name, given[name], most)
        if "freeze" in given:
            chosen["freeze"] = str(given["freeze"]).strip()
        if "input_size" in given:
            chosen["input_size"] = _size(given["input_size"])
        known = {*DEFAULTS, "max_epochs", *FRAMEWORK_KEYS}
        return cls(**chosen, ignored=tuple(sorted(set(map(str, request)) - known)))


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.strip() in ("", "None")) or value == []


def _choice(name: str, value: Any, accepted: tuple[str, ...]) -> str:
    word = value.strip().lower() if isinstance(value, str) else value
    if word not in accepted:
        raise OptionError(f"the parameter {name} is {value!r}", remedy=f"Use one of {', '.join(accepted)}")
    return word


def _number(name: str, value: Any, most: float) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 < number <= most:
        raise OptionError(f"the parameter {name} is {value!r}", remedy=f"Give a positive number up to {most:g}")
    return number


def _whole(name: str, value: Any, most: int) -> int:
    number = _number(name, value, most)
    if number != int(number):
        raise OptionError(f"the parameter {name} is {value!r}", remedy="Give a whole number")
    return int(number)


def _size(value: Any) -> tuple[int, int]:
    text = "x".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    found = _SIZE.fullmatch(text)
    if not found or any(int(part) % 32 or not 64 <= int(part) <= 4096 for part in found.groups()):
        raise OptionError(
            f"the parameter input_size is {value!r}",
            remedy="Give rows and columns that 32 divides, from 64 to 4096, such as 512x256",
        )
    return int(found[1]), int(found[2])
