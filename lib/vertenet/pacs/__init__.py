"""DICOM objects to an archive: STOW-RS over HTTP, or C-STORE."""

from .destination import Destination, parse_destination
from .sending import SendState, Sent, send

__all__ = ["Destination", "SendState", "Sent", "parse_destination", "send"]
