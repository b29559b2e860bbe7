"""Real servers as processes of their own, on free loopback ports, each ended exactly when the tests are done.

``ours`` and ``stock`` serve the app; ``slow_ours`` and ``slow_stock`` serve ``slow_app``. They start side by side: most
of a start is importing MONAI Label.
"""

from __future__ import annotations

import shutil
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
APP = REPOSITORY / "apps" / "vertenet"

from vertenet import phantom  # noqa: E402
from vertenet.server.background import BackgroundServer  # noqa: E402 (the app is not an installed package)

#: id in the store: (scanner, file format, name). Dots, as in a SOPInstanceUID, are the rule in clinics.
IMAGES = {
    "hologic": ("hologic-4500a", "png"),
    "1.2.840.113619.2": ("ge-prodigy-de", "dicom"),
    "old.scan": ("hologic-horizon", "jpeg"),
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def make_studies(folder: Path) -> Path:
    for seed, (name, (scanner, kind)) in enumerate(IMAGES.items()):
        phantom.write(phantom.generate(seed, scanner=scanner, difficulty="easy"), folder, format=kind, name=name)
    return folder


def our_server(studies: Path, environment: dict[str, str], app: Path | None = None) -> BackgroundServer:
    command = [sys.executable, "-m", "vertenet.cli", "serve", "--studies", str(studies), "--port", "0"]
    command += ["--app", str(app)] if app else []
    return BackgroundServer(command, environment=environment)


def stock_server(studies: Path, environment: dict[str, str], app: Path) -> BackgroundServer:
    port = free_port()
    command = [sys.executable, "-m", "monailabel.main", "start_server", "--app", str(app), "--studies", str(studies)]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    return BackgroundServer(command, url=f"http://127.0.0.1:{port}", environment=environment)


@contextmanager
def running(servers: dict[str, BackgroundServer]):
    """All of them, started side by side; each is stopped at the end, also where another did not start."""
    with ThreadPoolExecutor(len(servers)) as pool:
        starts = [pool.submit(server.__enter__) for server in servers.values()]
    try:
        for start in starts:
            start.result()
        yield
    finally:
        for server, start in zip(servers.values(), starts):
            if start.exception() is None:
                server.stop()


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """For servers: sessions in a folder of the tests', and threads that do not spin while others want the processor."""
    return {"MONAI_LABEL_SESSION_PATH": str(tmp_path_factory.mktemp("sessions")), "OMP_WAIT_POLICY": "PASSIVE"}


@pytest.fixture(scope="session")
def servers(tmp_path_factory, environment):
    """name to `BackgroundServer`; each has ``studies``, its folder of images."""
    folder = tmp_path_factory.mktemp("servers")
    ignore = shutil.ignore_patterns("__pycache__", "logs")
    # MONAI Label writes logs and empty folders into the app that it serves.
    app = shutil.copytree(APP, folder / "app", ignore=ignore)
    slow = shutil.copytree(Path(__file__).with_name("slow_app"), folder / "slow_app", ignore=ignore)
    images = make_studies(folder / "images")
    studies = {n: shutil.copytree(images, folder / n) for n in ("ours", "stock", "slow_ours", "slow_stock")}
    servers = {
        "ours": our_server(studies["ours"], environment),
        "stock": stock_server(studies["stock"], environment, app),
        "slow_ours": our_server(studies["slow_ours"], environment, slow),
        "slow_stock": stock_server(studies["slow_stock"], environment, slow),
    }
    for name, server in servers.items():
        server.studies = studies[name]
    with running(servers):
        yield servers


@pytest.fixture(params=["ours", "stock"])
def server(request, servers):
    """Each of the two servers over the real app."""
    return servers[request.param]


@pytest.fixture
def ours(servers):
    return servers["ours"]
