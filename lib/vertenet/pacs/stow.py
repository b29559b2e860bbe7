"""STOW-RS (PS3.18, 10.5), an instance a request: so what became of each is known even if the archive dies between."""

from __future__ import annotations

from pathlib import Path

import requests
from dicomweb_client import DICOMwebClient
from pydicom.dataset import Dataset
from requests.adapters import HTTPAdapter

from .destination import PASSWORD, TOKEN, USER, Destination
from .outcome import SendState, Sent


class _Patient(HTTPAdapter):
    """Gives every request a timeout; requests has none of its own."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        super().__init__()

    def send(self, request, **options):
        options["timeout"] = self._timeout_s
        return super().send(request, **options)


def store(files: list[tuple[Path, Dataset]], destination: Destination, timeout_s: float) -> list[Sent]:
    """See `vertenet.pacs.send`."""
    with _session(destination, timeout_s) as session:
        client = DICOMwebClient(destination.url, session=session)
        client.set_http_retry_params(retry=False)
        sent: list[Sent] = []
        for path, dataset in files:
            if sent and sent[-1].state is SendState.UNREACHABLE:
                sent.append(Sent(path, SendState.UNREACHABLE, sent[-1].reason))
            else:
                sent.append(_store(client, path, dataset, destination))
        return sent


def _session(destination: Destination, timeout_s: float) -> requests.Session:
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Patient(timeout_s))
    session.trust_env = False  # no .netrc, no proxy: credentials and patients go where the user said
    if destination.token:
        session.headers["Authorization"] = f"Bearer {destination.token}"
    elif destination.user:
        session.auth = (destination.user, destination.password)
    return session


def _store(client: DICOMwebClient, path: Path, dataset: Dataset, destination: Destination) -> Sent:
    try:
        answer = client.store_instances([dataset], study_instance_uid=dataset.get("StudyInstanceUID"))
    except requests.HTTPError as error:
        status = 0 if error.response is None else error.response.status_code
        if status in (401, 403):
            reason = f"{destination} wants to know who asks: set {USER} and {PASSWORD}, or {TOKEN}"
            return Sent(path, SendState.UNAUTHORIZED, reason)
        if status in (502, 503, 504):
            return Sent(path, SendState.UNREACHABLE, f"the archive behind {destination} does not answer ({status})")
        return Sent(path, SendState.REFUSED, f"{destination} answered with the status {status}")
    except (requests.ConnectionError, requests.Timeout):
        return Sent(path, SendState.UNREACHABLE, f"nobody answers at {destination}")
    except (requests.RequestException, ValueError) as error:
        return Sent(
            path, SendState.REFUSED, f"{destination} answers, but not as DICOMweb does ({type(error).__name__})"
        )
    failed = answer.get("FailedSOPSequence") or []
    if failed:
        code = failed[0].get("FailureReason", 0)
        return Sent(path, SendState.REFUSED, f"{destination} does not keep it (reason {code:04X}H)")
    kept = {item.ReferencedSOPInstanceUID for item in answer.get("ReferencedSOPSequence") or []}
    if dataset.SOPInstanceUID not in kept:
        return Sent(path, SendState.REFUSED, f"{destination} does not say that it keeps it")
    return Sent(path, SendState.STORED)
