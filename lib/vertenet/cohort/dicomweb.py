"""The images that a DICOMweb server (PS3.18) finds, fetched one at a time when they are read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from ..errors import ImageReadError, OptionError
from ..imaging.dicom import PROJECTION_MODALITIES

#: A bearer token for the server; a user name and a password belong into ``~/.netrc``.
TOKEN_VARIABLE = "VERTENET_DICOMWEB_TOKEN"
#: What a query asks for at a time.
PAGE = 1000
_LEVELS = ("studies", "series", "instances")


@dataclass(frozen=True)
class WebInstance:
    """An instance on a server; ``path`` is its WADO-RS address."""

    path: str
    folder: str
    server: str
    study: str
    series: str
    instance: str

    @property
    def name(self) -> str:
        return f"{self.instance}.dcm"

    @contextmanager
    def file(self, scratch: Path | None) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="instance-", dir=scratch) as folder:
            path = Path(folder) / self.name
            fetch = partial(_client(self.server).retrieve_instance, self.study, self.series, self.instance)
            _asked(self.path, fetch).save_as(path, write_like_original=False)
            yield path


def is_url(text: str) -> bool:
    return text.lower().startswith(("http://", "https://"))


def items_of_query(url: str) -> Iterator[WebInstance]:
    """The instances of radiographs that a QIDO-RS query finds.

    Parameters
    ----------
    url : str
        Of the server (``https://pacs/dicom-web``), or with ``/studies``, ``/series`` or ``/instances`` and matching
        keys behind it (``.../studies?StudyDate=20240101-20241231``). Of studies, the series of radiographs are taken.

    Raises
    ------
    OptionError
        The address holds a password.
    ImageReadError
        The server does not answer, or refuses.
    """
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise OptionError(
            "the address of the DICOMweb server holds a user's name or password, and it is written into the table",
            remedy=f"Write them into ~/.netrc, or a token into {TOKEN_VARIABLE}",
        )
    where, _, last = parts.path.rstrip("/").rpartition("/")
    level = last if last in _LEVELS else "studies"
    root = where if last in _LEVELS else parts.path.rstrip("/")
    server = urlunsplit((parts.scheme, parts.netloc, root, "", ""))
    filters = dict(parse_qsl(parts.query, keep_blank_values=True))
    client = _client(server)
    if level == "instances":
        yield from _instances(server, client.search_for_instances, filters)
        return
    if level == "series":
        series = list(_paged(server, client.search_for_series, filters))
    else:
        studies = _paged(server, client.search_for_studies, filters)
        series = (found for study in studies for found in _series_of(server, client, _value(study, "0020000D")))
    for found in series:
        if _value(found, "00080060") in (*PROJECTION_MODALITIES, None):
            study, number = _value(found, "0020000D"), _value(found, "0020000E")
            within = {"study_instance_uid": study, "series_instance_uid": number}
            yield from _instances(server, client.search_for_instances, {}, study, number, **within)


def _series_of(server: str, client, study: str | None) -> Iterator[dict]:
    for found in _paged(server, client.search_for_series, {}, study_instance_uid=study):
        yield {"0020000D": {"Value": [study]}, **found}


def _instances(
    server: str, search: Callable, filters: dict, study: str | None = None, series: str | None = None, **within
) -> Iterator[WebInstance]:
    for found in _paged(server, search, filters, **within):
        of = (_value(found, "0020000D") or study, _value(found, "0020000E") or series, _value(found, "00080018"))
        path = f"{server}/studies/{of[0]}/series/{of[1]}/instances/{of[2]}"
        yield WebInstance(path, str(of[0]), server, *of)


def _paged(server: str, search: Callable, filters: dict, **within) -> Iterator[dict]:
    """Every match; servers that know no offset answer with the first ones again, which ends it too."""
    seen, offset = set(), 0
    while True:
        page = _asked(server, partial(search, **within, search_filters=filters or None, limit=PAGE, offset=offset))
        fresh = [found for found in page if repr(found) not in seen]
        seen.update(map(repr, fresh))
        yield from fresh
        if len(page) < PAGE or not fresh:
            return
        offset += len(page)


def _value(found: dict, tag: str) -> str | None:
    values = found.get(tag, {}).get("Value") or [None]
    return values[0]


def _asked(subject: str, ask: Callable):
    from requests.exceptions import RequestException

    try:
        return ask()
    except RequestException as error:
        answer = getattr(error.response, "status_code", None)
        problem = f"it answers {answer}" if answer else f"it does not answer ({type(error).__name__})"
        raise ImageReadError(
            f"the DICOMweb server cannot be asked: {problem}",
            subject=subject,
            remedy="Check its address and your rights, and start the command again",
        ) from error


@lru_cache(maxsize=4)
def _client(server: str):
    from dicomweb_client.api import DICOMwebClient

    token = os.environ.get(TOKEN_VARIABLE)
    return DICOMwebClient(server, headers={"Authorization": f"Bearer {token}"} if token else None)
