"""Predictions on disk: several processes give what one gives, and an image that cannot be read is not passed over."""

import pandas as pd
import pytest
import torch

from vertenet.experiments.data import Source
from vertenet.experiments.predict import Variant, predict_cases
from vertenet.networks import Card, build, save_weights
from vertenet.phantom import generate, write


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three phantoms; the file of the second is cut short."""
    folder = tmp_path_factory.mktemp("phantoms")
    for seed in range(3):
        path = write(generate(seed, difficulty="easy"), folder, name=f"case{seed}")
        if seed == 1:
            path.write_bytes(path.read_bytes()[:5000])
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    network = build("nfdp", input_size=(256, 256))
    path = tmp_path_factory.mktemp("weights") / "nfdp.safetensors"
    save_weights(network, path, Card.of(network, name="nfdp", training_data="nothing", synthetic_only=True))
    return path


def test_an_unreadable_image_is_in_the_table_with_its_reason(folder, weights, tmp_path):
    table = predict_cases(weights, Source(str(folder)), range(3), [Variant("points")], tmp_path / "a.csv")
    bad = table[table["image"] == "case1.png"]
    assert len(bad) == 24
    assert not bad["found"].any()
    assert bad["required"].any()
    assert bad["problem"].str.contains("case1.png").all()
    assert (table.loc[table["image"] != "case1.png", "problem"] == "").all()
    assert table["found"].any()


def test_two_processes_write_what_one_writes(folder, weights, tmp_path):
    tables = [
        predict_cases(
            weights, Source(str(folder)), range(3), [Variant("points")], tmp_path / f"{workers}.csv", workers=workers
        )
        for workers in (1, 2)
    ]
    one, two = (table.drop(columns="latency_s") for table in tables)
    pd.testing.assert_frame_equal(one, two)
