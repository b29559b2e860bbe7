"""Entry point of the MONAI Label app: ``monailabel start_server --app apps/vertenet --studies DIR``.

MONAI Label looks in this file for the class that derives directly from ``MONAILabelApp``.
"""

from vertenet.server.application import VerteNetApp

__all__ = ["VerteNetApp"]
