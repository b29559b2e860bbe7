"""What runs a network: torch, or a graph that was exported from it. One interface, `layout.Runtime`.

All float32 runtimes give the same landmarks to 0.02 pixels; the others are chosen by name alone, so that an answer does
not hang on the machine. A graph is made when a runtime that needs one is named, and kept; from then on it is found, and
the network itself, torch and timm need not be loaded to read an image.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...errors import ModelError, OptionError
from .check import check
from .graphs import Graph, export_graph, find_graph
from .layout import Layout, Runtime

if TYPE_CHECKING:
    from torch import nn

__all__ = ["AUTO", "RUNTIMES", "Layout", "Runtime", "installed", "open_runtime"]

#: Name to the package it needs beside those of the extra ``network``.
RUNTIMES: dict[str, str] = {
    "torch": "torch",
    "torch-bfloat16": "torch",
    "torch-float16": "torch",
    "onnxruntime": "onnxruntime",
    "openvino": "openvino",
    "openvino-bfloat16": "openvino",
    "openvino-int8": "openvino",
}
AUTO = "auto"
#: Those that are chosen by themselves, the fastest first.
_BY_THEMSELVES = ("openvino", "onnxruntime")

_log = logging.getLogger(__name__)


def installed(name: str) -> bool:
    """Whether the package of a runtime is there."""
    return importlib.util.find_spec(RUNTIMES[name]) is not None


def open_runtime(
    sha256: str, load: Callable[[], nn.Module], name: str = AUTO, *, device: str = "cpu", threads: int | None = None
) -> Runtime:
    """The runtime of some weights.

    Parameters
    ----------
    sha256 : str
        Of the weight file.
    load : callable
        Gives the network; called only where it is needed.
    name : str
        One of `RUNTIMES`, or ``auto``: the first of openvino and onnxruntime that is installed, for which a graph was
        made and which agrees with it; else torch. On another device than the CPU: torch.
    device : str
    threads : int, optional

    Raises
    ------
    OptionError
        There is no such runtime, or not on that device.
    ModelError
        The runtime that was named is not installed, cannot run the network or does not agree with torch.
    """
    if name not in (AUTO, *RUNTIMES):
        raise OptionError(f"there is no runtime {name!r}", remedy=f"Use one of {', '.join((AUTO, *RUNTIMES))}")
    on_cpu = device == "cpu"
    if name == AUTO:
        graph = find_graph(sha256) if on_cpu else None
        for candidate in _BY_THEMSELVES if graph else ():
            if installed(candidate):
                try:
                    return _opened(candidate, graph, threads)
                except ModelError as error:
                    _log.warning("%s", error.sentence)
        name = "torch"
    if name.startswith("torch"):
        from .torch_runtime import TorchRuntime  # where there is no torch, its absence is what is told

        return TorchRuntime(load(), device, name)
    if not installed(name):
        raise ModelError(
            f"the runtime {name} is not installed", remedy="Install it with: pip install 'vertenet[runtimes]'"
        )
    if not on_cpu:
        raise OptionError(f"the runtime {name} runs on the CPU, not on {device}", remedy="Use the runtime torch there")
    return _opened(name, find_graph(sha256) or export_graph(load(), sha256), threads)


def _opened(name: str, graph: Graph, threads: int | None) -> Runtime:
    if RUNTIMES[name] == "openvino":
        from .openvino_runtime import OpenVinoRuntime as Opened
    else:
        from .onnx_runtime import OnnxRuntime as Opened
    try:
        runtime = Opened(graph, name, threads)
    except ModelError:
        raise
    except Exception as error:  # each runtime has its own; all of them mean that this graph does not run there
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"the runtime {name} cannot open this graph ({first})", subject=graph.path) from error
    check(runtime, graph)
    return runtime
