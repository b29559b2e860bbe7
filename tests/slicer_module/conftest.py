"""One real server for all tests of the module that need one and do not change its model."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from tests.e2e.conftest import our_server
from vertenet import phantom
from vertenet.spine import Spine

#: id: (seed, scanner, file format). Dots, as in a SOPInstanceUID, are the rule in clinics.
IMAGES = {
    "1.2.840.1": (1, "hologic-horizon", "dicom"),
    "lateral": (3, "ge-prodigy-de", "png"),
}


@lru_cache(maxsize=len(IMAGES))
def drawn(name: str) -> phantom.Phantom:
    seed, scanner, _kind = IMAGES[name]
    return phantom.generate(seed, scanner=scanner, difficulty="easy", crop=None)


def truth_of_size(rows: int, columns: int) -> Spine:
    """The landmarks of an image that was drawn here, or is a copy of one."""
    return next(d.truth.spine for d in map(drawn, IMAGES) if d.radiograph.pixels.shape == (rows, columns))


def draw_studies(folder: Path) -> Path:
    for name, (_seed, _scanner, kind) in IMAGES.items():
        phantom.write(drawn(name), folder, format=kind, name=name).with_name(f"{name}.truth.json").unlink()
    return folder


@pytest.fixture(scope="session")
def studies(tmp_path_factory) -> Path:
    """Two drawn images; copy the folder before anything is written into it."""
    return draw_studies(tmp_path_factory.mktemp("drawn") / "studies")


@pytest.fixture(scope="session")
def server_environment(tmp_path_factory) -> dict[str, str]:
    return {"MONAI_LABEL_SESSION_PATH": str(tmp_path_factory.mktemp("sessions")), "OMP_WAIT_POLICY": "PASSIVE"}


@pytest.fixture(scope="session")
def server(tmp_path_factory, studies, server_environment) -> Iterator:
    """`vertenet serve`, shared: a test looks at what it adds."""
    folder = shutil.copytree(studies, tmp_path_factory.mktemp("served") / "studies")
    with our_server(folder, server_environment) as running:
        running.studies = folder
        yield running


def new_image(server) -> str:
    """Another image in the served folder, which nobody has on the desk; its id."""
    image_id = f"image.{uuid.uuid4().hex[:10]}"
    shutil.copyfile(server.studies / "lateral.png", server.studies / f"{image_id}.png")
    return image_id
