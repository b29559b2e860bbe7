"""ONNX Runtime on the CPU."""

from __future__ import annotations

import numpy as np

from .graphs import Graph
from .layout import in_batches


class OnnxRuntime:
    """A graph in ONNX Runtime; ``threads`` as for torch, all cores by default."""

    def __init__(self, graph: Graph, name: str, threads: int | None = None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        # Threads that spin while they wait make a busy machine many times slower.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self.name, self.layout, self._names = name, graph.layout, graph.names
        self._session = onnxruntime.InferenceSession(str(graph.path), options, providers=["CPUExecutionProvider"])

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        return in_batches(self._run, images, 1)

    def _run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        found = self._session.run(None, {"images": np.ascontiguousarray(images, dtype=np.float32)})
        return dict(zip(self._names, found))
