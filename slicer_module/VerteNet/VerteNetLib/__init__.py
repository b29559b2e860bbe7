"""What the VerteNet module is made of: a client and a session without Slicer, MRML logic, and one widget a panel."""

from .core import put_core_on_path

put_core_on_path()
