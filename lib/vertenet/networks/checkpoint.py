"""Checkpoints of the authors' training code: ``{'epoch': ..., 'state_dict': ...}``, names sometimes under ``module.``.

Only the names and shapes of their entries are used here; they are the interface of the file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import ModelError, PathLike
from .card import Card
from .resize import resized
from .weights import save_weights
from .zoo import build

#: (pattern in their name, our name for it), applied one after the other.
_RENAMES = (
    (r"^module\.", ""),
    (r"^base_network\.", "encoder."),
    (r"^dec_net\.dec_c4\.", "decoder.0."),
    (r"^dec_net\.dec_c3\.", "decoder.1."),
    (r"^dec_net\.dec_c2\.", "decoder.2."),
    (r"^dec_net\.hm\.", "centre."),
    (r"^dec_net\.reg\.", "offset."),
    (r"^dec_net\.wh\.", "corners."),
    (r"\.up\.", ".lift."),
    (r"\.cat_conv\.", ".merge."),
    (r"\.t_drsa_decoder_block_\.", ".self_low."),
    (r"\.t_drsa_skip_block_\.", ".self_skip."),
    (r"\.t_drca_decoder_block_\.", ".cross_low."),
    (r"\.t_drca_skip_block_\.", ".cross_skip."),
    (r"\.channel_transformer\.", ".channels."),
    (r"\.norm([12])\.body\.", r".norm\1."),
    (r"\.ffn\.project_in\.", ".feed_forward.widen."),
    (r"\.ffn\.dwconv\.", ".feed_forward.depthwise."),
    (r"\.ffn\.project_out\.", ".feed_forward.narrow."),
    (r"\.attn\.", ".attention."),
    (r"\.(q|k|v)_Hi\.", r".high.\1."),
    (r"\.(q|k|v)_Lo\.", r".low.\1."),
    (r"\.q\.", ".query."),
    (r"\.k\.", ".key."),
    (r"\.v\.", ".value."),
    (r"\.qkv\.", ".query_key_value."),
    (r"\.convTranspose\.", ".raise_low."),
    # One of their names stands for two things: the projection of channel attention, and the join of two resolutions.
    (r"\.channels\.attention\.project_out\.", ".channels.attention.project."),
    (r"\.attention\.project_out\.", ".attention.join."),
)


def our_name(theirs: str) -> str:
    """Our name of an entry of the authors' state dict; a name that no rule knows comes back as it is.

    >>> our_name("module.dec_net.dec_c2.t_drsa_skip_block_.attn.q_Lo.weight")
    'decoder.2.self_skip.attention.low.query.weight'
    """
    name = theirs
    for pattern, replacement in _RENAMES:
        name = re.sub(pattern, replacement, name)
    return name


def load_authors_checkpoint(path: PathLike, *, input_size: tuple[int, int] = (1024, 512)) -> nn.Module:
    """VerteNet with the weights of a checkpoint that the authors' code wrote.

    The file is read as data only (torch's ``weights_only``): nothing in it is executed.

    Parameters
    ----------
    path : path of ``model_last.pth`` or the like
    input_size : (rows, columns)
        Of the images the network will see. The checkpoint is for 1024 x 512; other sizes interpolate its per-pixel
        norms, see `vertenet.networks.resized`.

    Returns
    -------
    torch.nn.Module
        ``build("vertenet")`` with those weights, in evaluation mode.

    Raises
    ------
    ModelError
        No such file, not such a checkpoint, or one whose entries are not exactly those of VerteNet.
    """
    return _from_checkpoint(path, _read(path), input_size)


def import_checkpoint(source: PathLike, destination: PathLike, *, input_size: tuple[int, int] = (1024, 512)) -> Card:
    """Convert a checkpoint of the authors' code into ``destination`` (safetensors, with its card beside it).

    The card says where the weights came from, and that the file itself does not tell what they were trained on.

    Raises
    ------
    ModelError
        As for `load_authors_checkpoint`, or ``destination`` cannot be written.
    """
    checkpoint = _read(source)
    module = _from_checkpoint(source, checkpoint, input_size)
    source = Path(source)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    card = Card.of(
        module,
        name=Path(destination).stem,
        training_data=f"Imported from {source.name}, which does not record what it was trained on.",
        synthetic_only=False,
        recipe={"imported_from": source.name, "imported_sha256": digest, "epoch": _plain(checkpoint.get("epoch"))},
        licence="Unknown: that of the imported checkpoint.",
    )
    return save_weights(module, destination, card)


def _read(path: PathLike) -> Mapping:
    if not Path(path).is_file():
        raise ModelError("there is no such checkpoint file", subject=path)
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    # torch.load meets damaged or foreign bytes with a dozen unrelated exceptions; all of them mean this one thing.
    except Exception as error:
        raise ModelError(
            f"this is not a PyTorch checkpoint of plain tensors, or it is damaged ({type(error).__name__})",
            subject=path,
            remedy="Give the .pth file as the training code wrote it",
        ) from error
    if not isinstance(checkpoint, Mapping) or not isinstance(checkpoint.get("state_dict"), Mapping):
        raise ModelError(
            "the checkpoint has no 'state_dict'",
            subject=path,
            remedy="A checkpoint of the authors' training code holds 'epoch' and 'state_dict'",
        )
    return checkpoint


def _from_checkpoint(path: PathLike, checkpoint: Mapping, input_size: tuple[int, int]) -> nn.Module:
    module = build("vertenet")
    wanted = module.state_dict()
    found = {our_name(str(name)): (name, value) for name, value in checkpoint["state_dict"].items()}
    missing = [name for name in wanted if name not in found]
    unexpected = [theirs for name, (theirs, _) in found.items() if name not in wanted]
    if missing or unexpected:
        clauses = [f"lacks {_some(missing)}"] if missing else []
        clauses += [f"has the unexpected {_some(unexpected)}"] if unexpected else []
        raise ModelError(f"the checkpoint is not one of VerteNet: it {' and '.join(clauses)}", subject=path)
    state = {name: _fit(path, *found[name], wanted[name]) for name in wanted}
    module.load_state_dict(state)
    module.eval()
    return module if tuple(input_size) == module.input_size else resized(module, input_size)


def _fit(path: PathLike, name: str, value: Tensor, ours: Tensor) -> Tensor:
    """``value`` in our shape: theirs, except that we keep per-pixel norms as (rows, columns) and they flatten them."""
    flattened = ours.ndim == 2 and isinstance(value, Tensor) and value.shape == (ours.numel(),)
    if not isinstance(value, Tensor) or not (flattened or value.shape == ours.shape):
        shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise ModelError(f"its entry {name} is {shape}, but VerteNet needs {tuple(ours.shape)}", subject=path)
    return value.reshape(ours.shape)


def _some(names: Iterable[str], limit: int = 5) -> str:
    names = list(names)
    text = ", ".join(map(str, names[:limit]))
    return text if len(names) <= limit else f"{text} and {len(names) - limit} more"


def _plain(value: object) -> int | None:
    return value if isinstance(value, int) else None
