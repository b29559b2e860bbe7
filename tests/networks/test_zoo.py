"""Networks by name: the published counts, sizes, maps, options, refusals."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from vertenet.errors import ModelError, OptionError
from vertenet.networks import LEVEL_NAMES, LandmarkNetwork, build, describe, names, register
from vertenet.networks.zoo import registry


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_vertenet_has_the_published_number_of_parameters():
    network = build("vertenet")
    assert parameters(network) == 24_216_717
    assert round(parameters(network.encoder) / 1e6, 2) == 19.85
    assert (network.input_size, network.stride, network.level_names) == ((1024, 512), 4, None)


METHODS_OF_THE_PAPER = {
    "guidenet",
    "hrnet-w32",
    "nfdp",
    "plain-fusion",
    "vertenet",
    "vertenet-convnext-tiny",
    "vertenet-efficientnet-b3",
    "vertenet-figure",
    "vertenet-no-csa",
    "vertenet-no-drca",
    "vertenet-no-drsa",
    "vertenet-resnet34",
}


def shapes_only(name: str, **options) -> nn.Module:
    """A network without values: built in no time, and it still knows every shape and every dependency."""
    with torch.device("meta"):
        return build(name, **options)


def test_every_method_of_the_paper_is_in_the_zoo_and_described():
    assert set(names()) >= METHODS_OF_THE_PAPER
    assert all(describe(name).endswith(".") for name in names())


def test_what_is_no_method_by_itself_can_be_built_but_is_not_listed(monkeypatch):
    monkeypatch.setattr(registry, "_BUILDERS", dict(registry._BUILDERS))
    monkeypatch.setattr(registry, "_UNLISTED", set(registry._UNLISTED))
    register("part", listed=False)(lambda: nn.Identity())
    assert "part" not in names()
    assert build("part").built_as == ("part", {})


@pytest.mark.parametrize(
    ("network", "millions"), [("vertenet", 24.22), ("guidenet", 24.21), ("hrnet-w32", 28.54)], ids=str
)
def test_parameters_are_those_published(network, millions):
    assert round(parameters(shapes_only(network)) / 1e6, 2) == millions


def test_plain_fusion_narrows_from_the_encoders_widths():
    for name, widths in (("guidenet", [512, 256, 128, 64]), ("plain-fusion", [256, 160, 64, 48])):
        blocks = shapes_only(name).decoder
        assert [block.parts for block in blocks] == [(), (), ()]
        assert [blocks[0].lift[0].in_channels, *(block.merge[0].out_channels for block in blocks)] == widths


@pytest.mark.parametrize(("left_out", "kept"), [("drsa", "drca csa"), ("drca", "drsa csa"), ("csa", "drsa drca")])
def test_an_ablation_leaves_out_one_attention_everywhere(left_out, kept):
    blocks = shapes_only(f"vertenet-no-{left_out}").decoder
    assert [block.parts for block in blocks] == [tuple(kept.split())] * 3


@pytest.mark.parametrize("name", sorted(METHODS_OF_THE_PAPER | {"vertenet-levels"}))
def test_every_method_can_be_built_for_the_size_of_a_comparison(name):
    network = shapes_only(name, input_size=(512, 256))
    assert (network.input_size, network.stride) == ((512, 256), 4)
    assert network.level_names == (LEVEL_NAMES if name == "vertenet-levels" else None)


@pytest.mark.parametrize("name", ["vertenet-convnext-tiny", "vertenet-figure", "vertenet-levels"])
def test_every_parameter_has_a_way_to_the_maps(name):
    network = shapes_only(name, input_size=(256, 256))
    maps = network(torch.zeros(2, 3, 256, 256, device="meta"))
    assert maps["wh"].shape == (2, 8, 64, 64)
    sum(value.sum() for value in maps.values()).backward()
    assert [key for key, p in network.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("name", ["guidenet", "hrnet-w32", "nfdp"])
def test_every_parameter_learns_from_one_batch(name):
    torch.manual_seed(0)
    network = build(name, input_size=(64, 64))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))  # timm begins residual branches at zero
    maps = network(torch.rand(2, 3, 64, 64) - 0.5)
    if isinstance(network, LandmarkNetwork):
        loss = sum(network.loss(maps, 63 * torch.rand(2, 6, 4, 2)).values())
    else:
        loss = sum((value * torch.randn_like(value)).sum() for value in maps.values())
    loss.backward()
    idle = [key for key, p in network.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert idle == []


def test_lite_has_maps_of_levels_and_a_side(lite):
    network = build("vertenet-lite")
    assert (network.input_size, network.stride, network.level_names) == ((512, 256), 4, LEVEL_NAMES)
    with torch.no_grad():
        maps = network.eval()(torch.zeros(2, 3, 512, 256))
    assert {name: tuple(value.shape) for name, value in maps.items()} == {
        "hm": (2, 1, 128, 64),
        "reg": (2, 2, 128, 64),
        "wh": (2, 8, 128, 64),
        "level": (2, len(LEVEL_NAMES), 128, 64),
        "anterior": (2,),
    }


def test_an_untrained_network_expects_vertebrae_to_be_rare(lite):
    with torch.no_grad():
        maps = lite(torch.rand(2, 3, 256, 256) - 0.5)
    for name in ("hm", "level"):
        assert 0.02 < maps[name].mean() < 0.3


def test_every_parameter_of_lite_learns(lite):
    torch.manual_seed(1)
    maps = lite(torch.rand(2, 3, 256, 256) - 0.5)
    sum((value * torch.randn_like(value)).sum() for value in maps.values()).backward()
    idle = [name for name, p in lite.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert idle == []


def test_maps_leave_mixed_precision_as_float32(lite):
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        maps = lite(torch.rand(1, 3, 256, 256) - 0.5)
    assert {value.dtype for value in maps.values()} == {torch.float32}


@pytest.mark.parametrize("network", ["vertenet", "vertenet-lite"])
@pytest.mark.parametrize("size", [(256, 256), (512, 256)])
def test_other_image_sizes_are_an_option(network, size):
    module = build(network, input_size=size).eval()
    with torch.no_grad():
        maps = module(torch.zeros(1, 3, *size))
    assert maps["wh"].shape == (1, 8, size[0] // 4, size[1] // 4)


def test_attention_parts_are_an_option():
    plain = build("vertenet", parts=((), (), ()))
    assert parameters(plain) < parameters(build("vertenet", parts=((), (), ("csa",))))
    assert build("vertenet-lite").decoder[1].parts == ("drca", "csa")


@pytest.mark.parametrize("size", [(1000, 512), (1024, 500), (0, 256), (-256, 256)])
def test_sizes_that_the_grid_does_not_divide_are_refused(size):
    with pytest.raises(OptionError, match="multiples of 256"):
        build("vertenet", input_size=size)


def test_networks_without_dual_resolution_attention_take_every_size_that_their_encoder_divides():
    assert build("guidenet", input_size=(96, 64)).input_size == (96, 64)
    with pytest.raises(OptionError, match="multiples of 32"):
        build("guidenet", input_size=(100, 64))
    with pytest.raises(OptionError, match="multiples of 32"):
        build("nfdp", input_size=(100, 64))
    with pytest.raises(OptionError, match="multiples of 128"):
        build("vertenet", input_size=(192, 192), parts=((), ("drca",), ()))


@pytest.mark.parametrize("parts", [(("drsa",),), (("drsa",), ("attention",), ())])
def test_unknown_parts_are_refused(parts):
    with pytest.raises(OptionError, match="three fusion blocks"):
        build("vertenet", parts=parts)


def test_images_of_another_size_than_the_networks_are_refused(lite):
    with pytest.raises(ModelError, match=r"\(B, 3, 256, 256\), but got \(1, 3, 512, 256\)"):
        lite(torch.zeros(1, 3, 512, 256))


def test_an_unknown_network_is_refused_and_the_known_are_named():
    with pytest.raises(ModelError, match=r"guidenet, .*vertenet-lite"):
        build("vertinet")


def test_an_unknown_option_is_refused_and_the_known_are_named():
    with pytest.raises(OptionError, match=r"no option 'size'.*input_size"):
        build("vertenet", size=(512, 256))


def test_a_network_registers_by_name_once(monkeypatch):
    monkeypatch.setattr(registry, "_BUILDERS", dict(registry._BUILDERS))

    @register("tiny")
    def tiny(*, width: int = 4) -> nn.Module:
        return nn.Conv2d(3, width, 1)

    assert "tiny" in names()
    module = build("tiny", width=7)
    assert module.out_channels == 7
    assert module.built_as == ("tiny", {"width": 7})
    with pytest.raises(ValueError, match="already registered"):
        register("tiny")(tiny)


@pytest.mark.parametrize("name", ["nfdp", "hrnet-w32"])
def test_encoder_weights_of_landmark_networks_come_from_a_file(name, tmp_path):
    path = tmp_path / "encoder.pth"
    torch.manual_seed(0)
    encoder = build(name, input_size=(64, 64)).encoder
    torch.save(encoder.state_dict(), path)
    again = build(name, input_size=(64, 64), pretrained=str(path)).encoder
    assert all(torch.equal(a, b) for a, b in zip(encoder.parameters(), again.parameters()))


def test_imagenet_weights_out_of_reach_end_in_a_sentence_that_says_how_to_go_on(tmp_path):
    code = (
        "from vertenet.errors import ModelError\nfrom vertenet.networks import build\n"
        "try:\n    build('vertenet-lite', pretrained=True)\nexcept ModelError as error:\n    print(error)"
    )
    cut_off = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "HF_HUB_CACHE": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=cut_off, capture_output=True, text=True, check=True)
    assert "could not be had" in done.stdout
    assert "pretrained=False" in done.stdout


def test_an_absent_file_of_encoder_weights_is_refused(tmp_path):
    with pytest.raises(ModelError, match="no such file of encoder weights"):
        build("vertenet-lite", pretrained=str(tmp_path / "absent.pth"))


def test_encoder_weights_come_from_a_file(lite, tmp_path):
    path = tmp_path / "encoder.pth"
    torch.save(lite.encoder.state_dict(), path)
    other = build("vertenet-lite", input_size=(256, 256), pretrained=str(path))
    assert torch.equal(other.encoder.conv_stem.weight, lite.encoder.conv_stem.weight)
    assert other.built_as == ("vertenet-lite", {"input_size": (256, 256)})


def test_the_offset_heads_of_guidenet_begin_without_biases_and_its_heatmap_with_its_prior():
    for seed in (0, 1):
        torch.manual_seed(seed)
        network = build("guidenet", input_size=(64, 64))
        for head in (network.offset, network.corners):
            assert [layer.bias.abs().max().item() for layer in (head[0], head[2])] == [0, 0]
        assert network.centre[2].bias.item() == pytest.approx(-2.19)
        assert network.centre[0].bias.abs().max() > 0
