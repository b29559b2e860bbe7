"""What a network costs: parameters, multiply-adds and memory by counting, time by measuring (the paper's Figure 5)."""

from __future__ import annotations

import statistics
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from .zoo import build


@dataclass(frozen=True)
class Cost:
    """What predicting one image takes, in float32.

    Attributes
    ----------
    input_size : (rows, columns) it was counted at
    parameters : int
    gmac : float
        Thousand million multiply-adds of convolutions and matrix products. Norms, activations and resampling are not
        counted: 74.5 for VerteNet, published as 74.8.
    memory_mb : float
        Parameters, and the maps alive at once when they are most, 10^6 bytes. A convolution's workspace is not in it.
    """

    input_size: tuple[int, int]
    parameters: int
    gmac: float
    memory_mb: float


def cost(name: str, **options) -> Cost:
    """Cost of a network of the zoo, counted without computing: shapes alone run through it.

    Raises
    ------
    ModelError, OptionError
        As `vertenet.networks.build`.

    Examples
    --------
    >>> round(cost("vertenet").gmac, 1)
    74.5
    """
    with torch.device("meta"):
        network = build(name, **options).eval().requires_grad_(False)
        image = torch.zeros(1, 3, *network.input_size)
    memory = _Memory()
    with torch.inference_mode(), FlopCounterMode(display=False) as flops, memory:
        network(image)
    held = sum(tensor.nbytes for tensor in [*network.parameters(), *network.buffers()])
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return Cost(network.input_size, parameters, flops.get_total_flops() / 2e9, (held + memory.most) / 1e6)


def measure_speed(network: nn.Module, threads: int = 1, repeats: int = 5) -> float:
    """Median seconds to predict one image, after one prediction to warm up.

    Parameters
    ----------
    network : a network from `vertenet.networks.build`, on the device to measure; it is left in its mode
    threads : CPU threads for torch while it is measured
    repeats : predictions
    """
    device = next(network.parameters()).device
    image = torch.zeros(1, 3, *network.input_size, device=device)
    mode, before = network.training, torch.get_num_threads()
    network.eval()
    torch.set_num_threads(threads)
    try:
        with torch.inference_mode():
            network(image)
            return statistics.median(_seconds(network, image) for _ in range(repeats))
    finally:
        torch.set_num_threads(before)
        network.train(mode)


def _seconds(network: nn.Module, image: torch.Tensor) -> float:
    if image.is_cuda:
        torch.cuda.synchronize(image.device)
    started = time.perf_counter()
    network(image)
    if image.is_cuda:
        torch.cuda.synchronize(image.device)
    return time.perf_counter() - started


class _Memory(TorchDispatchMode):
    """Bytes of the tensors that were made under it and are still alive; ``most`` is their highest sum."""

    def __init__(self) -> None:
        super().__init__()
        self.alive: dict[int, int] = {}
        self.most = 0

    def __torch_dispatch__(self, function, types: Sequence[type], args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                self._add(tensor.untyped_storage())
        self.most = max(self.most, sum(self.alive.values()))
        return result

    def _add(self, storage: torch.UntypedStorage) -> None:
        key = id(storage)
        if key not in self.alive:
            self.alive[key] = storage.nbytes()
            weakref.finalize(storage, self.alive.pop, key)
