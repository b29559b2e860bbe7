"""A starter that trains in seconds, and a store with labels of phantoms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vertenet import phantom
from vertenet.annotation import markups
from vertenet.networks import Card, build, save_weights
from vertenet.server.store import RadiographStore
from vertenet.server.training.split import is_held
from vertenet.spine import Spine

SIZE = (128, 128)


def make_starter(folder, seed: int = 0):
    """A network of random weights: nothing it says is right, and everything works as with a good one."""
    torch.manual_seed(seed)
    network = build("vertenet-lite", input_size=SIZE, parts=((), (), ()))
    weights = folder / "small.safetensors"
    save_weights(network, weights, Card.of(network, name="small", training_data="nothing", synthetic_only=True))
    return weights


def submit(store: RadiographStore, image_id: str, spine: Spine, size: tuple[int, int]) -> None:
    store.submit(image_id, markups.dumps(spine, size=size, midpoints=False).encode())


def make_labelled(folder, seeds, *, labels=True):
    """Easy phantoms as PNG images, each labelled with the truth."""
    made = {}
    for seed in seeds:
        made[f"scan{seed}"] = phantom.generate(seed, difficulty="easy", crop=None)
        phantom.write(made[f"scan{seed}"], folder, name=f"scan{seed}").with_name(f"scan{seed}.truth.json").unlink()
    store = RadiographStore(str(folder))
    for image_id, image in made.items() if labels else ():
        submit(store, image_id, image.truth.spine, image.radiograph.pixels.shape)
    return store, made


def seeds_of_both_sides(learn: int, held: int) -> list[int]:
    """Seeds of which so many images fall on each side of the frozen split."""
    numbers = np.arange(500)
    sides = {side: [n for n in numbers if is_held(f"scan{n}") is side] for side in (False, True)}
    return [int(n) for n in (*sides[False][:learn], *sides[True][:held])]


@pytest.fixture
def starter(tmp_path):
    return make_starter(tmp_path)


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """Folder of images without labels, and what they are."""
    folder = tmp_path_factory.mktemp("images")
    _, made = make_labelled(folder, seeds_of_both_sides(3, 1), labels=False)
    return folder, made


@pytest.fixture
def store(images, tmp_path):
    """Three labelled images to train on, one that judges."""
    folder = tmp_path / "studies"
    folder.mkdir()
    for name in images[1]:
        (folder / f"{name}.png").write_bytes((images[0] / f"{name}.png").read_bytes())
    found = RadiographStore(str(folder))
    for name, image in images[1].items():
        submit(found, name, image.truth.spine, image.radiograph.pixels.shape)
    return found
