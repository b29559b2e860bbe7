"""The secret by which patients become pseudonyms: a patient has the same one in every cohort of its owner."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from ..errors import OptionError

#: Names another file than the default one.
KEY_VARIABLE = "VERTENET_PSEUDONYM_KEY"
_SHORTEST = 16


def key_file() -> Path:
    """``pseudonyms.key`` in the user's configuration folder, unless ``VERTENET_PSEUDONYM_KEY`` names another file."""
    if os.environ.get(KEY_VARIABLE):
        return Path(os.environ[KEY_VARIABLE])
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "vertenet" / "pseudonyms.key"


def secret_key(path: Path | None = None) -> bytes:
    """The key in a file; a new one of 256 random bits, for the owner's eyes alone, where there is none yet.

    Raises
    ------
    OptionError
        It cannot be read or made, or holds too little to be a secret.
    """
    path = key_file() if path is None else path
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes().strip()
    except OSError as error:
        raise OptionError(
            f"the key of the pseudonyms can neither be read nor made ({error.strerror})",
            subject=path,
            remedy=f"Name a file for it in {KEY_VARIABLE}",
        ) from error
    if len(key) < _SHORTEST:
        raise OptionError(
            f"the key of the pseudonyms has {len(key)} bytes, but a secret needs {_SHORTEST}",
            subject=path,
            remedy="Remove the file: a new key is made, and with it other pseudonyms",
        )
    return key


def _make(path: Path) -> None:
    """A new key, whole from the moment that it has its name; of two that are made at once the first one stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32) + "\n")
    try:
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()
