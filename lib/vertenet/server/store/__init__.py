"""Images, labels and their history. One transaction is one commit point: an answered label is on the disk."""

from .datastore import RadiographStore
from .history import Revision
from .labels import FinalLabel
from .names import CONSENSUS, FINAL, IMAGE_EXTENSIONS, LABEL_EXTENSION, ORIGINAL, REVIEWED
from .takeover import INDEX, ImportReport

__all__ = [
    "CONSENSUS",
    "FINAL",
    "IMAGE_EXTENSIONS",
    "INDEX",
    "LABEL_EXTENSION",
    "ORIGINAL",
    "REVIEWED",
    "FinalLabel",
    "ImportReport",
    "RadiographStore",
    "Revision",
]
