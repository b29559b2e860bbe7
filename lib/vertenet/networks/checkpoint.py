"""Checkpoints of the authors' training code: ``{'epoch': ..., 'state_dict': ...}``, names sometimes under ``module.``.

Only the names and shapes of their entries are used here; they are the interface of the file.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import ModelError, PathLike
from .zoo import build

#: (pattern in their name, ours), tried from the top; each name matches one rule at its start and passes the rest on.
_PLACES = (
    (r"base_network\.", "encoder."),
    (r"dec_net\.dec_c4\.", "decoder.0."),
    (r"dec_net\.dec_c3\.", "decoder.1."),
    (r"dec_net\.dec_c2\.", "decoder.2."),
    (r"dec_net\.hm\.", "centre."),
    (r"dec_net\.reg\.", "offset."),
    (r"dec_net\.wh\.", "corners."),
)
_PARTS = (
    (r"t_drsa_decoder_block_\.", "self_low."),
    (r"t_drsa_skip_block_\.", "self_skip."),
    (r"t_drca_decoder_block_\.", "cross_low."),
    (r"t_drca_skip_block_\.", "cross_skip."),
    (r"channel_transformer\.", "channels."),
    (r"up\.", "lift."),
    (r"cat_conv\.", "merge."),
)
_PIECES = (
    (r"(norm[12])\.body\.", r"\1."),
    (r"attn\.([qkv])_(Hi|Lo)\.", lambda m: f"attention.{_PATHS[m[2]]}.{_LETTERS[m[1]]}."),
    (r"attn\.convTranspose\.", "attention.raise_low."),
    (r"attn\.qkv\.", "attention.query_key_value."),
    (r"attn\.temperature", "attention.temperature"),
    (r"ffn\.project_in\.", "feed_forward.widen."),
    (r"ffn\.dwconv\.", "feed_forward.depthwise."),
    (r"ffn\.project_out\.", "feed_forward.narrow."),
)
_PATHS = {"Hi": "high", "Lo": "low"}
_LETTERS = {"q": "query", "k": "key", "v": "value"}


def our_name(theirs: str) -> str:
    """Name of an entry of the authors' state dict in ours; names that no rule knows come back as they are.

    >>> our_name("module.dec_net.dec_c2.t_drsa_skip_block_.attn.q_Lo.weight")
    'decoder.2.self_skip.attention.low.query.weight'
    """
    rest = re.sub(r"^module\.", "", theirs)
    ours = ""
    for rules in (_PLACES, _PARTS, _PIECES):
        for pattern, replacement in rules:
            match = re.match(pattern, rest)
            if match:
                ours += match.expand(replacement) if isinstance(replacement, str) else replacement(match)
                rest = rest[match.end() :]
                break
    if rest.startswith("attn.project_out."):
        # The one name that means two things: the join of both resolutions, and the projection after channel attention.
        piece = "project" if ours.endswith("channels.") else "join"
        ours, rest = f"{ours}attention.{piece}.", rest[len("attn.project_out.") :]
    return ours + rest


def load_authors_state(module: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    pass
