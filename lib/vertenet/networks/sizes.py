"""Checks of image sizes that every network makes."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ..errors import ModelError, OptionError


def checked_size(input_size: Sequence[int], multiple: int) -> tuple[int, int]:
    """``input_size`` as (rows, columns); OptionError unless both are positive multiples of ``multiple``."""
    rows, columns = input_size
    if rows % multiple or columns % multiple or rows <= 0 or columns <= 0:
        raise OptionError(
            f"input_size is {rows} x {columns}, but rows and columns must be multiples of {multiple}",
            remedy="Use for example 1024 x 512 or 512 x 256",
        )
    return rows, columns


def check_images(x: Tensor, input_size: tuple[int, int]) -> None:
    """ModelError unless ``x`` is (B, 3, rows, columns)."""
    if x.ndim != 4 or tuple(x.shape[1:]) != (3, *input_size):
        rows, columns = input_size
        raise ModelError(
            f"the network was built for images of shape (B, 3, {rows}, {columns}), but got {tuple(x.shape)}",
            remedy=f"Resize the image, or build the network with input_size=({x.shape[-2]}, {x.shape[-1]})",
        )
