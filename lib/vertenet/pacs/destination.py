"""Where to send: an address of DICOMweb, or an application entity."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ..errors import OptionError

#: What an archive wants to know of us; never on a command line, where everybody on the machine reads it.
USER, PASSWORD, TOKEN = "VERTENET_PACS_USER", "VERTENET_PACS_PASSWORD", "VERTENET_PACS_TOKEN"
_ENTITY = re.compile(r"([^@\\\s][^@\\]{0,15})@([^:@/\s]+):(\d{1,5})")


@dataclass(frozen=True)
class Destination:
    """One archive.

    Attributes
    ----------
    url : str
        Root of DICOMweb; empty for an application entity.
    title, host, port
        Of an application entity (PS3.8); empty and 0 for DICOMweb.
    user, password, token : str
        For HTTP; a token goes before a password.
    """

    url: str = ""
    title: str = ""
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    def __str__(self) -> str:
        return self.url or f"{self.title}@{self.host}:{self.port}"


def parse_destination(text: str) -> Destination:
    """``https://pacs/dicom-web`` or ``AETITLE@host:port``; credentials are those of the environment.

    Raises
    ------
    OptionError
        It is neither, or holds a password.
    """
    if text.startswith(("http://", "https://")):
        parts = urlsplit(text)
        if parts.username or parts.password:
            raise OptionError(
                "an address must not hold a user or a password",
                remedy=f"Put them into {USER} and {PASSWORD}",
            )
        if not parts.hostname:
            raise OptionError(f"{text!r} names no host", remedy="Give it as https://pacs.example/dicom-web")
        user, password, token = (os.environ.get(name, "") for name in (USER, PASSWORD, TOKEN))
        return Destination(url=text.rstrip("/"), user=user, password=password, token=token)
    found = _ENTITY.fullmatch(text)
    if found is None or not 0 < int(found[3]) < 65536:
        raise OptionError(
            f"{text!r} is no destination", remedy="Give https://pacs.example/dicom-web, or AETITLE@host:port"
        )
    return Destination(title=found[1], host=found[2], port=int(found[3]))
