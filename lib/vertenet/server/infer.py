"""The inference task: an image file in, landmarks out."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from monailabel.interfaces.tasks.infer_v2 import InferTask, InferType
from starlette.exceptions import HTTPException

from vertenet.errors import VerteNetError
from vertenet.files import sha256_of
from vertenet.inference import Predictor
from vertenet.reading import RESEARCH_USE
from vertenet.spine import CORNERS, STANDARD_LEVELS

from .answer import answer_json, write_markups
from .decoding import decode, fingerprint
from .parameters import DEFAULTS, InferParameters
from .problems import http_error
from .training.versions import ModelVersion, ModelVersions


class _Serving(NamedTuple):
    version: ModelVersion
    predictor: Predictor


class LandmarkInfer(InferTask):
    """Landmarks of T12 to L5, guides and crop of one lateral spine image.

    The type is ``detection``: the one whose ``.json`` results 3D Slicer's MONAI Label client loads as Markups.

    Each request is answered by the version that is served at its start: a newly published one, or an older one after a
    rollback, is loaded by the first request that meets it, with its own refiner and calibration, and no restart.

    Parameters
    ----------
    versions : ModelVersions
        The served one is loaded at the first request, once, whichever thread comes first.
    """

    def __init__(self, versions: ModelVersions) -> None:
        super().__init__(
            type=InferType.DETECTION,
            labels=[level.value for level in STANDARD_LEVELS],
            dimension=2,
            description=f"Four corners of each vertebra T12 to L5 with statuses and confidence. {RESEARCH_USE}",
            config=dict(DEFAULTS),
        )
        self.versions = versions
        self._serving: _Serving | None = None
        self._loading = threading.Lock()

    def is_valid(self) -> bool:
        """Whether there is a weight file; MONAI Label hides a task that is not valid."""
        try:
            return self.versions.current().weights.is_file()
        except VerteNetError:
            return False

    def info(self) -> dict[str, Any]:
        names = [f"{level}-{corner}" for level in STANDARD_LEVELS for corner in CORNERS]
        version = self.versions.current()
        return {
            **super().info(),
            "landmarks": names,
            "model": version.weights.stem,
            "model_version": version.name,
            "model_sha256": version.sha256,
            "notice": RESEARCH_USE,
        }

    def predictor(self) -> Predictor:
        """The served model; raises `ModelError`."""
        return self._now().predictor

    def version(self) -> ModelVersion:
        """The version that the next request is answered by; raises `ModelError`."""
        return self.versions.current()

    def _now(self) -> _Serving:
        serving = self._serving
        if serving is None or serving.version != self.versions.current():
            with self._loading:  # the others wait for it, so that nobody is answered by a version that was replaced
                wanted, serving = self.versions.current(), self._serving
                if serving is None or serving.version != wanted:
                    serving = self._serving = _Serving(wanted, Predictor(wanted.weights))
        return serving

    def __call__(self, request: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Read one image.

        Parameters
        ----------
        request : mapping
            ``image``: path of a file; the rest as in `InferParameters`.

        Returns
        -------
        (str, dict)
            Path of a temporary ``.mrk.json`` and the answer, see `answer_json`, with ``model_version`` beside the hash
            of the weights that is in ``model``, and ``image_sha256`` of the file that was read.

        Raises
        ------
        HTTPException
            4xx with a sentence; also under the stock server, which would make a bare 500 of anything else.
        """
        path = _image_file(request.get("image"))
        try:
            parameters = InferParameters.from_request(request)
            radiograph = decode(path, spacing=parameters.spacing_mm)
            serving = self._now()
            reading = serving.predictor(radiograph, anterior=parameters.anterior, factor=parameters.factor)
            answer = {
                **answer_json(reading, parameters.ignored),
                "model_version": serving.version.name,
                "image_sha256": sha256_of(path),
            }
            return write_markups(reading, radiograph, fingerprint(path)), answer
        except FileNotFoundError as error:
            raise _gone(path) from error
        except VerteNetError as error:
            raise (http_error(error) if path.exists() else _gone(path)) from error
        except MemoryError as error:
            raise HTTPException(422, f"{path.name}: the image does not fit into the server's memory.") from error


def _image_file(image: Any) -> Path:
    # MONAI Label hands an unknown id on as an empty path, and a folder as itself.
    if not isinstance(image, str) or not image:
        raise HTTPException(404, "The image is not in the datastore. GET /datastore/?output=all lists what is.")
    path = Path(image)
    if path.is_dir():
        raise HTTPException(422, f"{path.name} is a folder, but one image file is needed.")
    if not path.is_file():
        raise _gone(path)
    return path


def _gone(path: Path) -> HTTPException:
    return HTTPException(404, f"{path.name} is no longer in the datastore.")
