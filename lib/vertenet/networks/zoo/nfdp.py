"""NFDP (Huang et al., TMI 2024): landmarks by regression, their error distribution a normalising flow.

The loss is residual log-likelihood estimation (Li et al., ICCV 2021): a learned distribution times a Laplace one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torchvision.ops import Conv2dNormActivation

from ..encoders import create_encoder
from ..landmarks import CORNERS_EACH, POINTS, VERTEBRAE, LandmarkNetwork
from .registry import register

#: Least predicted scale, as a fraction of the image; a twentieth of a pixel of 512, where its logarithm is still tame.
LEAST_SCALE = 1e-4


class NFDP(LandmarkNetwork):
    """ResNet, a neck per scale without a top-down path, a semantic-FPN head, and the mean of each score map's softmax.

    Each landmark gets a scale per axis from the deepest map. Positions and scales are fractions of the image, so that
    the prior is the same at every size.

    The authors' published code subtracts the flow's log-density, one number a point, from the logarithms of the two
    scales and then sums over both axes, so that it counts twice (as in the code of residual log-likelihood estimation).
    A density of the plane counts once. The gradients of the two point into somewhat different directions.

    Parameters
    ----------
    encoder : timm name of a ResNet
    input_size : (rows, columns)
    width : of the semantic-FPN head
    couplings : of the flow
    flow_counts : int
        How often the flow's log-density counts per point: 2 as published, 1 as a density of the plane does.
    """

    def __init__(
        self,
        encoder: str,
        input_size: Sequence[int],
        width: int = 128,
        couplings: int = 6,
        flow_counts: int = 2,
        pretrained: bool | str = False,
    ) -> None:
        super().__init__(input_size)
        self.flow_counts = flow_counts
        self.encoder = create_encoder(encoder, pretrained)
        channels = self.encoder.feature_info.channels()
        neck = channels[0]
        self.necks = nn.ModuleList(
            nn.Sequential(Conv2dNormActivation(n, neck, kernel_size=1), Conv2dNormActivation(neck, neck, kernel_size=3))
            for n in channels
        )
        self.branches = nn.ModuleList(_branch(neck, width, doublings) for doublings in range(len(channels)))
        self.score = Conv2dNormActivation(width, POINTS, kernel_size=1)
        self.scale = nn.Linear(channels[-1], 2 * POINTS)
        nn.init.xavier_uniform_(self.scale.weight, gain=0.01)
        nn.init.zeros_(self.scale.bias)
        self.flow = RealNVP(couplings)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Positions and their scales for images (B, 3, H, W).

        Returns
        -------
        dict
            ``mean`` (B, 24, 2): x and y as fractions of the image's extent, 0 to 1.
            ``scale`` (B, 24, 2): of the error along x and y, in the same unit.
        """
        self.check_images(x)
        features = self.encoder(x)
        merged = sum(branch(neck(map)) for branch, neck, map in zip(self.branches, self.necks, features))
        scale = self.scale(features[-1].mean(dim=(2, 3))).float().sigmoid().unflatten(1, (POINTS, 2))
        return {"mean": self._mean(self.score(merged)), "scale": LEAST_SCALE + (1 - LEAST_SCALE) * scale}

    def _mean(self, scores: Tensor) -> Tensor:
        """(B, 24, 2) expected position under the softmax of (B, 24, h, w) scores, fractions of the image."""
        h, w = scores.shape[-2:]
        # In float32, for half precision cannot hold a probability of one in 32768 cells.
        probability = scores.float().flatten(2).softmax(dim=-1).unflatten(2, (h, w))
        x = (probability.sum(dim=2) * torch.arange(w, device=scores.device)).sum(dim=-1) / w
        y = (probability.sum(dim=3) * torch.arange(h, device=scores.device)).sum(dim=-1) / h
        return torch.stack([x, y], dim=-1)

    def loss(self, maps: Mapping[str, Tensor], corners: Tensor) -> dict[str, Tensor]:
        """Negative log-likelihood per known point, of the flow and of a Laplace distribution with the same scale."""
        known = self.known(corners).flatten(1)
        mean, scale = maps["mean"].float()[known], maps["scale"].float()[known]
        error = (mean - corners.flatten(1, 2).float()[known] / self._extent(corners)) / scale
        count = known.sum().clamp(min=1)
        size = scale.log().sum(dim=-1)  # the determinant of the change from fractions to multiples of the scale
        flow = size - self.flow_counts * self.flow.log_density(error)
        laplace = size + 2 * math.log(2 * math.sqrt(2)) + error.abs().sum(dim=-1) / math.sqrt(2)
        return {"flow": flow.sum() / count, "laplace": laplace.sum() / count}

    def landmarks(self, maps: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The confidence is 1 minus the scale's mean over x and y, as published: near 1 throughout once trained."""
        points = maps["mean"] * self._extent(maps["mean"])
        confidence = 1 - maps["scale"].mean(dim=-1)
        return points.unflatten(1, (VERTEBRAE, CORNERS_EACH)), confidence.unflatten(1, (VERTEBRAE, CORNERS_EACH))

    def _extent(self, like: Tensor) -> Tensor:
        rows, columns = self.input_size
        return torch.tensor([columns, rows], dtype=torch.float32, device=like.device)


def _branch(channels: int, width: int, doublings: int) -> nn.Sequential:
    """A semantic-FPN branch: 3x3 convolutions, each followed by an upsampling until the finest scale is reached."""
    layers: list[nn.Module] = [Conv2dNormActivation(channels, width, kernel_size=3)]
    for i in range(doublings):
        layers += [Conv2dNormActivation(width, width, kernel_size=3)] if i else []
        layers += [nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)]
    return nn.Sequential(*layers)


