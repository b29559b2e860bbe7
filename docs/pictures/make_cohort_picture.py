"""Make docs/images/cohort.png: the page of a cohort of phantoms of several scanners, in headless Chromium.

Run from anywhere: ``python docs/pictures/make_cohort_picture.py``; needs ``chromium`` and some minutes of one core.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PICTURE = Path(__file__).resolve().parents[1] / "images" / "cohort.png"
SCANNERS = ("hologic-horizon", "ge-prodigy-de", "hologic-4500a")


def main() -> None:
    from vertenet.phantom import generate, write

    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        sys.exit("chromium is not installed")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for number in range(6):
            scanner = SCANNERS[number % len(SCANNERS)]
            phantom = generate(700 + number, scanner=scanner, difficulty="easy" if number < 4 else "hard")
            write(phantom, home / "scans" / scanner, format="dicom", name=f"1.2.840.{700 + number}")
        (home / "scans" / "broken.dcm").write_bytes(b"no image")
        vertenet = [sys.executable, "-m", "vertenet.cli"]
        subprocess.run([*vertenet, "cohort", "scans", "--out", "study"], check=True, cwd=home)
        written = home / "study" / "index.html"
        written.write_text(written.read_text(encoding="utf-8").replace(str(home), "/data"), encoding="utf-8")
        size = ["--window-size=1280,1500", "--force-device-scale-factor=1", "--hide-scrollbars"]
        command = [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            *size,
            f"--screenshot={home / 'page.png'}",
            written.as_uri(),
        ]
        subprocess.run(command, check=True, timeout=300)
        shutil.copyfile(home / "page.png", PICTURE)


if __name__ == "__main__":
    main()
