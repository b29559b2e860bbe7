"""Does a runtime say of a graph's check image what torch says of it?"""

from __future__ import annotations

import numpy as np

from ...errors import ModelError
from ..decode import dense, find_candidates
from .graphs import Graph
from .layout import Runtime

#: Most that corners may move, image pixels of the network, and scores; by what the name of a runtime ends in.
TOLERANCES = {"bfloat16": (0.25, 0.1), "float16": (0.25, 0.1), "int8": (0.5, 0.15), "": (0.02, 0.002)}
#: Peaks below this score may come and go.
PLAIN = 0.3


def check(runtime: Runtime, graph: Graph) -> None:
    """Raise ModelError where the runtime computes something else."""
    length, share = tolerance_of(runtime.name)
    found = runtime(graph.image)
    problem = _difference(graph, found, length, share)
    if problem is not None:
        raise ModelError(
            f"the runtime {runtime.name} computes these weights otherwise than torch ({problem}) and is not used",
            subject=graph.path,
            remedy="Use another runtime, or remove this file so that the graph is made again",
        )


def tolerance_of(name: str) -> tuple[float, float]:
    """Pixels and score by which a runtime may differ from torch in float32."""
    return next(value for ending, value in TOLERANCES.items() if name.endswith(ending))


def _difference(graph: Graph, found: dict[str, np.ndarray], length: float, share: float) -> str | None:
    if not all(np.isfinite(found[name]).all() for name in graph.names):
        return "values that are not finite"
    if "places" not in graph.expected:
        for name in graph.names:
            moved = np.abs(found[name] - graph.expected[name]).max() / (graph.expected[name].std() + 1e-6)
            if moved > (0.01 if share < 0.01 else 0.25):
                return f"{name} differs by {moved:.2g} of its spread"
        return None
    for name in ("hm", "level"):
        if name in graph.names and (moved := np.abs(found[name] - graph.expected[name]).max()) > share:
            return f"{name} differs by {moved:.2g}"
    ours, theirs = (_candidates(graph, outputs) for outputs in (graph.expected, found))
    for candidate in ours:
        if candidate.score < PLAIN:
            continue
        moved = min((np.abs(other.corners - candidate.corners).max() for other in theirs), default=np.inf)
        if moved > length:
            return f"a vertebra lies {moved:.2g} pixels off"
    return None


def _candidates(graph: Graph, outputs: dict[str, np.ndarray]):
    layout = graph.layout
    return find_candidates(dense({n: v[0] for n, v in outputs.items()}), layout.stride, layout.level_names)
