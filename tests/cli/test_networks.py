"""The table of the zoo."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from vertenet.cli import networks  # noqa: F401  (registers the command)
from vertenet.cli.common import app
from vertenet.errors import ModelError, OptionError


def show(*arguments: str):
    return CliRunner().invoke(app, ["networks", *arguments], env={"COLUMNS": "150"})


def test_the_table_says_what_a_network_costs_at_a_size():
    done = show("nfdp", "guidenet", "--size", "128x64")
    assert done.exit_code == 0
    rows = {line.split()[0]: line.split()[1:5] for line in done.stdout.splitlines() if line.strip()}
    assert list(rows) == ["name", "nfdp", "guidenet"]
    assert rows["nfdp"] == ["128x64", "12.21", "M", "0.4"]
    assert rows["guidenet"] == ["128x64", "24.21", "M", "1.3"]
    assert "normalising flow" in done.stdout


@pytest.mark.parametrize("size", ["512", "512,256", "axb"])
def test_a_size_that_is_none_is_refused(size):
    error = show("nfdp", "--size", size).exception
    assert isinstance(error, OptionError)
    assert "512x256" in error.sentence


def test_a_network_that_is_none_is_refused():
    assert isinstance(show("vertinet").exception, ModelError)
