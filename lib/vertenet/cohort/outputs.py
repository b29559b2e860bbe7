"""The files of one image's results: Markups, reading, overlay."""

from __future__ import annotations

from pathlib import Path

from ..annotation import markups
from ..files import write_bytes
from ..radiograph import Radiograph
from ..reading import Reading
from ..report.overlay import overlay_png


def result_files(
    radiograph: Radiograph, reading: Reading, *, pixels: str | None = None, overlay: bool = True
) -> dict[str, bytes]:
    """Their content by ending: ``.mrk.json`` (Slicer Markups), ``.reading.json``, ``.overlay.png``.

    ``pixels`` is the hash of the image's pixels, `vertenet.imaging.fingerprint`.
    """
    size = (radiograph.rows, radiograph.columns)
    text = markups.dumps(reading.spine, radiograph.geometry, image=radiograph.name, size=size, pixels_sha256=pixels)
    files = {".mrk.json": text.encode("utf-8"), ".reading.json": reading.to_json().encode("utf-8")}
    if overlay:
        files[".overlay.png"] = overlay_png(radiograph.with_anterior(reading.spine.anterior), reading)
    return files


def write_results(radiograph: Radiograph, reading: Reading, out: Path, stem: str, pixels: str | None = None) -> None:
    """Write them as ``<out>/<stem><ending>``, each all or nothing."""
    for ending, content in result_files(radiograph, reading, pixels=pixels).items():
        write_bytes(out / f"{stem}{ending}", content)
