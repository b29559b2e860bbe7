"""Under which name a reader's work is kept by a server that asks for no token."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from .deidentify import installation_secret
from .interfaces import Settings

READER_KEY = "reader"
_LONGEST = 64


def annotator_name(settings: Settings) -> str:
    """The reader's name as the plain word that servers ask for; without one, a name of this installation's own.

    A server with tokens takes the token's name instead. Two nameless readers must not share leases, so there is always
    a name, and it tells nothing of the computer.
    """
    plain = unicodedata.normalize("NFKD", settings.get(READER_KEY)).encode("ascii", "ignore").decode()
    word = re.sub(r"[^A-Za-z0-9._@-]+", "-", plain).strip("-.")[:_LONGEST]
    return word or f"slicer-{hashlib.sha256(installation_secret(settings)).hexdigest()[:10]}"
