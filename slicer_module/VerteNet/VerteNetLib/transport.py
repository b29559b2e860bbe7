"""One HTTP request to a label server, and every way in which it can fail, as a sentence.

Certificates are always checked. Redirects are not followed, so that the token and the images go to the address that the
user gave and to no other. Nothing of a request is logged.
"""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Optional, Union

import requests

from .connection import Connection
from .failures import FailureKind, ServerError
from .i18n import _
from .interfaces import Progress

CONNECT_S = 5.0
READ_S = 30.0
#: An answer that is larger is none that this module asks for.
LARGEST_JSON = 32 << 20
_CHUNK = 1 << 16

_KINDS = {
    400: FailureKind.REJECTED,
    401: FailureKind.UNAUTHORIZED,
    403: FailureKind.FORBIDDEN,
    404: FailureKind.NOT_FOUND,
    409: FailureKind.CONFLICT,
    413: FailureKind.TOO_LARGE,
    421: FailureKind.MISDIRECTED,
    422: FailureKind.REJECTED,
    429: FailureKind.BUSY,
    503: FailureKind.BUSY,
}
#: By it a server knows that another store than its own is meant, and does nothing.
_STORE_HEADER = "VerteNet-Store"
#: How our server begins the sentence of a 404 for a path, as against one for an image.
_NO_SUCH_PATH = "There is nothing at"


class _Bearer(requests.auth.AuthBase):
    """The token of RFC 6750. As an object of its own it also keeps requests from looking into ``.netrc``."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Transport:
    """Requests to one server. Any thread may use it: every request has a connection of its own.

    Parameters
    ----------
    connection : Connection
    haste : float
        Timeouts are divided by it.
    """

    def __init__(self, connection: Connection, haste: float = 1.0) -> None:
        self.connection, self._haste = connection, haste
        #: The store that is meant by every request, see `ServerInfo.store`; None until it is known.
        self.store: Optional[str] = None

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Optional[Mapping[str, Any]] = None,
        form: Optional[Mapping[str, str]] = None,
        files: Optional[Mapping[str, Any]] = None,
        json_body: Optional[Mapping[str, Any]] = None,
        body: Any = None,
        headers: Optional[Mapping[str, str]] = None,
        read_s: float = READ_S,
    ) -> Any:
        """The JSON that a request is answered with; ``body`` in the place of a form. Raises `ServerError`."""
        content = {"data": form if body is None else body, "files": files, "json": json_body, "headers": headers}
        with self.open(method, path, params=params, read_s=read_s, **content) as response:
            return json_of(response)

    @contextmanager
    def open(self, method: str, path: str, *, read_s: float = READ_S, **request: Any) -> Iterator[requests.Response]:
        """A successful answer whose body has not been read yet; see `chunks`. Raises `ServerError`."""
        connection = self.connection
        with requests.Session() as http:
            if self.store:
                http.headers[_STORE_HEADER] = self.store
            # A proxy of the environment has no business between this computer and itself.
            http.trust_env = not connection.is_loopback
            with _told(connection.url):
                response = http.request(
                    method,
                    connection.url + path,
                    auth=_Bearer(connection.token),
                    timeout=(CONNECT_S / self._haste, read_s / self._haste),
                    verify=connection.verify,
                    allow_redirects=False,
                    stream=True,
                    **request,
                )
                _refuse_failure(response, connection.url)
            yield response


def chunks(response: requests.Response, sentence: str = "", progress: Optional[Progress] = None) -> Iterator[bytes]:
    """The body piece by piece, telling how far it is; stops where the user asked to.

    Raises `ServerError` where the body is cut off.
    """
    announced = response.headers.get("Content-Length", "")
    # A compressed body is longer than it was announced.
    total = int(announced) if announced.isdecimal() and "Content-Encoding" not in response.headers else None
    received = 0
    with _told(response.url):
        for chunk in response.iter_content(_CHUNK):
            received += len(chunk)
            if progress is not None:
                progress.report(sentence, received / total if total else None)
            yield chunk
    if total is not None and received < total:
        raise _cut_off()


def json_of(response: requests.Response) -> Any:
    """The JSON in the body. Raises `ServerError`."""
    body = bytearray()
    for chunk in chunks(response):
        body += chunk
        if len(body) > LARGEST_JSON:
            raise ServerError(FailureKind.MALFORMED, _("The answer of the server is far too long"))
    try:
        return json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise malformed(_("it is not JSON")) from error


def malformed(why: str) -> ServerError:
    """The error for an answer that cannot be what it should be."""
    return ServerError(
        FailureKind.MALFORMED,
        _("The answer of the server cannot be read: {why}").format(why=why),
        remedy=_("Check that the address is that of a VerteNet server, and try again"),
    )


def _cut_off() -> ServerError:
    return ServerError(
        FailureKind.MALFORMED, _("The answer of the server ended before it was complete"), remedy=_("Try again")
    )


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Turn what requests raises into sentences."""
    try:
        yield
    except requests.exceptions.SSLError as error:
        raise ServerError(
            FailureKind.TLS,
            _("The certificate of {url} was not accepted").format(url=url),
            remedy=_("Give the certificate file of your clinic's authority, or ask who runs the server"),
        ) from error
    except requests.exceptions.Timeout as error:
        raise ServerError(
            FailureKind.TIMEOUT, _("{url} did not answer in time").format(url=url), remedy=_("Try again later")
        ) from error
    except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
        raise _cut_off() from error
    except requests.exceptions.RequestException as error:
        # Nobody listens, the name is unknown, or the server died while it was asked.
        raise ServerError(
            FailureKind.REFUSED,
            _("{url} cannot be reached").format(url=url),
            remedy=_("Check the address, and that the server runs"),
        ) from error


