"""Who is served next, and who is turned away."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter

import pytest
from starlette.exceptions import HTTPException

from vertenet.server.gateway.metrics import Metrics
from vertenet.server.gateway.queue import AT_ONCE, InferenceQueue


class Scene:
    """A queue, work that waits to be let go, and the order in which it was begun."""

    def __init__(self, waiting: int) -> None:
        self.queue = InferenceQueue(waiting, Metrics())
        self.begun: list[str] = []
        self.go = threading.Semaphore(0)

    def ask(self, who: str) -> asyncio.Task:
        return asyncio.ensure_future(self.queue.run(who, lambda: self._work(who)))

    def _work(self, who: str) -> str:
        self.begun.append(who)
        assert self.go.acquire(timeout=60)
        return who


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0.01)


def test_14_clients_are_served_in_turn_however_much_one_of_them_asks_for():
    async def scene():
        s = Scene(20)
        asked = [s.ask("greedy") for _ in range(8)]
        await settle()
        asked += [s.ask("polite"), s.ask("other"), s.ask("polite")]
        await settle()
        s.go.release(len(asked))
        await asyncio.gather(*asked)
        return s.begun

    begun = asyncio.run(scene())
    assert begun[:AT_ONCE] == ["greedy"] * AT_ONCE
    assert set(begun[AT_ONCE : AT_ONCE + 2]) == {"polite", "other"}
    assert "polite" in begun[AT_ONCE + 2 : AT_ONCE + 5]


def test_14_a_full_queue_has_a_place_for_a_client_that_has_none():
    async def scene():
        s = Scene(3)
        greedy = [s.ask("greedy") for _ in range(AT_ONCE + 3)]
        await settle()
        refused = s.ask("greedy")
        polite = s.ask("polite")
        await settle()
        assert refused.done()
        assert isinstance(refused.exception(), HTTPException)
        assert greedy[-1].exception().status_code == 429  # it gave its place to the polite one
        assert int(greedy[-1].exception().headers["Retry-After"]) >= 1
        assert not polite.done()
        s.go.release(20)
        assert await polite == "polite"
        await asyncio.gather(*greedy[:-1])
        assert s.queue._waiting == s.queue._running == 0

    asyncio.run(scene())


def test_14_a_polite_client_beside_20_greedy_ones_gets_its_share():
    """More greedy clients than places, each asking again at once; the polite one asks, waits, and asks again."""

    async def scene():
        queue, answers = InferenceQueue(16, Metrics()), Counter()

        async def client(who: str, pause_s: float) -> None:
            while sum(answers.values()) < 210:
                try:
                    answers[await queue.run(who, lambda: time.sleep(0.005) or who)] += 1
                except HTTPException:
                    await asyncio.sleep(pause_s)

        greedy = [client(f"greedy-{i}", 0.0) for i in range(20)]
        await asyncio.gather(*greedy, client("polite", 0.05))  # it comes last, to a queue that is full
        return answers

    answers = asyncio.run(scene())
    assert len(answers) == 21
    assert answers["polite"] >= 210 / 21 - 1, answers  # it came when the first turn had begun


def test_14_who_asks_seldom_is_let_in_among_more_clients_than_places():
    async def scene():
        s = Scene(2)
        quick = [s.ask(f"quick-{i}") for i in range(AT_ONCE + 2)]
        await settle()
        s.go.release(1)
        await settle()  # one of them was served, and asks again at once
        seldom = [s.ask(quick[0].result()), s.ask("seldom"), s.ask("seldom")]
        await settle()
        assert not seldom[1].done()
        assert seldom[2].done()  # one place, not two
        s.go.release(20)
        assert await seldom[1] == "seldom"
        await asyncio.gather(*quick, *seldom, return_exceptions=True)

    asyncio.run(scene())


def test_a_client_that_went_away_leaves_its_place_and_failures_free_the_thread():
    async def scene():
        s = Scene(4)
        running = [s.ask("a") for _ in range(AT_ONCE)]
        await settle()
        gone, next_one = s.ask("gone"), s.ask("b")
        await settle()
        gone.cancel()
        await settle()
        s.go.release(10)
        assert await next_one == "b"
        await asyncio.gather(*running)
        assert "gone" not in s.begun
        with pytest.raises(ZeroDivisionError):
            await s.queue.run("a", lambda: 1 / 0)
        assert s.queue._waiting == s.queue._running == 0

    asyncio.run(scene())


def test_a_flood_of_names_does_not_fill_the_memory():
    async def scene():
        queue = InferenceQueue(2, Metrics())
        for number in range(queue.REMEMBERED + 50):
            await queue.run(str(number), lambda: None)
        return len(queue._clients)

    assert asyncio.run(scene()) <= InferenceQueue.REMEMBERED
