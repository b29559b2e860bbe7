"""The same weights at another image size."""

from __future__ import annotations

import pytest
import torch

from vertenet.errors import OptionError
from vertenet.networks import build, resized
from vertenet.networks.attention import PixelNorm


def ramp(rows: int, columns: int) -> torch.Tensor:
    """A plane over the map, the same at any size: values at pixel centres of the unit square."""
    y = (torch.arange(rows) + 0.5) / rows
    x = (torch.arange(columns) + 0.5) / columns
    return 1 + 2 * y[:, None] + 3 * x[None]


def norms(module):
    return [part for part in module.modules() if isinstance(part, PixelNorm)]


@pytest.mark.parametrize("size", [(512, 512), (512, 256), (1024, 512)])
def test_per_pixel_norms_are_interpolated_and_all_else_is_kept(lite, size):
    for norm in norms(lite):
        norm.weight.data = ramp(*norm.weight.shape)
        norm.bias.data = -ramp(*norm.bias.shape)
    other = resized(lite, size)
    assert other.input_size == size
    for norm in norms(other):
        inner = (slice(4, -4), slice(4, -4))  # a border is held constant outside the last pixel centres
        torch.testing.assert_close(norm.weight[inner], ramp(*norm.weight.shape)[inner])
        torch.testing.assert_close(norm.bias[inner], -ramp(*norm.bias.shape)[inner])
    kept = [name for name, _ in lite.named_parameters() if "decoder" not in name or ".norm" not in name]
    ours, theirs = other.state_dict(), lite.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in kept)


def test_norms_that_shrink_leave_no_pixel_out():
    large = build("vertenet-lite", input_size=(512, 512))
    pixel = large.decoder[0].self_low.norm1.weight
    for place in ((9, 9), (10, 14), (17, 8)):
        pixel.data.zero_()[place] = 4.0
        small = resized(large, (256, 256)).decoder[0].self_low.norm1.weight
        assert small.sum().item() == pytest.approx(1.0, abs=1e-4)  # a quarter of the pixels, so of the sum


def test_the_same_size_gives_the_same_maps(lite):
    x = torch.rand(1, 3, 256, 256) - 0.5
    lite.eval()
    other = resized(lite, (256, 256))
    with torch.no_grad():
        assert torch.equal(other(x)["wh"], lite(x)["wh"])


def test_the_mode_is_kept(lite):
    assert resized(lite, (512, 256)).training
    assert not resized(lite.eval(), (512, 256)).training


def test_a_size_the_network_cannot_have_is_refused():
    with pytest.raises(OptionError):
        resized(build("vertenet-lite"), (500, 256))