def _refuse_failure(response: requests.Response, url: str) -> None:
    status = response.status_code
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise ServerError(
            FailureKind.WRONG_APP,
            _("{url} sends elsewhere, and this module follows nobody with a token").format(url=url),
            remedy=_("Enter the address itself: {address}").format(
                address=printable(response.headers.get("Location", ""), 200)
            ),
        )
    kind = _KINDS.get(status, FailureKind.SERVER_FAULT if status >= 500 else FailureKind.REJECTED)
    retry_after_s = _seconds(response.headers.get("Retry-After"))
    sentence = _detail(response)
    if status in (404, 405) and (not sentence or sentence.startswith(_NO_SUCH_PATH)):
        raise ServerError(
            FailureKind.OLD_VERSION,
            _("{url} does not know the request {path}").format(url=url, path=response.request.path_url.split("?")[0]),
            remedy=_("It is an old version, or MONAI Label's own server: start it with vertenet serve"),
        )
    sentence = sentence or _said_of(kind, status)
    remedy = remedy_of(kind)
    if kind is FailureKind.BUSY and retry_after_s is not None:
        remedy = _("Try again in {seconds:.0f} s").format(seconds=max(1.0, retry_after_s))
    raise ServerError(kind, sentence, remedy=remedy, retry_after_s=retry_after_s)


def _detail(response: requests.Response) -> str:
    """The sentence of a problem (RFC 9457, or MONAI Label's form of it); empty where there is none."""
    try:
        detail = json_of(response)["detail"]
    except (ServerError, TypeError, KeyError):
        return ""
    if isinstance(detail, list):  # FastAPI's validation
        detail = "; ".join(str(fault.get("msg", "")) for fault in detail if isinstance(fault, dict))
    text = printable(detail, 600) if isinstance(detail, str) else ""
    # The framework's own words are no sentence.
    return "" if text == _phrase(response.status_code) else text


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _said_of(kind: FailureKind, status: int) -> str:
    return {
        FailureKind.UNAUTHORIZED: _("The server wants a valid token"),
        FailureKind.FORBIDDEN: _("The role of this token does not allow that"),
        FailureKind.NOT_FOUND: _("The server does not have what was asked for"),
        FailureKind.CONFLICT: _("The server refuses this, because something else came first"),
        FailureKind.MISDIRECTED: _("Another server answers at this address than the one that was asked"),
        FailureKind.TOO_LARGE: _("The server refuses this, because it is too large"),
        FailureKind.BUSY: _("The server is busy"),
        FailureKind.SERVER_FAULT: _("The server failed (status {status})").format(status=status),
    }.get(kind, _("The server refused the request (status {status})").format(status=status))


def remedy_of(kind: FailureKind) -> Optional[str]:
    """What a person can do about it, where that is the same each time."""
    return {
        FailureKind.UNAUTHORIZED: _("Enter the token that you were given"),
        FailureKind.FORBIDDEN: _("Ask who runs the server for a token with that role"),
        FailureKind.CONFLICT: _("Refresh, and look at what is there now"),
        FailureKind.MISDIRECTED: _("Connect again to see what is there; work for the other server is kept"),
        FailureKind.BUSY: _("Try again in a moment"),
        FailureKind.SERVER_FAULT: _("Try again, or ask who runs the server to look into its log"),
    }.get(kind)


def printable(text: str, longest: int) -> str:
    """Foreign text as one line of a message."""
    return "".join(character if character.isprintable() else " " for character in text)[:longest]


def _seconds(header: Optional[str]) -> Optional[float]:
    """Seconds of a Retry-After header (RFC 9110, 10.2.3), which may be a date; None where there is none."""
    if header is None:
        return None
    text: Union[str, None] = header.strip()
    if text.isdecimal():
        return float(min(int(text), 24 * 3600))
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
