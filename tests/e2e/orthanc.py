"""A real Orthanc with DICOMweb for one test: on 127.0.0.1, on free ports, in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

ORTHANC = shutil.which("Orthanc", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
PLUGINS = next((p for p in (Path("/usr/share/orthanc/plugins"), Path("/usr/lib/orthanc")) if p.is_dir()), None)
AE_TITLE = "ORTHANC"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Orthanc:
    """A running server; `stop` ends it and `start` starts it again on the same ports and files."""

    def __init__(self, folder: Path, users: dict[str, str] | None = None) -> None:
        self.folder, self.http_port, self.dicom_port = folder, free_port(), free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self.users = users
        settings = {
            "Name": "test",
            "StorageDirectory": str(folder / "storage"),
            "IndexDirectory": str(folder / "storage"),
            "HttpPort": self.http_port,
            "DicomPort": self.dicom_port,
            "DicomAet": AE_TITLE,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": users is not None,
            "RegisteredUsers": users or {},
            "DicomAlwaysAllowStore": True,
            "DicomAlwaysAllowEcho": True,
            "DicomCheckCalledAet": False,
            "Plugins": [str(PLUGINS)],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        }
        (folder / "orthanc.json").write_text(json.dumps(settings))
        self._process: subprocess.Popen | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def dicomweb(self) -> str:
        return f"{self.url}/dicom-web"

    def start(self, seconds: float = 120) -> None:
        with (self.folder / "orthanc.log").open("ab") as log:
            self._process = subprocess.Popen(
                [ORTHANC, str(self.folder / "orthanc.json")], stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self.get("/system")
                return
            except urllib.error.HTTPError:
                return  # it answers, and wants a password
            except OSError:
                if self._process.poll() is not None:
                    break
                time.sleep(0.2)
        self.stop()
        raise RuntimeError((self.folder / "orthanc.log").read_text()[-2000:])

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def get(self, path: str):
        with urllib.request.urlopen(f"{self.url}{path}", timeout=30) as answer:
            return json.loads(answer.read())

    def post(self, path: str, content: bytes):
        request = urllib.request.Request(f"{self.url}{path}", data=content)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def store(self, path: Path) -> None:
        self.post("/instances", path.read_bytes())

    def find(self, **query: str) -> list[dict]:
        """Instances by DICOM elements, each with its main tags."""
        asked = {"Level": "Instance", "Query": query, "Expand": True}
        return self.post("/tools/find", json.dumps(asked).encode())

    def __enter__(self) -> Orthanc:
        return self

    def __exit__(self, *_) -> None:
        self.stop()
