"""Networks and files that several tests look at; made once, for they are large."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from vertenet.networks import build

from . import authors


@pytest.fixture(scope="session")
def authors_state() -> dict[str, torch.Tensor]:
    return authors.state()


@pytest.fixture(scope="session")
def authors_file(authors_state, tmp_path_factory) -> Iterator[Path]:
    """A checkpoint with the prefix that multi-GPU training leaves on every name."""
    path = tmp_path_factory.mktemp("authors") / "model_last.pth"
    torch.save({"epoch": 49, "state_dict": {f"module.{name}": v for name, v in authors_state.items()}}, path)
    yield path
    path.unlink()  # 97 MB, and pytest keeps the folders of three runs


@pytest.fixture
def lite() -> torch.nn.Module:
    """A small vertenet-lite with reproducible weights, in training mode."""
    torch.manual_seed(0)
    return build("vertenet-lite", input_size=(256, 256))
