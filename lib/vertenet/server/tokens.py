"""Bearer tokens (RFC 6750) of the server: who may do what, in a file that holds only their hashes.

A token is 256 random bits, so a single SHA-256 is enough to keep it: there is nothing to guess that a slow hash would
protect (NIST SP 800-63B, section 5.1.2.2, asks for one below 112 bits only).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from ..errors import OptionError
from ..files import beside

#: From the least that may be done to the most; each role may do all that those before it may.
ROLES = ("reader", "annotator", "reviewer", "admin")

#: Lets scanners for leaked secrets recognise a token.
PREFIX = "vertenet_"

_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")


@dataclass(frozen=True)
class Token:
    """What is kept of a token.

    Attributes
    ----------
    name : str
        Whose it is; the annotator's name in every label's history, see `check_name`.
    role : {"reader", "annotator", "reviewer", "admin"}
    sha256 : str
        Hash of the token, hexadecimal.
    created : str
        ISO 8601, UTC.
    expires : str or None
        ISO 8601, UTC; None: never.
    """

    name: str
    role: str
    sha256: str
    created: str
    expires: str | None = None

    def expired(self) -> bool:
        return self.expires is not None and datetime.fromisoformat(self.expires) <= datetime.now(timezone.utc)


def check_name(name: Any) -> str:
    """``name``, where it is a plain word: 1 to 64 letters, digits, ``.``, ``_``, ``-`` or ``@``.

    Raises
    ------
    OptionError
        It is not.
    """
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise OptionError(
            f"the name {str(name)[:80]!r} is not a plain word",
            remedy="Use 1 to 64 letters, digits, dots, dashes, _ or @",
        )
    return name


def default_file() -> Path:
    """Where tokens are kept unless told otherwise: ``vertenet/tokens.json`` in the user's configuration folder."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "vertenet" / "tokens.json"


def digest(secret: str) -> str:
    """SHA-256 of a token's text, hexadecimal."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def load(path: str | Path) -> tuple[Token, ...]:
    """The tokens of a file.

    Raises
    ------
    OptionError
        It cannot be read, or is no file of tokens.
    """
    try:
        rows = json.loads(Path(path).read_text(encoding="utf-8"))["tokens"]
        tokens = tuple(Token(**row) for row in rows)
        for token in tokens:
            token.expired()
    except OSError as error:
        raise OptionError(
            f"the file of tokens cannot be read ({error.strerror})",
            subject=str(path),
            remedy="Make one with: vertenet token add NAME --role admin",
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise OptionError("this is not a file of tokens", subject=str(path)) from error
    if any(token.role not in ROLES for token in tokens):
        raise OptionError("a token has a role that does not exist", subject=str(path))
    return tokens


def find(tokens: Sequence[Token], secret: str) -> Token | None:
    """The valid token that ``secret`` is, or None; takes as long whichever it is."""
    wanted, found = digest(secret), None
    for token in tokens:
        if hmac.compare_digest(token.sha256, wanted) and not token.expired():
            found = token
    return found


def add(path: str | Path, name: str, role: str, days: float | None = None) -> str:
    """Issue a token and return its text, which is kept nowhere.

    Parameters
    ----------
    path : path
        File of tokens; made, readable by its owner alone, if missing.
    name : str
        A name that has no token yet.
    role : {"reader", "annotator", "reviewer", "admin"}
    days : float, optional
        Days until it expires.

    Raises
    ------
    OptionError
        The name is no plain word or taken, the role unknown, or the file not one of tokens.
    """
    check_name(name)
    if role not in ROLES:
        raise OptionError(f"there is no role {role!r}", remedy=f"Use one of {', '.join(ROLES)}")
    if days is not None and not 0 < days <= 36500:
        raise OptionError(f"a token cannot expire after {days} days", remedy="Give a positive number of days")
    now = datetime.now(timezone.utc).replace(microsecond=0)
    secret = PREFIX + secrets.token_urlsafe(32)
    expires = None if days is None else (now + timedelta(days=days)).isoformat()
    with _locked(path):
        tokens = load(path) if Path(path).exists() else ()
        if any(token.name == name for token in tokens):
            raise OptionError(f"{name} has a token already", subject=str(path), remedy="Revoke it first")
        _save(path, [*tokens, Token(name, role, digest(secret), now.isoformat(), expires)])
    return secret


def revoke(path: str | Path, name: str) -> None:
    """Take a name's token away; a running server refuses it from the next request on.

    Raises
    ------
    OptionError
        The name has none, or the file is not one of tokens.
    """
    with _locked(path):
        tokens = load(path)
        rest = [token for token in tokens if token.name != name]
        if len(rest) == len(tokens):
            raise OptionError(f"{name!r} has no token", subject=str(path), remedy="See: vertenet token list")
        _save(path, rest)


def _locked(path: str | Path):
    from filelock import FileLock  # comes with torch; readers of tokens do without

    folder = Path(path).parent
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f".{Path(path).name}.lock", timeout=30)


def _save(path: str | Path, tokens: Sequence[Token]) -> None:
    text = json.dumps({"tokens": [asdict(token) for token in tokens]}, indent=1) + "\n"
    with beside(path) as temporary:
        # Private from its first byte on, whatever the umask.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as target:
            target.write(text)
