"""A small store: two synthetic images with their true landmarks, and labels made from them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from vertenet import phantom
from vertenet.annotation import markups
from vertenet.imaging import read
from vertenet.phantom import Phantom
from vertenet.server.store import RadiographStore
from vertenet.spine import Spine

#: A DICOM file with a spacing and a patient, named as in clinics; and a PNG, whose pixel size nobody knows.
DOTTED, PLAIN = "1.2.840.113", "hologic"


@lru_cache(maxsize=2)
def drawn(image_id: str) -> Phantom:
    seed, scanner = {DOTTED: (0, "ge-prodigy-de"), PLAIN: (1, "hologic-4500a")}[image_id]
    return phantom.generate(seed, scanner=scanner, difficulty="easy")


def truth(image_id: str) -> Spine:
    return drawn(image_id).truth.spine


def write_images(folder: Path) -> Path:
    for image_id, kind in ((DOTTED, "dicom"), (PLAIN, "png")):
        phantom.write(drawn(image_id), folder, format=kind, name=image_id)
    return folder


def make_store(folder: Path, **options) -> RadiographStore:
    return RadiographStore(str(write_images(folder)), auto_reload=False, **options)


def moved(spine: Spine, dx: float, dy: float = 0.0) -> Spine:
    return spine.map_points(lambda xy: xy + np.array([dx, dy]))


def label_text(store: RadiographStore, image_id: str, spine: Spine | None = None, **options) -> str:
    """The Markups file of a spine as the annotator's viewer would write it."""
    path = Path(store.get_image_uri(image_id))
    radiograph = read(path)
    return markups.dumps(
        spine or truth(image_id), radiograph.geometry, image=path.name, size=radiograph.pixels.shape, **options
    )


def submit(store: RadiographStore, image_id: str = PLAIN, who: str = "anna", spine: Spine | None = None, tag="final"):
    return store.submit(image_id, label_text(store, image_id, spine).encode(), tag, {"annotator": who})
