from __future__ import annotations

import pytest
from monailabel.utils.async_tasks.task import AsyncTask

from vertenet.errors import ModelError
from vertenet.server.active.queue import INTERVAL_S, ScoringQueue


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def queued(monkeypatch):
    """What is handed to MONAI Label's runner, which would start a process."""
    requests = []
    monkeypatch.setattr(AsyncTask, "run", lambda method, request, enqueue: requests.append((method, request)))
    return requests


@pytest.fixture
def clock():
    return Clock()


def later(queue, clock, store) -> bool:
    clock.now += INTERVAL_S
    return queue.look(store)


def test_nothing_is_queued_while_every_image_is_scored(scores, store, predictor, queued, clock):
    queue = ScoringQueue("active", scores, lambda: predictor.identity.sha256, clock)
    assert not queue.look(store)
    assert queued == []


def test_a_new_model_and_a_new_image_are_scored_once_each(scores, store, predictor, queued, clock):
    served = ["b" * 64]
    queue = ScoringQueue("active", scores, lambda: served[0], clock)
    assert queue.look(store)
    assert queued == [("scoring", {"method": "active"})]
    # The process could not do it: trying again would not help.
    assert not later(queue, clock, store)
    served[0] = predictor.identity.sha256
    assert not later(queue, clock, store)
    kept = scores.of_model(served[0])
    scores.forget_other_models("none")
    assert later(queue, clock, store)
    for score in kept.values():
        scores.put(score)
    assert not later(queue, clock, store)
    assert len(queued) == 2


def test_asking_often_looks_once_in_an_interval(scores, store, queued, clock):
    looks = []

    def model():
        looks.append(1)
        return "b" * 64

    queue = ScoringQueue("active", scores, model, clock)
    for _ in range(10):
        queue.look(store)
    assert (len(looks), len(queued)) == (1, 1)


def test_trouble_with_the_model_is_logged_and_tried_again(scores, store, queued, clock, caplog):
    def damaged():
        raise ModelError("the card is damaged", subject="v0001")

    queue = ScoringQueue("active", scores, damaged, clock)
    assert not queue.look(store)
    assert "v0001: the card is damaged" in caplog.text
    queue.model = lambda: "b" * 64
    assert later(queue, clock, store)
