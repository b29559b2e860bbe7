"""Where a label server is and how it is spoken to: the address, the token, and whom to believe."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from typing import Union
from urllib.parse import urlsplit

from vertenet.errors import OptionError

from .i18n import _

#: Where ``vertenet serve`` listens by default.
DEFAULT_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Connection:
    """A server's address and what is needed to speak to it.

    Attributes
    ----------
    url : str
        ``http://host:port`` or ``https://host``, without a final slash; see `parse_url` for what a person may type.
    token : str
        Sent as bearer token to this address only (RFC 6750); kept in the user's settings, in no other place.
    verify : True or str
        True: certificates are checked against the usual authorities; else the path of a file with the authority's own.
        There is no way to leave the check out.
    annotator : str
        Name for leases and labels where no token names somebody.
    store : str
        How a person knows the server; its address by default. A server that this module starts has another port each
        time, and is told by its folder. Also the name under which work is kept for a server without an identity.

    Raises
    ------
    OptionError
        The address is none, or the token would travel readable for everybody.
    """

    url: str
    token: str = field(default="", repr=False)
    verify: Union[bool, str] = True
    annotator: str = ""
    store: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", parse_url(self.url))
        object.__setattr__(self, "store", self.store or self.url)
        object.__setattr__(self, "token", self.token.strip())
        if any(not 33 <= ord(character) <= 126 for character in self.token):
            raise OptionError(
                _("The token holds characters that no token has"), remedy=_("Copy it again, as it was shown")
            )
        if self.verify is False:
            raise OptionError(
                _("Certificates are always checked"),
                remedy=_("Give the file with the certificate of your clinic's own authority instead"),
            )
        if self.verify is not True and not os.path.isfile(self.verify):
            raise OptionError(_("There is no such certificate file"), subject=str(self.verify))
        if self.token and not self.is_encrypted and not self.is_loopback:
            raise OptionError(
                _("Over plain http everybody on the way could read the token"),
                subject=self.url,
                remedy=_("Use an https address; docs/security.md of the server says how"),
            )

    @property
    def is_encrypted(self) -> bool:
        return self.url.startswith("https://")

    @property
    def is_loopback(self) -> bool:
        """Whether nothing leaves this computer."""
        host = urlsplit(self.url).hostname or ""
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


def parse_url(text: str) -> str:
    """The address that a person typed, whole: ``clinic.example/`` is ``https://clinic.example``.

    Without a scheme, ``http`` is meant for this computer and ``https`` for every other.

    Raises
    ------
    OptionError
        It is no address of a server, or holds a user's name and password.
    """
    text = text.strip()
    if "://" not in text:
        host = urlsplit(f"//{text}").hostname or "" if _splits(f"//{text}") else ""
        local = host == "localhost" or host.startswith("127.") or host == "::1"
        text = f"{'http' if local else 'https'}://{text}"
    wrong = OptionError(
        _("This is not the address of a server"),
        subject=text,
        remedy=_("Write it like {example}").format(example=DEFAULT_URL),
    )
    if not _splits(text) or any(character.isspace() for character in text):
        raise wrong
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise wrong
    if parts.username is not None or parts.password is not None:
        raise OptionError(
            _("The address holds a name or password"), remedy=_("Put the token into its own field instead")
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _splits(url: str) -> bool:
    try:
        return urlsplit(url).port is None or True
    except ValueError:  # brackets of IPv6 that do not match, a port that is no number
        return False
