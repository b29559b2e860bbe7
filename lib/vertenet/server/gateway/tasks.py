"""Work that runs as a process of its own: training, scoring, inference over the whole store.

MONAI Label's endpoints hand a client's parameters to that process as they come; here each is one that the task knows.
What starts scoring is in `vertenet.server.active.routes`.
"""

from __future__ import annotations

from typing import Annotated, Any, Optional

import psutil
import torch
from fastapi import APIRouter, Body
from monailabel.interfaces.tasks.batch_infer import BatchInferImageType
from monailabel.interfaces.utils.app import app_instance
from monailabel.utils.async_tasks import utils as stock
from monailabel.utils.async_tasks.task import AsyncTask
from starlette.exceptions import HTTPException

from vertenet.errors import OptionError

from ..audit import note
from ..identity import annotator_of
from .paths import for_caller
from .requests import INFERENCE_KEYS, TASK_KEYS, check_parameters, check_tag

METHODS = ("train", "scoring", "batch_infer")
Parameters = Annotated[Optional[dict[str, Any]], Body()]

router = APIRouter()


@router.post("/train/{model}", tags=["Train"], summary="Train a model")
def train(model: str, params: Parameters = None, run_sync: bool = False, enqueue: bool = False) -> dict:
    config = _known("trainers", model).get("config") or {}
    if run_sync:
        raise OptionError("training runs in a process of its own", remedy="Leave run_sync out and poll GET /train/")
    # max_epochs: what MONAI Label's own tasks call epochs, and what its clients' option tables may hold.
    known = TASK_KEYS | set(config) | ({"max_epochs"} if "epochs" in config else set())
    return _start("train", {"model": model}, params, known, enqueue=enqueue)


@router.post("/train/", tags=["Train"], summary="Train every model", deprecated=True)
def train_all(params: Parameters = None) -> dict:
    trainers = sorted(app_instance().info()["trainers"])
    check_parameters(params or {}, {*trainers, *TASK_KEYS})
    return {model: {"result": train(model, _of(params, model), enqueue=True), "detail": None} for model in trainers}


@router.post("/batch/infer/{model}", tags=["Infer"], summary="Read every image of the store")
def batch(
    model: str,
    images: BatchInferImageType = BatchInferImageType.IMAGES_ALL,
    params: Parameters = None,
    run_sync: bool = False,
) -> dict:
    config = _known("models", model).get("config") or {}
    parameters = check_parameters(params or {}, INFERENCE_KEYS | set(config))
    check_tag(parameters.setdefault("label_tag", "original"))
    for name in ("max_workers", "max_batch_size"):
        number = parameters.setdefault(name, 1 if name == "max_workers" else 0)
        if isinstance(number, bool) or not (isinstance(number, int) and 0 <= number <= 10**6):
            raise OptionError(f"the parameter {name} is {str(number)[:80]!r}", remedy="Give a whole number from 0")
    if run_sync:
        raise OptionError("this runs in a process of its own", remedy="Leave run_sync out and poll GET /batch/infer")
    # MONAI Label deals images out to GPUs by default, also where there are none, and divides by their number.
    if not torch.cuda.is_available():
        parameters.update(multi_gpu=False, device="cpu")
    known = INFERENCE_KEYS | set(config)
    return _start("batch_infer", {"model": model, "images": images.value}, parameters, known)


@router.get("/train/", tags=["Train"], summary="How training goes")
def train_status(all: bool = False, check_if_running: bool = False) -> Any:
    return _status("train", all, check_if_running)


@router.get("/scoring/", tags=["Scoring"], summary="How scoring goes")
def scoring_status(all: bool = False, check_if_running: bool = False) -> Any:
    return _status("scoring", all, check_if_running)


@router.get("/batch/infer", tags=["Infer"], summary="How reading the store goes")
def batch_status(all: bool = False, check_if_running: bool = False) -> Any:
    return _status("batch_infer", all, check_if_running)


@router.delete("/train/", tags=["Train"], summary="Stop training")
def stop_train() -> Optional[dict]:
    return stop("train")


@router.delete("/scoring/", tags=["Scoring"], summary="Stop scoring")
def stop_scoring() -> Optional[dict]:
    return stop("scoring")


@router.delete("/batch/infer", tags=["Infer"], summary="Stop reading the store")
def stop_batch() -> Optional[dict]:
    return stop("batch_infer")


def stop(method: str) -> dict | None:
    """End the running process of ``method`` and its children; the task, or None where nothing runs."""
    try:
        task = stock.stop_background_task(method)
    except psutil.NoSuchProcess:
        return None  # it ended by itself meanwhile
    return None if task is None else _snapshot(task)


def stop_all() -> None:
    """End every process, also those still to come: the server stops."""
    for method in METHODS:
        executor = stock.background_executors.get(method)
        if executor is not None:
            executor.shutdown(wait=False, cancel_futures=True)
        running = list(stock.processes(method).values())
        stop(method)
        for process in running:
            process.wait()


def _start(method: str, request: dict, params: Parameters, known: frozenset[str], *, enqueue: bool = False) -> dict:
    parameters = check_parameters(params or {}, known)
    parameters["client_id"] = annotator_of(parameters)
    note(model=request["model"])
    task, _ = AsyncTask.run(method, request={**request, **parameters}, enqueue=enqueue)
    if task is None:
        # MONAI Label's status for it, which its clients show.
        raise HTTPException(429, f"A {method} task runs already. Wait for its end, or stop it.", {"Retry-After": "30"})
    return _snapshot(task)


def _status(method: str, all_tasks: bool, check_if_running: bool) -> Any:
    tasks = stock.tasks(method)
    if check_if_running:
        tasks = [task for task in tasks if task["id"] in stock.processes(method)]
    if not tasks:
        raise HTTPException(404, f"No {method} task {'runs' if check_if_running else 'has run yet'}.")
    return [_snapshot(task) for task in tasks] if all_tasks else _snapshot(tasks[-1])


def _snapshot(task: dict) -> dict:
    # The lines of a running task change while the answer is written.
    return for_caller({**task, "details": list(task["details"].copy())} if "details" in task else dict(task))


def _known(kind: str, name: str) -> dict:
    offered = app_instance().info()[kind]
    if name not in offered:
        raise HTTPException(404, f"There is no {name[:80]!r} among the {kind}: {', '.join(sorted(offered)) or 'none'}.")
    return offered[name]


def _of(params: dict | None, name: str) -> dict:
    part = (params or {}).get(name) or {}
    if not isinstance(part, dict):
        raise OptionError(f"the parameters of {name} are not a JSON object")
    return part
