"""Images are decoded one after the other, whichever request asks.

An image of the largest size takes a few hundred megabytes while it is decoded, and forty threads answer requests. What
is decoded lies in the processor's way for less than a second; what waits for it costs nothing.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from vertenet.imaging import read
from vertenet.imaging.fingerprint import pixels_sha256
from vertenet.radiograph import Radiograph

_turn = threading.Lock()


def decode(path: Path, **options: Any) -> Radiograph:
    """`vertenet.imaging.read`, when no other thread of this process decodes."""
    with _turn:
        return read(path, **options)


def fingerprint(path: Path) -> str:
    """`pixels_sha256`, in the same turn: of a deflated file all is unpacked for it."""
    with _turn:
        return pixels_sha256(path)
