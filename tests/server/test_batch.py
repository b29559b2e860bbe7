"""Batch inference on a machine without a GPU, as MONAI Label's own endpoint asks for it by default."""

from __future__ import annotations

import pytest
import torch
from monailabel.interfaces.tasks.batch_infer import BatchInferTask

from vertenet import phantom
from vertenet.server.batch import BatchInfer
from vertenet.server.store import RadiographStore

DEFAULTS = {"model": "vertenet", "device": "cuda", "multi_gpu": True, "gpus": "all", "max_workers": 1}


@pytest.mark.parametrize("request_", [DEFAULTS, {}, {"multi_gpu": False, "images": "unlabeled"}])
def test_every_image_is_read(tmp_path, monkeypatch, request_):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    for seed in (1, 2):
        phantom.write(phantom.generate(seed, difficulty="easy"), tmp_path, name=f"scan{seed}")
    store = RadiographStore(str(tmp_path))
    asked = []

    def infer(request, datastore):
        asked.append((request["image"], request["device"]))
        return {"params": {}}

    assert set(BatchInfer()(request_, store, infer)) == {"scan1", "scan2"}
    assert asked == [("scan1", "cpu"), ("scan2", "cpu")]


def test_the_stock_task_divides_by_no_gpus(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    phantom.write(phantom.generate(1, difficulty="easy"), tmp_path, name="scan1")
    with pytest.raises(ZeroDivisionError):
        BatchInferTask()(DEFAULTS, RadiographStore(str(tmp_path)), lambda request, datastore: {})
