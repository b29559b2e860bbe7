"""Tokens on the disk: hashes only, private, one a name, and gone when revoked or expired."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from vertenet.errors import OptionError
from vertenet.server import tokens


def test_a_token_is_found_by_its_text_and_nothing_else(tmp_path):
    file = tmp_path / "tokens.json"
    ada, rob = tokens.add(file, "ada", "admin"), tokens.add(file, "rob", "reader")
    kept = tokens.load(file)
    assert tokens.find(kept, ada).name == "ada"
    assert tokens.find(kept, rob).role == "reader"
    for wrong in ("", ada[:-1], ada + " ", tokens.digest(ada), "\ud800"):
        assert tokens.find(kept, wrong) is None


def test_the_file_holds_no_token_and_only_its_owner_reads_it(tmp_path):
    file = tmp_path / "new" / "tokens.json"
    secret = tokens.add(file, "ada", "admin")
    assert secret.startswith("vertenet_")
    assert secret not in file.read_text()
    assert secret.removeprefix("vertenet_") not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {path.name for path in file.parent.iterdir()} <= {"tokens.json", ".tokens.json.lock"}


def test_tokens_issued_at_the_same_time_are_all_kept(tmp_path):
    file = tmp_path / "tokens.json"
    with ThreadPoolExecutor(8) as pool:
        secrets = list(pool.map(lambda i: tokens.add(file, f"n{i}", "reader"), range(16)))
    assert len(set(secrets)) == len(tokens.load(file)) == 16


def test_an_expired_token_is_not_found(tmp_path):
    file = tmp_path / "tokens.json"
    secret = tokens.add(file, "ada", "admin", days=1)
    (token,) = tokens.load(file)
    assert tokens.find([token], secret) == token
    past = (datetime.now(timezone.utc) - timedelta(seconds=1)).isoformat()
    assert tokens.find([replace(token, expires=past)], secret) is None


def test_a_revoked_token_is_gone_and_its_name_free(tmp_path):
    file = tmp_path / "tokens.json"
    old = tokens.add(file, "ada", "admin")
    tokens.revoke(file, "ada")
    new = tokens.add(file, "ada", "reader")
    assert tokens.find(tokens.load(file), old) is None
    assert tokens.find(tokens.load(file), new).role == "reader"


@pytest.mark.parametrize("name", ["", "a b", "../a", "a\n", "x" * 65, "ü"])
def test_a_name_that_is_no_plain_word_is_refused(tmp_path, name):
    with pytest.raises(OptionError, match="plain word"):
        tokens.add(tmp_path / "tokens.json", name, "reader")


def test_what_cannot_be_done_is_said(tmp_path):
    file = tmp_path / "tokens.json"
    tokens.add(file, "ada", "admin")
    for refused in (
        lambda: tokens.add(file, "ada", "reader"),
        lambda: tokens.add(file, "bob", "root"),
        lambda: tokens.add(file, "bob", "reader", days=-1),
        lambda: tokens.revoke(file, "bob"),
        lambda: tokens.load(tmp_path / "none.json"),
    ):
        with pytest.raises(OptionError):
            refused()
    assert [token.name for token in tokens.load(file)] == ["ada"]


@pytest.mark.parametrize(
    "content", ["", "[]", '{"tokens": [{"name": "a"}]}', '{"tokens": 3}', "\x00", '{"tokens": [{"x": 1}]}']
)
def test_a_damaged_file_is_no_file_of_tokens(tmp_path, content):
    (tmp_path / "tokens.json").write_text(content)
    with pytest.raises(OptionError):
        tokens.load(tmp_path / "tokens.json")


def test_a_role_that_does_not_exist_makes_the_file_invalid(tmp_path):
    file = tmp_path / "tokens.json"
    tokens.add(file, "ada", "admin")
    rows = json.loads(file.read_text())
    rows["tokens"][0]["role"] = "root"
    file.write_text(json.dumps(rows))
    with pytest.raises(OptionError, match="role"):
        tokens.load(file)


def test_the_command_issues_lists_and_revokes(tmp_path):
    file = str(tmp_path / "tokens.json")

    def command(*words):
        done = subprocess.run(
            [sys.executable, "-m", "vertenet.cli", "token", *words, "--tokens", file], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    secret = command("add", "ada", "--role", "admin").strip()
    assert tokens.find(tokens.load(file), secret).name == "ada"
    listed = command("list")
    assert "ada" in listed
    assert "admin" in listed
    assert secret not in listed
    command("revoke", "ada")
    assert tokens.load(file) == ()
