"""Make the sample cases again, to the byte: ``python sample_data/make.py``. Synthetic images only."""

from __future__ import annotations

from pathlib import Path

from vertenet.phantom import generate, write

#: name: (seed, scanner, difficulty, forced switches, how it is written)
PLAIN = {
    "crop": None,
    "blanking": None,
    "fracture": (),
    "clipped_top": False,
    "clipped_bottom": False,
    "bits": 8,
    "lstv": "none",
}
CASES = {
    "01-clean-horizon": (11, "hologic-horizon", "easy", {}, {}),
    "02-clean-4500a-dicom": (12, "hologic-4500a", "easy", {"bits": 12}, {"format": "dicom"}),
    "03-dual-energy-prodigy": (13, "ge-prodigy-de", "default", {}, {}),
    "04-fracture-L1-wedge": (14, "hologic-horizon", "default", {"fracture": (("L1", "wedge", 2),)}, {}),
    "05-cropped-black": (15, "hologic-horizon", "default", {"crop": "black"}, {}),
    "06-cropped-white": (16, "ge-prodigy-se", "default", {"crop": "white"}, {}),
    "07-cropped-border": (17, "hologic-4500a", "default", {"crop": "border"}, {}),
    "08-scoliosis": (18, "ge-prodigy-de", "default", {"scoliosis": 14.0, "rotation": 8.0}, {}),
    "09-gas-jpeg": (19, "hologic-horizon", "default", {"gas": 0.9, "jpeg": 85}, {"format": "jpeg"}),
    "10-facing-left": (20, "hologic-horizon", "default", {"anterior": "left"}, {}),
    "11-monochrome1-dicom": (21, "ge-prodigy-se", "default", {"monochrome1": True}, {"format": "dicom"}),
    "12-aac-osteophytes-hard": (22, "hologic-horizon", "hard", {"aac": 14, "osteophytes": 0.8}, {}),
}


def main() -> None:
    folder = Path(__file__).parent
    for name, (seed, scanner, difficulty, switches, how) in CASES.items():
        phantom = generate(seed, scanner=scanner, difficulty=difficulty, **{**PLAIN, **switches})
        print(write(phantom, folder, name=name, **how).name)


if __name__ == "__main__":
    main()
