"""Checkpoints of the authors' code: names, refusals, import."""

from __future__ import annotations

import os
import pickle
import random

import pytest
import torch

from vertenet.errors import ModelError
from vertenet.networks import import_checkpoint, load_authors_checkpoint, load_weights
from vertenet.networks.checkpoint import our_name


@pytest.fixture
def write(tmp_path):
    path = tmp_path / "model.pth"

    def checkpoint(content):
        torch.save(content, path)
        return path

    yield checkpoint
    path.unlink()


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("base_network.conv_stem.weight", "encoder.conv_stem.weight"),
        ("module.dec_net.dec_c4.up.0.bias", "decoder.0.lift.0.bias"),
        ("dec_net.dec_c2.t_drca_skip_block_.attn.k_Lo.weight", "decoder.2.cross_skip.attention.low.key.weight"),
        ("dec_net.dec_c3.t_drsa_decoder_block_.attn.project_out.weight", "decoder.1.self_low.attention.join.weight"),
        ("dec_net.dec_c3.channel_transformer.attn.project_out.weight", "decoder.1.channels.attention.project.weight"),
        ("dec_net.wh.2.weight", "corners.2.weight"),
    ],
)
def test_names_are_mapped(theirs, ours):
    assert our_name(theirs) == ours


def test_a_checkpoint_loads_with_and_without_the_prefix_of_multi_gpu_training(authors_state, authors_file, write):
    prefixed = load_authors_checkpoint(authors_file)
    plain = load_authors_checkpoint(write({"epoch": 3, "state_dict": authors_state}))
    assert not plain.training
    for name, value in plain.state_dict().items():
        assert torch.equal(value, prefixed.state_dict()[name])
    norm = authors_state["dec_net.dec_c4.t_drca_skip_block_.norm2.body.weight"]
    assert torch.equal(plain.state_dict()["decoder.0.cross_skip.norm2.weight"].flatten(), norm)


def test_missing_and_unexpected_entries_are_named(authors_state, write):
    state = dict(authors_state)
    del state["dec_net.hm.2.bias"]
    state["dec_net.landmarks.weight"] = torch.zeros(3)
    path = write({"epoch": 3, "state_dict": state})
    with pytest.raises(
        ModelError, match=r"lacks centre\.2\.bias and has the unexpected dec_net\.landmarks\.weight"
    ) as e:
        load_authors_checkpoint(path)
    assert str(path) in str(e.value)


def test_an_entry_of_another_shape_is_named(authors_state, write):
    state = {**authors_state, "dec_net.wh.2.weight": torch.zeros(8, 256, 3, 3)}
    with pytest.raises(ModelError, match=r"dec_net\.wh\.2\.weight is \(8, 256, 3, 3\)"):
        load_authors_checkpoint(write({"epoch": 3, "state_dict": state}))


@pytest.mark.parametrize("content", [{"epoch": 1}, [1, 2], {"state_dict": 4}], ids=str)
def test_a_file_without_a_state_dict_is_refused(content, write):
    with pytest.raises(ModelError, match="no 'state_dict'"):
        load_authors_checkpoint(write(content))


def test_an_absent_file_is_refused(tmp_path):
    with pytest.raises(ModelError, match="no such checkpoint"):
        load_authors_checkpoint(tmp_path / "absent.pth")


def test_damaged_files_are_refused_with_a_sentence(write):
    path = write({"epoch": 1, "state_dict": {"a": torch.rand(8, 8)}})
    whole = path.read_bytes()
    rng = random.Random(0)
    for _ in range(60):
        damaged = bytearray(whole[: rng.randrange(len(whole))])
        for _ in range(8):
            if damaged:
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        path.write_bytes(bytes(damaged))
        with pytest.raises(ModelError):
            load_authors_checkpoint(path)


def test_code_inside_a_checkpoint_is_not_executed(tmp_path):
    marker = tmp_path / "executed"

    class Attack:
        def __reduce__(self):
            return (os.mkdir, (str(marker),))

    path = tmp_path / "attack.pth"
    path.write_bytes(pickle.dumps({"epoch": 1, "state_dict": Attack()}, protocol=2))
    with pytest.raises(ModelError, match="not a PyTorch checkpoint of plain tensors"):
        load_authors_checkpoint(path)
    assert not marker.exists()


def test_import_writes_weights_that_load_and_a_card_that_says_where_they_came_from(authors_file, tmp_path):
    card = import_checkpoint(authors_file, tmp_path / "authors.safetensors")
    module, read = load_weights(tmp_path / "authors.safetensors")
    assert read == card
    assert (card.name, card.network, card.synthetic_only) == ("authors", "vertenet", False)
    assert card.recipe["imported_from"] == "model_last.pth"
    assert card.recipe["epoch"] == 49
    assert "does not record" in card.training_data
    original = load_authors_checkpoint(authors_file)
    for (name, ours), theirs in zip(module.state_dict().items(), original.state_dict().values()):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-6, msg=name)


def test_a_checkpoint_can_be_loaded_for_another_image_size(authors_file):
    module = load_authors_checkpoint(authors_file, input_size=(512, 256))
    assert module.input_size == (512, 256)
    assert module.decoder[2].self_low.norm1.weight.shape == (128, 64)