class RealNVP(nn.Module):
    """A density of the plane: affine couplings (Dinh et al., ICLR 2017) over a standard normal distribution.

    Each coupling moves and stretches one coordinate by what two multilayer perceptrons say of the other; the
    coordinates take turns. It starts near the normal distribution.
    """

    def __init__(self, couplings: int = 6, hidden: int = 64) -> None:
        super().__init__()
        self.stretches = nn.ModuleList(_perceptron(hidden) for _ in range(couplings))
        self.moves = nn.ModuleList(_perceptron(hidden) for _ in range(couplings))

    def to_normal(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 2) points to where they lie under the normal distribution, and (n,) log-determinants of that map."""
        kept, moved = points.float().split(1, dim=-1)
        determinant = torch.zeros_like(kept)
        for stretch, move in zip(self.stretches, self.moves):
            log_scale = torch.tanh(stretch(kept))  # bounded, so that no point runs away
            moved = (moved - move(kept)) * torch.exp(-log_scale)
            determinant = determinant - log_scale
            kept, moved = moved, kept
        return torch.cat([kept, moved], dim=-1), determinant.squeeze(-1)

    def from_normal(self, points: Tensor) -> Tensor:
        """Undo `to_normal`: (n, 2) normal deviates to draws from the density."""
        kept, moved = points.float().split(1, dim=-1)
        for stretch, move in zip(reversed(self.stretches), reversed(self.moves)):
            kept, moved = moved, kept
            moved = moved * torch.exp(torch.tanh(stretch(kept))) + move(kept)
        return torch.cat([kept, moved], dim=-1)

    def log_density(self, points: Tensor) -> Tensor:
        """(n,) logarithm of the density at (n, 2) points, in float32 whatever the precision around it."""
        with torch.autocast(points.device.type, enabled=False):
            normal, determinant = self.to_normal(points)
        return determinant - normal.square().sum(dim=-1) / 2 - math.log(2 * math.pi)


def _perceptron(hidden: int) -> nn.Sequential:
    layers = nn.Sequential(
        nn.Linear(1, hidden), nn.LeakyReLU(), nn.Linear(hidden, hidden), nn.LeakyReLU(), nn.Linear(hidden, 1)
    )
    nn.init.xavier_uniform_(layers[-1].weight, gain=0.01)
    nn.init.zeros_(layers[-1].bias)
    return layers


@register("nfdp")
def nfdp(*, input_size: Sequence[int] = (512, 256), pretrained: bool | str = False) -> nn.Module:
    """NFDP: ResNet18 and softmax means, errors distributed as a normalising flow."""
    return NFDP("resnet18", input_size, pretrained=pretrained)


@register("nfdp-density")
def nfdp_density(*, input_size: Sequence[int] = (512, 256), pretrained: bool | str = False) -> nn.Module:
    """NFDP with the flow's density counted once a point, as one of the plane is; the published code counts it twice."""
    return NFDP("resnet18", input_size, flow_counts=1, pretrained=pretrained)
