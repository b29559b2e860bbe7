"""OHIF from its npm package, served on 127.0.0.1 with an Orthanc behind the same origin."""

from __future__ import annotations

import os
import subprocess
import tarfile
import threading
import urllib.error
import urllib.request
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

VERSION = "3.13.2"
CONFIGURATION = """
window.config = {
  routerBasename: null, extensions: [], modes: [], showStudyList: true, maxNumberOfWebWorkers: 2,
  showWarningMessageForCrossOrigin: false, showCPUFallbackMessage: false, showLoadingIndicator: true,
  strictZSpacingForVolumeViewport: true, investigationalUseDialog: {option: 'never'}, defaultDataSourceName: 'dicomweb',
  dataSources: [{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb', sourceName: 'dicomweb',
    configuration: {
      friendlyName: 'Orthanc', name: 'orthanc', wadoUriRoot: '/wado', qidoRoot: '/dicom-web', wadoRoot: '/dicom-web',
      qidoSupportsIncludeField: false, imageRendering: 'wadors', thumbnailRendering: 'wadors',
      enableStudyLazyLoad: true, supportsFuzzyMatching: false, supportsWildcard: true,
      omitQuotationForMultipartRequest: true,
    },
  }],
};
"""


def package(folder: Path) -> Path:
    """The folder of the built viewer, downloaded from the npm registry (50 MB) unless it is there.

    ``VERTENET_OHIF`` names one that is already unpacked.
    """
    if os.environ.get("VERTENET_OHIF"):
        return Path(os.environ["VERTENET_OHIF"])
    built = folder / f"ohif-{VERSION}" / "package" / "dist"
    if not built.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", f"@ohif/app@{VERSION}", "--silent"]
        name = subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True, timeout=600
        ).stdout.strip()
        with tarfile.open(folder / name.splitlines()[-1]) as archive:
            archive.extractall(built.parents[1], filter="data")
    return built


class Viewer:
    """The viewer's web server; ``url`` is where it answers."""

    def __init__(self, built: Path, dicomweb: str) -> None:
        base = dicomweb.rsplit("/dicom-web", 1)[0]

        class Handler(SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def __init__(self, *arguments, **options) -> None:
                super().__init__(*arguments, directory=str(built), **options)

            def end_headers(self) -> None:
                self.send_header("Cross-Origin-Opener-Policy", "same-origin")
                self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
                super().end_headers()

            def do_GET(self) -> None:
                path = self.path.split("?")[0]
                if path.startswith(("/dicom-web", "/wado")):
                    self._forward()
                elif path == "/app-config.js":
                    self._answer(200, "text/javascript", CONFIGURATION.encode())
                elif (built / path.lstrip("/")).is_file():
                    super().do_GET()
                else:
                    self._answer(200, "text/html", (built / "index.html").read_bytes())

            def _forward(self) -> None:
                request = urllib.request.Request(
                    base + self.path, headers={"Accept": self.headers.get("Accept", "*/*")}
                )
                try:
                    with urllib.request.urlopen(request, timeout=60) as answer:
                        self._answer(answer.status, answer.headers["Content-Type"], answer.read())
                except urllib.error.HTTPError as error:
                    self._answer(error.code, "text/plain", error.read())

            def _answer(self, status: int, kind: str, content: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind or "application/octet-stream")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Viewer:
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()
