"""How a server listens, whom it answers and how much it takes; needs nothing beyond Python itself."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import OptionError
from . import tokens


@dataclass(frozen=True)
class Tls:
    """A certificate chain and its private key, PEM files."""

    certificate: Path
    key: Path

    @classmethod
    def of(cls, certificate: Path | None, key: Path | None) -> Tls | None:
        """Both or neither; raises `OptionError` where they are missing or do not belong together."""
        if certificate is None and key is None:
            return None
        if certificate is None or key is None:
            raise OptionError("a certificate needs its key", remedy="Give both --tls-cert and --tls-key")
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
        except (OSError, ssl.SSLError) as error:
            raise OptionError(
                f"the certificate and its key cannot be used ({error.strerror or error})",
                subject=str(certificate),
                remedy="Give PEM files that belong together; the key must have no password",
            ) from error
        return cls(certificate, key)


def _no_password() -> str:
    raise ssl.SSLError("the key has a password")


@dataclass(frozen=True)
class ServerOptions:
    """How the server listens, whom it answers, and how much it takes.

    Attributes
    ----------
    host : str
        Address to listen on. Another than loopback is refused without ``tokens``.
    port : int
        0 takes a free one.
    tokens : path, optional
        File of tokens, see `vertenet.server.tokens`. None: everybody on this computer is answered.
    tls : Tls, optional
        Serve HTTPS.
    origins : tuple of str
        Web origins (``https://host[:port]``) whose pages may ask; no others than the server's own may.
    proxies : tuple of str
        Addresses of proxies whose ``X-Forwarded-For`` and ``-Proto`` are believed.
    max_upload_mib : float
        Largest upload. Requests that carry no file may have 1 MiB.
    queue : int
        How many inferences may wait for one of the running ones to end; further ones are answered 429.
    until_closed : bool
        End in good order when standard input ends. A parent that holds the other end of that pipe need not live to say
        so: whatever kills it, on any system, closes the pipe.
    """

    host: str = "127.0.0.1"
    port: int = 0
    tokens: Path | None = None
    tls: Tls | None = None
    origins: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    max_upload_mib: float = 64
    queue: int = 16
    until_closed: bool = False

    def __post_init__(self) -> None:
        if self.tokens is not None and not tokens.load(self.tokens):
            raise OptionError(
                "there is no token in this file", subject=str(self.tokens), remedy="Issue one: vertenet token add NAME"
            )
        for origin in self.origins:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}":
                raise OptionError(
                    f"{origin!r} is not a web origin", remedy="Write it as https://host or https://host:port"
                )
        if not 0 < self.max_upload_mib < float("inf"):
            raise OptionError(f"the largest upload cannot be {self.max_upload_mib} MiB")
        if self.queue < 0:
            raise OptionError(f"{self.queue} inferences cannot wait", remedy="Give --queue a number from 0")
