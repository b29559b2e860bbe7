"""Weight files: safetensors in half precision, with a JSON card beside them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from ..errors import ModelError, OptionError, PathLike
from ..files import write_bytes, write_text
from .card import Card, checked_weights
from .zoo import build

#: Parameters of at least this many values are stored in half precision.
LARGE = 1024


def save_weights(module: nn.Module, path: PathLike, card: Card) -> Card:
    """Write ``module``'s weights to ``path`` and ``card`` to ``<stem>.json`` beside it.

    Both are written under other names and then renamed, the weights first; a card that does not belong to its weights
    (power lost between the two) is refused by `load_weights`.

    Parameters
    ----------
    module : a network from `build`
    path : a name that ends in ``.safetensors``
    card : the card; its ``sha256`` is replaced by that of the written file

    Returns
    -------
    Card
        As written.

    Raises
    ------
    ModelError
        The name has another ending, a weight is not finite, or the folder cannot be written.
    """
    path = _named(path)
    content = safetensors.torch.save(_packed(module, path))
    card = replace(card, sha256=hashlib.sha256(content).hexdigest())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content)
        write_text(path.with_suffix(".json"), json.dumps(card.to_dict(), indent=2) + "\n")
    except OSError as error:
        raise ModelError(f"the weights cannot be written ({error.strerror})", subject=path) from error
    return card


def load_weights(path: PathLike) -> tuple[nn.Module, Card]:
    """The network of a weight file, in float32 and evaluation mode, and its card.

    Raises
    ------
    ModelError
        File or card is missing or damaged, the file is not the one the card describes, or they do not fit the network
        that the card names.
    """
    card, content = checked_weights(path)
    try:
        module = build(card.network, **card.options)
        state = safetensors.torch.load(content)
        module.load_state_dict({name: _unpacked(value) for name, value in state.items()})
    except (safetensors.SafetensorError, OptionError, ModelError, RuntimeError, TypeError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise ModelError(f"the weights do not fit the network {card.network!r} ({first})", subject=path) from error
    return module.eval(), card


def _named(path: PathLike) -> Path:
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ModelError("the name of a weight file ends in .safetensors", subject=path)
    return path


def _packed(module: nn.Module, path: Path) -> dict[str, Tensor]:
    """The state dict with large parameters in half precision.

    Running statistics keep float32, for variances can pass float16's 65504 or fall below its smallest steps; so do
    parameters of few values (biases, norms, temperatures), where rounding saves nothing.
    """
    buffers = {name for name, _ in module.named_buffers()}
    packed = {}
    for name, value in module.state_dict().items():
        value = value.detach().cpu()
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise ModelError(f"{name} has values that are not finite, so nothing was written", subject=path)
        half = value.half() if value.numel() >= LARGE and name not in buffers else value
        packed[name] = (half if torch.isfinite(half).all() else value).contiguous()
    return packed


def _unpacked(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value
