"""DICOM objects to an archive: STOW-RS over HTTP, or C-STORE."""

from .destination import Destination, parse_destination
from .outcome import SendState, Sent
from .sending import send

__all__ = ["Destination", "SendState", "Sent", "parse_destination", "send"]
