"""Work in threads, results in the thread that polls."""

from __future__ import annotations

import threading

import pytest
from VerteNetLib.jobs import CancelledError, Jobs


def failing(error):
    raise error


def test_results_and_errors_arrive_in_the_thread_that_polls(jobs):
    arrived = []
    here = threading.get_ident()
    jobs.start(
        "adding",
        lambda _p: threading.get_ident(),
        lambda there: arrived.append((there, threading.get_ident())),
        failing,
    )
    jobs.wait(5)
    jobs.start("failing", lambda _p: failing(ValueError("no")), arrived.append, lambda e: arrived.append(str(e)))
    jobs.wait(5)
    (there, told), text = arrived
    assert there != here
    assert told == here
    assert text == "no"


def test_one_foreground_job_at_a_time_and_quiet_ones_beside_it(jobs):
    hold, order = threading.Event(), []
    jobs.start("waiting", lambda _p: hold.wait(10), lambda _r: order.append("foreground"), failing)
    assert jobs.busy
    with pytest.raises(RuntimeError):
        jobs.start("another", lambda _p: 1, order.append, failing)
    jobs.start("looking", lambda _p: 1, lambda _r: order.append("quiet"), failing, quiet=True)
    jobs.wait(5, until=lambda: order == ["quiet"])
    assert jobs.busy
    hold.set()
    jobs.wait(5)
    assert order == ["quiet", "foreground"]
    assert not jobs.busy


def test_a_cancelled_job_ends_at_once_and_is_not_heard_of_again(jobs):
    hold, heard = threading.Event(), []
    stopped = threading.Event()

    def work(progress):
        hold.wait(10)
        try:
            progress.report("on the way", 0.5)
        except CancelledError:
            stopped.set()
            raise

    jobs.start("waiting", work, heard.append, heard.append)
    jobs.cancel()
    assert not jobs.busy
    assert [type(error) for error in heard] == [CancelledError]
    jobs.start("the next one", lambda _p: "done", heard.append, failing)
    hold.set()
    assert stopped.wait(5)
    jobs.wait(5)
    assert heard[1:] == ["done"]


def test_progress_is_shown_and_told(jobs):
    begin, go, told = threading.Event(), threading.Event(), []

    def work(progress):
        begin.wait(10)
        progress.report("half", 0.5)
        go.wait(10)

    jobs.listeners.subscribe(lambda: told.append(jobs.progress))
    jobs.start("begun", work, lambda _r: None, failing)
    assert jobs.progress == ("begun", None)
    begin.set()
    jobs.wait(5, until=lambda: ("half", 0.5) in told)
    go.set()
    jobs.wait(5)
    assert told[-1] is None


def test_timers_run_once_when_they_are_due_unless_taken_back(jobs):
    rung = []
    jobs.after(0.0, lambda: rung.append("now"))
    take_back = jobs.after(0.0, lambda: rung.append("never"))
    jobs.after(60.0, lambda: rung.append("later"))
    take_back()
    jobs.poll()
    jobs.poll()
    assert rung == ["now"]


def test_a_test_that_waits_in_vain_is_told():
    jobs, hold = Jobs(), threading.Event()
    jobs.start("waiting", lambda _p: hold.wait(10), lambda _r: None, failing)
    with pytest.raises(TimeoutError, match="waiting"):
        jobs.wait(0.05)
    hold.set()
