"""Network, weight average and optimiser: what one step does, and the state that a checkpoint keeps."""

from __future__ import annotations

from contextlib import nullcontext

import ignite.distributed as idist
import torch
from timm.layers import convert_sync_batchnorm
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

from ..errors import ModelError, OptionError
from ..models import find_weights
from ..networks import build, load_weights
from .feed import Batch, seed_of
from .objective import Objective
from .recipe import Recipe

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Learner:
    """A network that learns, on one device of one process.

    Parameters
    ----------
    recipe : Recipe
    device : torch.device

    Attributes
    ----------
    network : the network itself
    average : its weight average, in evaluation mode

    Raises
    ------
    ModelError
        The weights to start from are missing or another network's.
    OptionError
        The part to freeze does not exist, or the batch cannot be shared out evenly.
    """

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        self.recipe, self.device = recipe, device
        self.rank, self.processes = idist.get_rank(), idist.get_world_size()
        if recipe.batch % (self.processes * recipe.accumulate):
            raise OptionError(
                f"a batch of {recipe.batch} cannot be shared by {self.processes} processes of {recipe.accumulate} parts"
            )
        torch.manual_seed(recipe.seed)
        if device.type == "cuda":
            torch.backends.cudnn.benchmark = True
        # Channels-last makes a step faster, on the CPU too, and changes nothing else.
        network = fresh_network(recipe).to(device, memory_format=torch.channels_last)
        if self.processes > 1 and device.type == "cuda":
            network = convert_sync_batchnorm(network)
        self.network = _set_to_learn(network, recipe.freeze)
        self._average = AveragedModel(network, multi_avg_fn=_average_with(recipe.ema), use_buffers=True)
        self._average.eval()
        self.optimiser = torch.optim.AdamW(
            _parameter_groups(network, recipe.weight_decay), lr=recipe.learning_rate, fused=True
        )
        self._scaler = torch.amp.GradScaler(device.type, enabled=recipe.precision == "float16")
        self._parallel = network
        if self.processes > 1:
            self._parallel = DistributedDataParallel(network)

    @property
    def average(self) -> nn.Module:
        return self._average.module

    def step(self, batch: Batch, number: int, learning_rate: float) -> dict[str, Tensor]:
        """One optimiser step on this process's share of the images; its share of the losses by name, detached."""
        # Drop-out and its like draw from here: seeded each step, they need no state in a checkpoint.
        torch.manual_seed(seed_of(self.recipe.seed, number, self.rank))
        batch = batch.to(self.device)
        objective = Objective(self.network, batch, self.recipe.spread)
        self.optimiser.zero_grad(set_to_none=True)
        total: dict[str, Tensor] = {}
        share = len(batch.images) // self.recipe.accumulate
        for start in range(0, len(batch.images), share):
            part = slice(start, start + share)
            last = start + share == len(batch.images)
            with nullcontext() if last or self.processes == 1 else self._parallel.no_sync():
                with torch.autocast(
                    self.device.type,
                    dtype=_DTYPES[self.recipe.precision],
                    enabled=self.recipe.precision != "float32",
                ):
                    images = (batch.images[part] - 0.5)[:, None].expand(-1, 3, -1, -1)
                    images = images.contiguous(memory_format=torch.channels_last)
                    maps = self._parallel(images, *objective.places(part))
                loss, values = objective(maps, part)
                # Gradients are averaged over processes, but the shares of the loss add up.
                self._scaler.scale(loss * self.processes).backward()
            total = {name: total.get(name, 0) + value for name, value in values.items()}
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        self._scaler.unscale_(self.optimiser)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self._scaler.step(self.optimiser)
        self._scaler.update()
        self._average.update_parameters(self.network)
        return total

    def state_dict(self) -> dict:
        return {
            "network": self.network.state_dict(),
            "average": self._average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self._scaler.state_dict(),
        }

    def load_state_dict(self, state: dict) -> None:
        self.network.load_state_dict(state["network"])
        self._average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self._scaler.load_state_dict(state["scaler"])


def fresh_network(recipe: Recipe) -> nn.Module:
    """The network of a recipe before its first step, on the CPU.

    Raises
    ------
    ModelError
        The weights to start from are missing or another network's.
    """
    if recipe.start_from is None:
        return build(recipe.network, **recipe.options)
    network, card = load_weights(find_weights(recipe.start_from))
    if card.network != recipe.network:
        raise ModelError(f"holds weights of {card.network}, not of {recipe.network}", subject=recipe.start_from)
    return network


def _set_to_learn(network: nn.Module, freeze: str | None) -> nn.Module:
    """Training mode; the part called ``freeze`` keeps its weights and the statistics of its norms."""
    network.train()
    if freeze is not None:
        parts = dict(network.named_children())
        if freeze not in parts:
            raise OptionError(
                f"the network has no part {freeze!r} to freeze", remedy=f"Its parts: {', '.join(sorted(parts))}"
            )
        parts[freeze].eval().requires_grad_(False)
    return network


def _parameter_groups(network: nn.Module, weight_decay: float) -> list[dict]:
    """No decay on biases, norms and temperatures: decay would pull them away from what they stand for."""
    learning = [p for p in network.parameters() if p.requires_grad]
    matrices = [p for p in learning if p.ndim > 1]
    vectors = [p for p in learning if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def _average_with(decay: float):
    """The weight average's rule: a short memory at first, so that it forgets where the weights began."""

    @torch.no_grad()
    def update(averages: list[Tensor], currents: list[Tensor], updates: Tensor) -> None:
        if not averages[0].is_floating_point():
            torch._foreach_copy_(averages, currents)
            return
        step = float(updates) + 1
        torch._foreach_lerp_(averages, currents, 1 - min(decay, step / (step + 10)))

    return update
