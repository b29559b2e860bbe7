"""The device of a run, and the processes that torchrun started for it (pytorch-ignite's ``ignite.distributed``)."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import ignite.distributed as idist
import torch
import torch.distributed
from torch import Tensor

from ..errors import OptionError

#: The first process may draw thousands of phantoms while the others wait.
_PATIENCE = timedelta(hours=12)


def choose_device(wanted: str) -> torch.device:
    """The device of this process: ``wanted``, or for "auto" a GPU where there is one.

    Raises
    ------
    OptionError
        A GPU is wanted and there is none.
    """
    available = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise OptionError("a GPU is wanted and torch finds none", remedy="Use the device cpu or auto")
    if wanted == "cpu" or not available:
        return torch.device("cpu")
    return torch.device("cuda", idist.get_local_rank())


def device_name(device: torch.device) -> str:
    """What a card calls the device: the GPU's or the processor's name."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@contextmanager
def joined(wanted: str) -> Iterator[None]:
    """Joins the processes that torchrun started, for the length of the block; does nothing in any other process."""
    if not torch.distributed.is_torchelastic_launched() or torch.distributed.is_initialized():
        yield
        return
    on_gpu = wanted != "cpu" and torch.cuda.is_available()
    idist.initialize("nccl" if on_gpu else "gloo", timeout=_PATIENCE)
    try:
        yield
    finally:
        idist.finalize()


def is_first() -> bool:
    """Whether this is the process that writes and speaks."""
    return idist.get_rank() == 0


def summed(tensor: Tensor) -> Tensor:
    """The sum of a tensor over all processes."""
    return idist.all_reduce(tensor) if idist.get_world_size() > 1 else tensor


def told(values: list[float]) -> list[float]:
    """The first process's numbers, in every process."""
    if idist.get_world_size() == 1:
        return values
    device = idist.device()
    return idist.broadcast(torch.tensor(values, dtype=torch.float64, device=device), src=0).tolist()
