"""Weight files and their cards."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random

import pytest
import safetensors.torch
import torch

from vertenet.errors import ModelError
from vertenet.models import MODELS_VARIABLE, find_weights
from vertenet.networks import Card, build, load_weights, save_weights


@pytest.fixture
def card(lite) -> Card:
    return Card.of(
        lite,
        name="test",
        training_data="Phantoms.",
        synthetic_only=True,
        metrics={"median_px": 1.5, "phantoms": {"levels_right": 0.93}},
        recipe={"seed": 3},
        decoder={"pitch": [82.0, 6.5]},
    )


@pytest.fixture
def saved(lite, card, tmp_path):
    path = tmp_path / "test.safetensors"
    return path, save_weights(lite, path, card)


def test_weights_come_back_within_half_precision_and_the_card_exactly(lite, saved):
    path, card = saved
    module, read = load_weights(path)
    assert read == card
    assert not module.training
    for (name, ours), theirs in zip(module.state_dict().items(), lite.state_dict().values()):
        assert ours.dtype == theirs.dtype
        torch.testing.assert_close(ours, theirs, rtol=5e-4, atol=1e-7, msg=name)


def test_maps_of_loaded_weights_are_those_of_the_saved(lite, saved):
    module, _ = load_weights(saved[0])
    x = torch.rand(1, 3, 256, 256) - 0.5
    with torch.no_grad():
        ours, theirs = module(x), lite.eval()(x)
    for name in theirs:
        torch.testing.assert_close(ours[name], theirs[name], rtol=0.01, atol=0.01)


def test_the_card_says_what_the_weights_are(saved):
    path, card = saved
    data = json.loads(path.with_suffix(".json").read_text())
    assert data["network"] == "vertenet-lite"
    assert data["options"] == {"input_size": [256, 256]}
    assert data["synthetic_only"] is True
    assert "Research use only" in data["notice"]
    assert len(card.sha256) == 64
    assert card.software.startswith("vertenet ")


def test_large_parameters_are_halved_and_running_statistics_are_not(lite, card, tmp_path):
    lite.encoder.bn1.running_var.fill_(1e6)
    path = tmp_path / "test.safetensors"
    save_weights(lite, path, card)
    stored = safetensors.torch.load_file(path)
    assert stored["decoder.0.lift.0.weight"].dtype == torch.float16
    assert stored["decoder.0.self_low.attention.temperature"].dtype == torch.float32
    module, _ = load_weights(path)
    assert torch.equal(module.encoder.bn1.running_var, lite.encoder.bn1.running_var)


def test_a_parameter_beyond_half_precision_keeps_its_value(lite, card, tmp_path):
    lite.decoder[0].lift[0].weight.data[0, 0, 0, 0] = 1e6
    path = tmp_path / "test.safetensors"
    save_weights(lite, path, card)
    assert load_weights(path)[0].decoder[0].lift[0].weight[0, 0, 0, 0] == 1e6


def test_weights_that_are_not_finite_are_not_written(lite, card, tmp_path):
    lite.corners[0].weight.data[0, 0, 0, 0] = float("nan")
    with pytest.raises(ModelError, match=r"corners\.0\.weight has values that are not finite"):
        save_weights(lite, tmp_path / "test.safetensors", card)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_beside_the_two_files(saved):
    path, _ = saved
    assert sorted(p.name for p in path.parent.iterdir()) == ["test.json", "test.safetensors"]


def test_a_single_changed_byte_is_refused(saved):
    path, _ = saved
    content = bytearray(path.read_bytes())
    content[random.Random(0).randrange(len(content))] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ModelError, match="SHA-256 differs"):
        load_weights(path)


def test_weights_without_a_card_are_refused(saved):
    path, _ = saved
    path.with_suffix(".json").unlink()
    with pytest.raises(ModelError, match="card of these weights is missing"):
        load_weights(path)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda text: text[:40], "cannot be read"),
        (lambda text: "[" * 200_000, "cannot be read"),
        (lambda text: "[]", "not a card"),
        (lambda text: text.replace("vertenet-card/1", "vertenet-card/9"), "not a card"),
        (lambda text: text.replace('"training_data"', '"training_date"'), "no 'training_data'"),
        (lambda text: text.replace('"synthetic_only": true', '"synthetic_only": "no"'), "'synthetic_only' is 'no'"),
        (lambda text: text.replace('"name"', '"model": 1, "name"'), "unknown model"),
        (lambda text: text.replace("vertenet-lite", "vertenet"), "do not fit the network 'vertenet'"),
        (lambda text: text.replace("vertenet-lite", "vertinet"), "no network is called 'vertinet'"),
        (lambda text: text.replace("input_size", "input_sizes"), "no option 'input_sizes'"),
    ],
)
def test_a_spoilt_card_is_refused(saved, spoil, sentence):
    path, _ = saved
    side = path.with_suffix(".json")
    side.write_text(spoil(side.read_text()))
    with pytest.raises(ModelError, match=sentence):
        load_weights(path)


def test_foreign_bytes_with_the_right_hash_are_refused(saved):
    path, card = saved
    path.write_bytes(b"not safetensors")
    digest = hashlib.sha256(b"not safetensors").hexdigest()
    side = path.with_suffix(".json")
    side.write_text(side.read_text().replace(card.sha256, digest))
    with pytest.raises(ModelError, match="do not fit"):
        load_weights(path)


def test_an_absent_file_and_another_ending_are_refused(lite, card, tmp_path):
    with pytest.raises(ModelError, match="no such weight file"):
        load_weights(tmp_path / "absent.safetensors")
    with pytest.raises(ModelError, match=r"ends in \.safetensors"):
        load_weights(tmp_path / "model.pth")
    with pytest.raises(ModelError, match=r"ends in \.safetensors"):
        save_weights(lite, tmp_path / "model.pt", card)


def test_a_folder_that_cannot_be_written_is_a_sentence(lite, card, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="cannot be written"):
        save_weights(lite, tmp_path / "file" / "test.safetensors", card)


def test_presets_are_found_by_name_in_the_given_folder(saved, monkeypatch):
    path, _ = saved
    monkeypatch.setenv(MODELS_VARIABLE, str(path.parent))
    assert find_weights("test") == path
    assert find_weights(path) == path


def test_unknown_weights_are_refused_saying_where_they_were_looked_for(tmp_path, monkeypatch):
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path))
    with pytest.raises(ModelError) as e:
        find_weights("no-such-preset")
    assert str(tmp_path) in str(e.value)
    assert "vertenet/models" in e.value.sentence.replace("\\", "/")
    with pytest.raises(ModelError, match="no such weight file"):
        find_weights(tmp_path / "absent.safetensors")


@pytest.mark.parametrize("metrics", [{"error": float("nan")}, {"errors": torch.zeros(2)}], ids=["nan", "tensor"])
def test_a_card_refuses_what_json_cannot_keep(card, metrics):
    with pytest.raises(ModelError, match="'metrics' cannot be written as JSON"):
        dataclasses.replace(card, metrics=metrics)


def test_cards_are_immutable(card):
    with pytest.raises(dataclasses.FrozenInstanceError):
        card.name = "other"


def test_the_options_of_a_card_rebuild_the_network(card):
    assert build(card.network, **card.options).input_size == (256, 256)
