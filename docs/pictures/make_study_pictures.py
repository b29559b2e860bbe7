"""Make docs/images/agreement.png and docs/images/crop-study.png with the commands that docs/ shows.

Run from anywhere: ``python docs/pictures/make_study_pictures.py``; the crop study takes ten minutes of one core. The
readers are synthetic (`example_readings`) and so are the images (our phantoms).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from example_readings import example_readings

IMAGES = Path(__file__).resolve().parents[1] / "images"


def vertenet(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "vertenet.cli", *arguments], check=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        (out / "readings.csv").write_text(example_readings(), encoding="utf-8")
        vertenet("agreement", str(out / "readings.csv"), "--out", str(out / "agreement"))
        vertenet("crop-study", "--phantoms", "200", "--out", str(out / "crop"))
        shutil.copyfile(out / "agreement" / "kappa.png", IMAGES / "agreement.png")
        shutil.copyfile(out / "crop" / "sweep.png", IMAGES / "crop-study.png")
