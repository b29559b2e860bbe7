"""Encoders: image classification networks of timm, read at strides 4, 8, 16 and 32."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import timm
from torch import nn

from ..errors import ModelError

#: Strides of the maps that a decoder fuses; the last is the deepest of every encoder.
STRIDES = (4, 8, 16, 32)


def create_encoder(name: str, pretrained: bool | str = False, strides: Sequence[int] = STRIDES, **others) -> nn.Module:
    """A timm network that returns its maps at ``strides``; ``feature_info.channels()`` gives their widths.

    Parameters
    ----------
    name : str
        A timm model, such as ``tf_efficientnetv2_s``.
    pretrained : bool or path
        True: ImageNet weights from timm's hub (or its local cache). A path: such a file on this machine. False: none.
    strides : some of `STRIDES`, ascending
    **others
        Further options of the timm model.

    Raises
    ------
    ModelError
        timm does not know the name, the network lacks one of the strides, or the weights cannot be had.
    """
    # Counted from the deepest map: some networks (ConvNeXt) have no map at stride 2.
    indices = tuple(STRIDES.index(stride) - len(STRIDES) for stride in strides)
    options = {**others, "features_only": True, "out_indices": indices, "pretrained": bool(pretrained)}
    if isinstance(pretrained, str):
        if not Path(pretrained).is_file():
            raise ModelError("there is no such file of encoder weights", subject=pretrained)
        options["pretrained_cfg_overlay"] = {"file": pretrained}
    if not timm.is_model(name):
        raise ModelError(f"timm has no network called {name!r}", remedy="timm.list_models() names those it has")
    try:
        encoder = timm.create_model(name, **options)
    except (OSError, RuntimeError, ValueError) as error:
        if not pretrained:
            raise
        raise ModelError(
            f"the ImageNet weights of {name} could not be had ({type(error).__name__})",
            remedy="Connect this machine to huggingface.co, or give the path of a downloaded file as pretrained=..., "
            "or train from scratch with pretrained=False",
        ) from error
    found = tuple(encoder.feature_info.reduction())
    if found != tuple(strides):
        raise ModelError(f"{name} has maps at strides {found}, but strides {tuple(strides)} are needed")
    return encoder
