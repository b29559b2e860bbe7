"""The two forms of a fusion block: the authors' code and the paper's figure."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from vertenet.errors import OptionError
from vertenet.networks.attention import DualResolutionAttention
from vertenet.networks.fusion import PARTS, Fusion
from vertenet.networks.vertenet import Plan


def maps() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.rand(2, 6, 8, 8), torch.rand(2, 4, 16, 16)


@pytest.mark.parametrize("form", ["code", "figure"])
@pytest.mark.parametrize("left_out", [*PARTS, None])
def test_every_block_keeps_the_shape_of_its_skip_and_learns_all_over(form, left_out):
    low, skip = maps()
    block = Fusion(6, 4, (16, 16), [part for part in PARTS if part != left_out], form)
    fused = block(low, skip)
    assert fused.shape == skip.shape
    (fused * torch.randn_like(fused)).sum().backward()
    assert [name for name, p in block.named_parameters() if p.grad is None] == []


def test_the_figure_attends_to_both_maps_channels_before_a_3x3_convolution():
    drawn, coded = (Fusion(6, 4, (16, 16), PARTS, form) for form in ("figure", "code"))
    assert drawn.merge[0].kernel_size == (3, 3)
    assert drawn.channels.norm1.weight.shape == (8,)
    assert coded.merge[0].kernel_size == (1, 1)
    assert coded.channels.norm1.weight.shape == (4,)


def test_the_figure_pools_by_the_average():
    blocks = {form: Fusion(6, 4, (16, 16), PARTS, form) for form in ("figure", "code")}
    x = torch.rand(1, 4, 8, 8)
    assert torch.equal(blocks["figure"].self_low.attention.pool(x, 2), F.avg_pool2d(x, 2))
    assert torch.equal(blocks["code"].cross_skip.attention.pool(x, 2), F.max_pool2d(x, 2))


def test_pooling_changes_what_attention_says():
    torch.manual_seed(0)
    by_maximum = DualResolutionAttention(4)
    by_average = DualResolutionAttention(4, F.avg_pool2d)
    by_average.load_state_dict(by_maximum.state_dict())
    x = torch.rand(1, 4, 16, 16)
    assert not torch.allclose(by_maximum(x, x), by_average(x, x), atol=1e-4)
    flat = x[..., ::2, ::2].repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    torch.testing.assert_close(by_maximum(flat, flat), by_average(flat, flat))


def test_another_form_is_refused():
    with pytest.raises(OptionError, match="code, figure"):
        Plan("resnet18", (256, 256), form="drawing")
