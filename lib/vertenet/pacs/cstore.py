"""C-STORE (PS3.4, annex B) over one association."""

from __future__ import annotations

from pathlib import Path

from pydicom.dataset import Dataset
from pynetdicom import AE

from .destination import Destination
from .outcome import SendState, Sent

#: Our own application entity title.
TITLE = "VERTENET"


def store(files: list[tuple[Path, Dataset]], destination: Destination, timeout_s: float) -> list[Sent]:
    """See `vertenet.pacs.send`."""
    entity = AE(TITLE)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = entity.connection_timeout = timeout_s
    for kind, syntax in sorted({(d.SOPClassUID, d.file_meta.TransferSyntaxUID) for _, d in files}):
        entity.add_requested_context(kind, syntax)
    association = entity.associate(destination.host, destination.port, ae_title=destination.title)
    if not association.is_established:
        rejected = association.is_rejected
        state = SendState.REFUSED if rejected else SendState.UNREACHABLE
        reason = (
            f"{destination} does not accept {TITLE}: its archive must know this application entity"
            if rejected
            else f"nobody answers at {destination}"
        )
        return [Sent(path, state, reason) for path, _ in files]
    try:
        return [_store(association, path, dataset, destination) for path, dataset in files]
    finally:
        if association.is_established:
            association.release()


def _store(association, path: Path, dataset: Dataset, destination: Destination) -> Sent:
    if not association.is_established:
        return Sent(path, SendState.UNREACHABLE, f"{destination} ended the association")
    try:
        status = association.send_c_store(dataset)
    except ValueError:  # no presentation context was accepted for it
        return Sent(path, SendState.REFUSED, f"{destination} does not take {dataset.SOPClassUID.name}")
    if "Status" not in status:
        return Sent(path, SendState.UNREACHABLE, f"{destination} ended the association")
    # B000H to BFFFH are warnings: it is kept (PS3.4, table B.2-1).
    if status.Status == 0 or 0xB000 <= status.Status <= 0xBFFF:
        return Sent(path, SendState.STORED)
    return Sent(path, SendState.REFUSED, f"{destination} does not keep it (status {status.Status:04X}H)")
