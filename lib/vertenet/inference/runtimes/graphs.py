"""Networks exported as ONNX graphs, kept in a folder of the user by the hash of their weights.

Beside a graph lie its layout, and a check: an image and what torch says of it. A graph that a runtime computes
otherwise is refused when it is opened.
"""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ... import __version__
from ...errors import ModelError
from ...files import beside, write_text
from .layout import Layout

#: Folder of what can be made again, before the user's own.
CACHE_VARIABLE = "VERTENET_CACHE"
#: Raised when exported graphs change their meaning.
FORMAT = 1


@dataclass(frozen=True, eq=False)
class Graph:
    """An exported network.

    Attributes
    ----------
    path : Path
        The ONNX file, for one image at a time.
    names : tuple of str
        Of its outputs, in order.
    layout : Layout
    image : (1, channels, rows, columns) float32
        The check's image; ``expected`` is what torch says of it, by name.
    """

    path: Path
    names: tuple[str, ...]
    layout: Layout
    image: np.ndarray
    expected: dict[str, np.ndarray]


def folder() -> Path:
    """Where graphs are kept: ``VERTENET_CACHE``, or ``vertenet`` in the user's cache folder (XDG_CACHE_HOME)."""
    given = os.environ.get(CACHE_VARIABLE)
    return Path(given) if given else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vertenet"


def path_of(sha256: str, suffix: str = ".onnx") -> Path:
    """Where the graph of the weights with that SHA-256 lies; graphs of other versions have other names."""
    return folder() / f"{sha256[:32]}-{__version__}-{FORMAT}{suffix}"


def find_graph(sha256: str) -> Graph | None:
    """The graph of some weights, or None where none was made, or it cannot be read."""
    path = path_of(sha256)
    if not path.is_file():
        return None
    try:
        about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        with np.load(path.with_suffix(".npz")) as stored:
            expected = {name: stored[name] for name in about["names"]}
            return Graph(path, tuple(about["names"]), Layout.from_dict(about["layout"]), stored["image"], expected)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None  # half written or of another program: it is made again


def export_graph(network, sha256: str) -> Graph:
    """Export a network and keep the graph.

    Raises
    ------
    ModelError
        The network cannot be exported, or the folder cannot be written.
    """
    import copy
    import importlib.util

    import torch

    from ...networks.peaks import view_of
    from .torch_runtime import layout_of

    if importlib.util.find_spec("onnx") is None:
        raise ModelError(
            "a graph can only be made with the package onnx", remedy="Install it with: pip install 'vertenet[runtimes]'"
        )
    layout, path = layout_of(network), path_of(sha256)
    image = check_image(layout)
    # The exporter folds norms into the weights that it is given.
    view = view_of(copy.deepcopy(network).cpu().eval().requires_grad_(False))
    with torch.no_grad():
        found = view(torch.from_numpy(image))
    names = tuple(name for name in found if name != "heat")
    try:
        with beside(path) as temporary, torch.no_grad():
            torch.onnx.export(
                _InOrder(view, names), (torch.from_numpy(image),), temporary, input_names=["images"],
                output_names=list(names), dynamo=False, opset_version=17,
            )  # fmt: skip
        with beside(path.with_suffix(".npz")) as temporary:
            np.savez_compressed(temporary, image=image, **{name: found[name].numpy() for name in names})
        about = {"names": names, "layout": layout.to_dict()}
        write_text(path.with_suffix(".json"), json.dumps(about))
    except OSError as error:
        raise ModelError(f"the graph cannot be kept ({error.strerror})", subject=path) from error
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        first = str(error).splitlines()[0]
        raise ModelError(f"this network cannot be exported ({first})", remedy="Use the runtime torch") from error
    graph = find_graph(sha256)
    if graph is None:
        raise ModelError("the graph was written, but cannot be read back", subject=path)
    return graph


def check_image(layout: Layout) -> np.ndarray:
    """Something with bodies and discs, in noise: what it looks like matters less than that peaks are found in it."""
    rng = np.random.default_rng(7)
    rows, columns = layout.input_size
    if layout.channels == 2:  # a crop of the refiner, and where it is valid
        crop = rng.normal(90, 6, (rows, columns))
        crop[rows // 4 : -rows // 4, columns // 4 : -columns // 4] += 70
        return np.stack([crop, np.ones_like(crop)])[None].astype(np.float32)
    y, x = np.mgrid[:rows, :columns] / (rows, columns)[0]
    x = x * rows / columns
    picture = 60 + 30 * np.cos(6 * (x - 0.45)) + rng.normal(0, 5, (rows, columns))
    for k in range(9):
        middle = 0.42 + 0.05 * np.sin(0.6 * k)
        across, down = np.abs(x - middle) / 0.13, np.abs(y - (0.08 + 0.1 * k)) / 0.038
        body = 1 / (1 + np.exp(14 * (np.maximum(across, down) - 1)))
        rim = np.exp(-(((np.maximum(across, down) - 0.95) / 0.08) ** 2))
        picture += 70 * body + 35 * rim
    return (np.clip(picture, 0, 255) / 255 - 0.5)[None, None].astype(np.float32)


def _InOrder(view, names):  # noqa: N802  (torch is loaded only here)
    import torch

    class InOrder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.view = view

        def forward(self, images):
            found = self.view(images)
            return tuple(found[name] for name in names)

    return InOrder()
