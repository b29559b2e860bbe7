"""The training loop: a recipe in, a folder with weights, log and checkpoint out. It runs on pytorch-ignite's Engine.

One folder an experiment::

    recipe.json        everything that decided the run
    log.csv            losses and validation, a row each interval
    tensorboard/       the same for TensorBoard
    checkpoint.pt      to go on after a kill (``resume=True``)
    best.pt            the best weights so far, where the recipe has a patience
    weights.safetensors, weights.json    the averaged weights and their card

A run on the CPU whose length is a number of steps repeats to the bit, also when it was killed and went on: all that is
drawn at random is a function of the seed and the step (`vertenet.learning.feed`), and the checkpoint keeps the rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import ignite.distributed as idist
import torch
from ignite.engine import Engine

from .. import __version__
from ..errors import ModelError
from ..files import write_text
from ..networks import Card, save_weights
from .feed import AugmentedImages, Plan, Source, make_loader
from .learner import Learner
from .processes import choose_device, device_name, is_first, joined
from .recipe import Recipe
from .session import Session, TrainingStopped


def train(
    recipe: Recipe,
    samples: Source,
    validation: Source,
    folder: Path,
    *,
    training_data: str,
    synthetic_only: bool,
    name: str | None = None,
    resume: bool = False,
    workers: int = 0,
    report: Callable[[dict], None] = lambda row: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Path:
    """Train and write the folder described above.

    Under ``torchrun`` the processes share each batch; the first one validates, writes and reports.

    Parameters
    ----------
    recipe : Recipe
    samples, validation : Samples, or any `Source`
        In the network's frame.
    folder : Path
        Made if need be. A folder that holds another run is refused unless ``resume``.
    training_data : str
        A sentence for the card: what the weights have seen.
    synthetic_only : bool
    name : str, optional
        Of the weights; default the network's.
    resume : bool
        Go on from the folder's checkpoint, where there is one.
    workers : int
        Processes that prepare batches; 0: this one does.
    report : callable
        Called with each row of the log, see `vertenet.learning.session.Session.row`.
    should_stop : callable
        Asked after each step and every few images of a validation.

    Returns
    -------
    Path of the safetensors file.

    Raises
    ------
    ModelError
        The folder holds another run, the checkpoint does not belong to the recipe or the samples, or the loss is no
        longer a finite number.
    OptionError
        The batch cannot be shared out evenly, there is no GPU where one is wanted, or no such part to freeze.
    TrainingStopped
        ``should_stop`` said so; a checkpoint was written and no weights.
    """
    with joined(recipe.device):
        return _train(
            recipe,
            samples,
            validation,
            folder,
            resume=resume,
            workers=workers,
            report=report,
            should_stop=should_stop,
            card={"name": name or recipe.network, "training_data": training_data, "synthetic_only": synthetic_only},
        )


def _train(recipe, samples, validation, folder, *, resume, workers, report, should_stop, card) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "checkpoint.pt").exists() and not resume:
        raise ModelError("holds a training run already", subject=folder, remedy="Resume it or choose another folder")
    torch.set_num_threads(recipe.threads)
    device = choose_device(recipe.device)
    learner = Learner(recipe, device)
    session = Session(recipe, learner, validation, folder, len(samples), report, should_stop)
    if is_first() and not (resume and (folder / "recipe.json").is_file()):
        write_text(folder / "recipe.json", json.dumps(recipe.to_dict(), indent=1) + "\n")

    trainer = Engine(lambda engine, batch: learner.step(batch, engine.state.iteration - 1, session.learning_rate()))
    session.attach(trainer)
    try:
        session.start(resume)
        if not session.finished:
            ranges = session.augmentation()
            plan = Plan(
                len(samples),
                recipe.batch,
                range(session.step, recipe.steps),
                recipe.seed,
                idist.get_rank(),
                idist.get_world_size(),
            )
            dataset = AugmentedImages(samples, ranges, recipe.seed)
            loader = make_loader(dataset, plan, workers=workers, pinned=device.type == "cuda")
            trainer.load_state_dict({"iteration": session.step, "epoch_length": recipe.steps, "max_epochs": 1})
            trainer.run(loader)
        if session.stopped:
            raise TrainingStopped(folder, session.step)
        return _write_weights(session, card, device)
    finally:
        session.close()


def _write_weights(session: Session, card: dict, device: torch.device) -> Path:
    path = session.folder / "weights.safetensors"
    if is_first():
        recipe, network = session.recipe, session.final_network()
        cost = {
            "seconds": round(session.seconds, 1),
            "device": device_name(device),
            "processes": idist.get_world_size(),
            "images_seen": session.step * recipe.batch,
        }
        written = Card.of(
            network,
            **card,
            metrics={**session.figures, "validation_images": len(session.validation), "steps": session.step},
            recipe={
                **recipe.portable(),
                "software": f"vertenet {__version__}, torch {torch.__version__}",
                "images": session.images,
                "cost": cost,
            },
        )
        save_weights(network, path, written)
    idist.barrier()
    return path
