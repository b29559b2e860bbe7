"""Commands for results: report and send."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Optional

import typer

from ..errors import OptionError
from ..reading import RESEARCH_USE, Reading
from .common import OutFolder, app, check_positive, complain, say


@app.command()
def report(
    image: Annotated[Path, typer.Argument(help="The image.")],
    reading: Annotated[Path, typer.Argument(help="Its reading: .reading.json or .sr.dcm.")],
    out: OutFolder,
    prior: Annotated[
        Optional[Path], typer.Option(help="An earlier reading of the same person, shown beside it.")
    ] = None,
    dicom: Annotated[bool, typer.Option("--dicom", help="Also write .sr.dcm and .gsps.dcm of the reading.")] = False,
    verify: Annotated[
        str, typer.Option(help="Organization of the reader who answers for the result: it is then VERIFIED.")
    ] = "",
) -> None:
    """One page (HTML, prints to PDF) and plain text of a reading, whoever made or corrected it."""
    from ..filenames import stem_of
    from ..imaging import read
    from ..report.reading_page import write_reading_page

    if verify and not dicom:
        raise OptionError("--verify is for DICOM results", remedy="Give --dicom as well")
    found = _reading(reading)
    radiograph = read(image)
    if (found.image.rows, found.image.columns) != (radiograph.rows, radiograph.columns):
        raise OptionError(
            f"the reading is of {found.image.columns} x {found.image.rows} pixels, "
            f"but the image has {radiograph.columns} x {radiograph.rows}",
            subject=reading,
        )
    if found.image.sha256 not in (None, hashlib.sha256(radiograph.pixels.tobytes()).hexdigest()):
        raise OptionError(
            "the reading was made on other pixels than those of the image",
            subject=reading,
            remedy="Give the image that it is of",
        )
    written = [*write_reading_page(radiograph, found, out, stem_of(image.name), _reading(prior))]
    if dicom:
        from ..report.dicom import write_dicom_results

        written += write_dicom_results(image, found, out, stem_of(image.name), organization=verify)
    say(f"Written: {', '.join(map(str, written))}. {RESEARCH_USE}")


@app.command()
def send(
    files: Annotated[list[Path], typer.Argument(help="DICOM files, such as .sr.dcm and .gsps.dcm.")],
    to: Annotated[str, typer.Option("--to", help="https://pacs/dicom-web (STOW-RS), or AETITLE@host:port (C-STORE).")],
    timeout: Annotated[float, typer.Option(help="Seconds that the archive may be silent.")] = 30.0,
) -> None:
    """Send results to an archive; who asks is said in VERTENET_PACS_USER and _PASSWORD, or _TOKEN."""
    check_positive("--timeout", timeout)
    from ..pacs import SendState, parse_destination
    from ..pacs import send as send_files

    destination = parse_destination(to)
    sent = send_files(files, destination, timeout_s=timeout)
    failed = [one for one in sent if one.state is not SendState.STORED]
    for one in failed:
        complain(f"{one.path}: {one.state}: {one.reason}.")
    say(f"{len(sent) - len(failed)} of {len(sent)} files are stored at {destination}.")
    if failed:
        complain("The others are where they were: send them again, which stores nothing twice.")
        raise typer.Exit(2)


def _reading(path: Path | None) -> Reading | None:
    if path is None:
        return None
    if path.suffix.lower() == ".dcm":
        from ..report.dicom import read_report

        return read_report(path)
    return Reading.load(path)
