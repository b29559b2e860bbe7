"""Figures, sentences and tables of sixty files are those of the record, to the digit."""

from __future__ import annotations

import pytest

from .record import RECORD, cases, gathered, load


@pytest.fixture(scope="module")
def before() -> dict:
    return load(RECORD)


@pytest.fixture(scope="module")
def now() -> dict:
    return gathered(cases)


def test_the_record_is_of_sixty_files(before, now):
    assert len(before) == 60
    assert sorted(now) == sorted(before)


def test_every_file_says_what_it_said(before, now):
    assert {name: list(differences(before[name], now[name])) for name in before if before[name] != now[name]} == {}


def differences(before, now, where: str = ""):
    """Places, and what stands there before and now."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in {**before, **now}:
            yield from differences(before.get(key), now.get(key), f"{where}.{key}")
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for index, pair in enumerate(zip(before, now)):
            yield from differences(*pair, f"{where}[{index}]")
    elif before != now:
        yield where, before, now
