from __future__ import annotations

import itertools
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from vertenet.errors import OptionError, SchemaError
from vertenet.server.active.desk import LONGEST_REASON, Desk, put_aside


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def desk(tmp_path, clock):
    return Desk(tmp_path / "store.sqlite", lease_s=600, clock=clock)


def held(desk) -> dict[str, str]:
    return {lease.image_id: lease.annotator for lease in desk.leases()}


def test_an_image_on_one_desk_is_not_put_on_another(desk):
    (lease,) = desk.take("anna", ["a"], "hybrid")
    assert (lease.expires - lease.taken, lease.strategy) == (600, "hybrid")
    assert desk.take("ben", ["a"], "first") is None
    assert held(desk) == {"a": "anna"}


def test_all_of_a_batch_is_leased_or_none_of_it(desk):
    desk.take("anna", ["c"], "hybrid")
    assert desk.take("ben", ["b", "c", "d"], "hybrid") is None
    assert held(desk) == {"c": "anna"}


def test_a_second_request_under_the_same_name_does_not_get_the_same_image(desk):
    assert desk.take("anonymous", ["a"], "hybrid")
    assert desk.take("anonymous", ["a"], "hybrid") is None


def test_a_lease_that_has_expired_is_free_for_others(desk, clock):
    desk.take("anna", ["a"], "hybrid")
    clock.now += 599
    assert desk.take("ben", ["a"], "hybrid") is None
    clock.now += 1
    assert desk.leases() == []
    assert desk.renew("anna", ["a"]) == []
    assert desk.take("ben", ["a"], "hybrid")
    assert desk.renew("anna", ["a"]) == []
    assert held(desk) == {"a": "ben"}


def test_a_renewed_lease_lasts_from_then_on(desk, clock):
    desk.take("anna", ["a", "b"], "hybrid")
    clock.now += 500
    (renewed,) = desk.renew("anna", ["a"])
    assert renewed.expires == clock.now + 600
    clock.now += 100
    assert held(desk) == {"a": "anna"}
    assert desk.renew("ben", ["a"]) == []


def test_leases_survive_the_process(desk, tmp_path, clock):
    desk.take("anna", ["a"], "hybrid")
    assert Desk(tmp_path / "store.sqlite", clock=clock).take("ben", ["a"], "hybrid") is None


def test_a_skip_gives_the_image_back_and_keeps_the_reason(desk):
    desk.take("anna", ["a"], "hybrid")
    desk.skip("anna", "a", " the image is blurred ")
    assert held(desk) == {}
    assert [(skip.image_id, skip.annotator, skip.reason) for skip in desk.skips()] == [
        ("a", "anna", "the image is blurred")
    ]
    assert desk.take("ben", ["a"], "hybrid")


def test_a_skip_does_not_take_the_image_off_somebody_else_s_desk(desk):
    desk.take("anna", ["a"], "hybrid")
    desk.skip("ben", "a", "not a spine")
    assert held(desk) == {"a": "anna"}


def test_what_one_person_skipped_goes_to_others_and_what_two_skipped_to_nobody(desk):
    desk.skip("anna", "a", "blurred")
    desk.skip("anna", "a", "very blurred")
    desk.skip("anna", "b", "not a spine")
    desk.skip("ben", "b", "a hand")
    skips = desk.skips()
    assert [skip.reason for skip in skips if skip.image_id == "a"] == ["very blurred"]
    assert put_aside(skips, "anna") == {"a", "b"}
    assert put_aside(skips, "ben") == {"b"}
    assert put_aside(skips, "carl") == {"b"}


@pytest.mark.parametrize("reason", ["", "   ", None, 7, "two\nlines", "\x1b[2J", "x" * (LONGEST_REASON + 1)])
def test_a_skip_needs_a_reason_in_plain_words(desk, reason):
    with pytest.raises(OptionError, match="reason"):
        desk.skip("anna", "a", reason)
    assert desk.skips() == []


def test_threads_that_ask_at_once_never_share_an_image(desk):
    images = [f"image-{i}" for i in range(12)]

    def work(annotator):
        return [image for image in images if desk.take(annotator, [image], "first")]

    with ThreadPoolExecutor(8) as pool:
        shares = list(pool.map(work, (f"person-{i}" for i in range(8))))
    assert sorted(itertools.chain(*shares)) == sorted(images)


GRAB = """
import sys
from pathlib import Path
from vertenet.server.active.desk import Desk
desk = Desk(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for i in range(40):
    if desk.take(sys.argv[2], [f"image-{i}"], "first"):
        print(i)
"""


def test_processes_that_ask_at_once_never_share_an_image(tmp_path):
    command = [sys.executable, "-c", GRAB, str(tmp_path / "store.sqlite")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    people = [subprocess.Popen([*command, f"person-{i}"], **pipes) for i in range(4)]
    for person in people:
        assert person.stdout.readline() == "ready\n"  # they also made the tables at once
    for person in people:
        person.stdin.write("go\n")
        person.stdin.flush()
    got = [[int(line) for line in person.communicate(timeout=120)[0].split()] for person in people]
    assert [person.returncode for person in people] == [0] * 4
    assert sorted(itertools.chain(*got)) == list(range(40))
    assert len(Desk(tmp_path / "store.sqlite").leases()) == 40


def test_tables_of_a_newer_program_are_left_alone(desk):
    with sqlite3.connect(desk.database) as connection:
        connection.execute("UPDATE active_schema SET version = 99")
    with pytest.raises(SchemaError, match="version 99"):
        Desk(desk.database)
