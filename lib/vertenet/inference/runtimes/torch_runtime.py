"""torch itself: every network, every device; float32, or bfloat16 and float16 by name."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from ...networks.landmarks import LandmarkNetwork
from ...networks.peaks import view_of
from ...networks.refiner import RefinerNetwork
from .layout import Layout, in_batches

#: Pixels of the images that go through a network at once on a CPU, where a larger batch gains nothing but memory.
PIXELS_AT_ONCE = 512 * 256
#: The same on a GPU.
PIXELS_AT_ONCE_ON_GPU = 16 * 1024 * 512
DTYPES = {"torch": None, "torch-bfloat16": torch.bfloat16, "torch-float16": torch.float16}


class TorchRuntime:
    """A network of the zoo, as it is.

    Parameters
    ----------
    network : torch.nn.Module
        From `vertenet.networks.load_weights`.
    device : torch.device or str
    name : {"torch", "torch-bfloat16", "torch-float16"}
    view : torch.nn.Module, optional
        Called with images, returns tensors by name; default `vertenet.networks.peaks.view_of`.
    """

    def __init__(self, network: nn.Module, device="cpu", name: str = "torch", view: nn.Module | None = None) -> None:
        self.name, self.device = name, torch.device(device)
        self.network = network.to(self.device).eval().requires_grad_(False)
        self.layout = layout_of(network)
        self._view = (view_of(network) if view is None else view).eval()
        self._dtype = DTYPES[name]

    @torch.inference_mode()
    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        rows, columns = self.layout.input_size
        limit = PIXELS_AT_ONCE if self.device.type == "cpu" else PIXELS_AT_ONCE_ON_GPU
        return in_batches(self._run, images, max(1, limit // (rows * columns)))

    def _run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        tensor = torch.from_numpy(np.ascontiguousarray(images, dtype=np.float32)).to(self.device)
        with torch.autocast(self.device.type, dtype=self._dtype, enabled=self._dtype is not None):
            found = self._view(tensor)
        return {
            name: (value.float() if value.is_floating_point() else value).cpu().numpy() for name, value in found.items()
        }


def layout_of(network: nn.Module) -> Layout:
    """The layout of a network of the zoo."""
    levels = network.level_names if hasattr(network, "level_names") else None
    channels = 2 if isinstance(network, RefinerNetwork) else 1
    return Layout(
        tuple(network.input_size),
        getattr(network, "stride", 1),
        None if levels is None else tuple(levels),
        isinstance(network, LandmarkNetwork),
        channels,
    )
