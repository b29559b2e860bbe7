"""A checkpoint as the authors' code would write it, with weights anybody can regenerate, and what their network says.

Names and shapes are spelled out here once more, apart from the mapping under test. Weights and input follow from a
seed. ``parity_sample.npz`` holds a few hundred values per map of the authors' network for seed 1, with each whole map's
standard deviation; ``python -m tests.networks.authors FULL.npz`` makes it from the full maps.
"""

from __future__ import annotations

import math
import sys
import zlib
from pathlib import Path

import numpy as np
import timm
import torch

SAMPLE = Path(__file__).with_name("parity_sample.npz")
MAPS = ("hm", "reg", "wh")


def shapes() -> dict[str, tuple[int, ...]]:
    """Name and shape of every entry of the authors' state dict."""
    encoder = timm.create_model("tf_efficientnetv2_s", features_only=True)
    table = {f"base_network.{name}": tuple(value.shape) for name, value in encoder.state_dict().items()}
    for stage, low, width, pixels in ((4, 256, 160, 64 * 32), (3, 160, 64, 128 * 64), (2, 64, 48, 256 * 128)):
        table.update({f"dec_net.dec_c{stage}.{k}": v for k, v in _fusion(low, width, pixels).items()})
    for head, first, last, outputs in (("hm", 3, 1, 1), ("reg", 3, 1, 2), ("wh", 7, 7, 8)):
        table[f"dec_net.{head}.0.weight"] = (256, 48, first, first)
        table[f"dec_net.{head}.0.bias"] = (256,)
        table[f"dec_net.{head}.2.weight"] = (outputs, 256, last, last)
        table[f"dec_net.{head}.2.bias"] = (outputs,)
    return table


def _fusion(low: int, width: int, pixels: int) -> dict[str, tuple[int, ...]]:
    table = {}
    for kind in ("t_drsa_decoder_block_", "t_drsa_skip_block_", "t_drca_decoder_block_", "t_drca_skip_block_"):
        block = {f"attn.{letter}_{path}.weight": (64, 64) for letter in "qkv" for path in ("Hi", "Lo")}
        block["attn.temperature"] = (1, 1, 1)
        block["attn.convTranspose.weight"] = (width, width, 2, 2)
        block["attn.convTranspose.bias"] = (width,)
        block["attn.project_out.weight"] = (width, 2 * width, 1, 1)
        block.update(_rest_of_transformer(width, pixels))
        table.update({f"{kind}.{k}": v for k, v in block.items()})
    block = {
        "attn.temperature": (2, 1, 1),
        "attn.qkv.weight": (3 * width, width, 1, 1),
        "attn.project_out.weight": (width, width, 1, 1),
        **_rest_of_transformer(width, width),
    }
    table.update({f"channel_transformer.{k}": v for k, v in block.items()})
    for name, inputs, kernel in (("up", low, 3), ("cat_conv", 2 * width, 1)):
        table[f"{name}.0.weight"] = (width, inputs, kernel, kernel)
        table[f"{name}.0.bias"] = (width,)
        for entry in ("weight", "bias", "running_mean", "running_var"):
            table[f"{name}.1.{entry}"] = (width,)
        table[f"{name}.1.num_batches_tracked"] = ()
    return table


def _rest_of_transformer(width: int, norm: int) -> dict[str, tuple[int, ...]]:
    table = {f"{n}.body.{entry}": (norm,) for n in ("norm1", "norm2") for entry in ("weight", "bias")}
    table["ffn.project_in.weight"] = (4 * width, width, 1, 1)
    table["ffn.dwconv.weight"] = (4 * width, 1, 3, 3)
    table["ffn.project_out.weight"] = (width, 2 * width, 1, 1)
    return table


def tensor(name: str, shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """The entry ``name``, drawn by a rule that depends on its name, shape and ``seed`` alone."""
    rng = np.random.default_rng(zlib.crc32(f"{seed}:{name}".encode()))
    kind = name.rsplit(".", 1)[-1]
    if kind == "num_batches_tracked":
        return torch.zeros(shape, dtype=torch.int64)
    if kind == "running_var" or (kind == "weight" and len(shape) == 1):
        values = rng.uniform(0.5, 1.5, shape)
    elif kind == "temperature":
        values = rng.uniform(0.5, 2.0, shape)
    elif len(shape) == 1:
        values = 0.1 * rng.standard_normal(shape)
    else:
        values = rng.standard_normal(shape) / math.sqrt(math.prod(shape[1:]))
    return torch.from_numpy(values.astype(np.float32))


def state(seed: int = 1) -> dict[str, torch.Tensor]:
    """A whole state dict in the authors' names."""
    return {name: tensor(name, shape, seed) for name, shape in shapes().items()}


def image(seed: int = 1) -> torch.Tensor:
    """(1, 3, 1024, 512) noise in [-0.5, 0.5]."""
    return torch.from_numpy((np.random.default_rng(seed).random((1, 3, 1024, 512)) - 0.5).astype(np.float32))


def write_sample(full: Path, values: int = 500) -> None:
    """Keep ``values`` fixed places of each map of ``full``, and the map's standard deviation."""
    rng = np.random.default_rng(0)
    kept = {}
    with np.load(full) as maps:
        for name in MAPS:
            places = np.sort(rng.choice(maps[name].size, values, replace=False))
            kept[f"{name}_places"] = places.astype(np.int32)
            kept[f"{name}_values"] = maps[name].ravel()[places]
            kept[f"{name}_std"] = maps[name].std()
    np.savez_compressed(SAMPLE, **kept)


if __name__ == "__main__":
    write_sample(Path(sys.argv[1]))
