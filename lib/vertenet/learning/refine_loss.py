"""The loss of refinement: where the points are, how sure that is, and the shape of the heatmaps."""

from __future__ import annotations

import torch
from torch import Tensor

from ..networks.refiner import cell_centres

#: Standard deviation of the heatmap that is asked for, crop pixels.
HEAT_SPREAD = 2.0


def laplace_nll(error: Tensor, log_sigma: Tensor, beta: float = 0.5) -> Tensor:
    """Negative log-likelihood of coordinate errors under a Laplace law whose mean absolute error is sigma.

    Each value is weighted by ``sigma ** beta``, without gradient (Seitzer et al., ICLR 2022): the plain likelihood
    (``beta`` 0) neglects points that it finds hard; with 1 the positions learn from their plain absolute error. The
    best ``log_sigma`` is the logarithm of the mean of ``error`` for any ``beta``.

    Parameters
    ----------
    error : (...) absolute error of a coordinate, or the mean over both, crop pixels
    log_sigma : (...)
    """
    return (log_sigma + error * torch.exp(-log_sigma)) * torch.exp(beta * log_sigma.detach())


def heatmap_divergence(heat: Tensor, points: Tensor, stride: int) -> Tensor:
    """(B, k) Kullback-Leibler divergence of the heatmaps from Gaussians around ``points`` (the regularisation of DSNT).

    Parameters
    ----------
    heat : (B, k, h, w) logits
    points : (B, k, 2) crop pixels, finite
    """
    cells = cell_centres(heat.shape[-2:], stride, heat.device)
    distance = (cells - points[:, :, None]).square().sum(-1)
    wanted = (-distance / (2 * HEAT_SPREAD**2)).log_softmax(-1)
    return (wanted.exp() * (wanted - heat.flatten(2).log_softmax(-1))).sum(-1)


def refinement_loss(
    outputs: dict[str, Tensor], points: Tensor, size: int, heat_weight: float = 0.3
) -> tuple[Tensor, dict[str, float]]:
    """The loss of a batch and its parts.

    Points that are unknown (NaN) or that lie beyond the window, where no heatmap can reach, count for nothing.

    Parameters
    ----------
    outputs : of `vertenet.networks.refiner.RefinerNetwork`
    points : (B, 6, 2) window pixels, NaN unknown
    size : int
        Side of the window, pixels.

    Returns
    -------
    loss : scalar
    parts : ``error_px`` (mean absolute error of a coordinate), ``sigma_px`` (its mean prediction), ``nll``, ``heat``
    """
    known = torch.isfinite(points).all(-1) & (points > 0).all(-1) & (points < size - 1).all(-1)
    stride = size // outputs["heat"].shape[-1]
    wanted = torch.where(known[..., None], points, 0.0)
    error = (outputs["points"] - wanted).abs().mean(-1)
    nll = laplace_nll(error, outputs["log_sigma"])
    heat = heatmap_divergence(outputs["heat"], wanted, stride)
    count = known.sum().clamp_min(1)

    def mean(values: Tensor) -> Tensor:
        return (values * known).sum() / count

    loss = mean(nll) + heat_weight * mean(heat)
    parts = {"error_px": error, "sigma_px": outputs["log_sigma"].exp(), "nll": nll, "heat": heat}
    return loss, {name: float(mean(value.detach())) for name, value in parts.items()}
