"""OpenVINO on the CPU: float32, bfloat16, and eight bits after quantisation."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ...errors import ModelError
from ...files import beside
from .graphs import Graph, folder
from .layout import in_batches

_PRECISION = {"openvino": "f32", "openvino-bfloat16": "bf16", "openvino-int8": "f32"}


class OpenVinoRuntime:
    """A graph in OpenVINO; ``threads`` as for torch, all cores by default."""

    def __init__(self, graph: Graph, name: str, threads: int | None = None) -> None:
        import openvino

        options = {
            "INFERENCE_PRECISION_HINT": _PRECISION[name],
            "PERFORMANCE_HINT": "LATENCY",
            "CACHE_DIR": str(folder() / "openvino"),
        }
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = threads
        path = quantised_path(graph) if name == "openvino-int8" else graph.path
        if not path.is_file():
            raise ModelError(
                "there is no quantised graph of these weights",
                subject=path,
                remedy="Make it with: vertenet bench --runtime openvino-int8",
            )
        self.name, self.layout, self._names = name, graph.layout, graph.names
        self._model = openvino.Core().compile_model(str(path), "CPU", options)
        # A request holds the tensors of one run; servers call from several threads.
        self._local = threading.local()

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        return in_batches(self._run, images, 1)

    def _run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        if not hasattr(self._local, "request"):
            self._local.request = self._model.create_infer_request()
        found = self._local.request.infer({0: np.ascontiguousarray(images, dtype=np.float32)})
        return {name: np.array(found[i]) for i, name in enumerate(self._names)}


def quantised_path(graph: Graph) -> Path:
    return graph.path.with_name(f"{graph.path.stem}-int8.xml")


def quantise(graph: Graph, images: Iterable[np.ndarray]) -> Path:
    """Quantise a graph to eight bits after training, on ``images`` (1, channels, rows, columns) like those to come.

    The heads stay in floating point: positions are read from them.
    """
    import nncf
    import openvino

    model = openvino.Core().read_model(str(graph.path))
    quantised = nncf.quantize(
        model,
        nncf.Dataset(list(images)),
        preset=nncf.QuantizationPreset.MIXED,
        ignored_scope=nncf.IgnoredScope(patterns=[".*(offset|corners|centre|levels|side).*"], validate=False),
    )
    path = quantised_path(graph)
    with beside(path) as temporary:
        openvino.save_model(quantised, str(temporary), compress_to_fp16=False)
        weights = temporary.with_suffix(".bin")
        weights.replace(path.with_suffix(".bin"))
    return path
