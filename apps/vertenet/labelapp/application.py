"""The app that MONAI Label loads: which tasks it offers, and over which store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from monailabel.config import settings
from monailabel.interfaces.app import MONAILabelApp
from monailabel.tasks.activelearning.first import First

from vertenet import __version__
from vertenet.networks import find_weights
from vertenet.reading import RESEARCH_USE

from .datastore import RadiographStore
from .infer import LandmarkInfer
from .strategy import LeastRecentlyOffered

DEFAULT_MODEL = "vertenet-lite"


class VerteNetApp(MONAILabelApp):
    """VerteNet as a MONAI Label app.

    Parameters
    ----------
    app_dir, studies : str
        This folder, and the folder of images (or the address of a remote store, which MONAI Label then handles).
    conf : mapping of str to str
        ``--conf`` pairs of the command line. ``model`` is the path of a weight file, or a name in the app's ``model``
        folder; `DEFAULT_MODEL` otherwise.
    """

    def __init__(self, app_dir: str, studies: str, conf: Mapping[str, str]) -> None:
        super().__init__(
            app_dir=app_dir,
            studies=studies,
            conf=dict(conf or {}),
            name="VerteNet",
            description=f"Vertebral landmarks T12-L5, intervertebral guides and aorta crop warning. {RESEARCH_USE}",
            version=__version__,
        )

    def init_datastore(self):
        if self.studies.startswith(("http://", "https://")):
            return super().init_datastore()
        return RadiographStore(
            self.studies,
            auto_reload=settings.MONAI_LABEL_DATASTORE_AUTO_RELOAD,
            read_only=settings.MONAI_LABEL_DATASTORE_READ_ONLY,
        )

    def init_infers(self):
        return {"vertenet": LandmarkInfer(find_model(self.conf.get("model", DEFAULT_MODEL), Path(self.app_dir)))}

    def init_strategies(self):
        return {"random": LeastRecentlyOffered(), "first": First()}


def find_model(model: str, app_dir: Path) -> Path:
    """The weight file of a path or name; a name is looked for in the app's ``model`` folder, then where weights ship.

    Raises
    ------
    ModelError
        There is none. A server without its model is of no use, so it does not start.
    """
    inside = app_dir / "model" / f"{model}.safetensors"
    return inside if inside.is_file() else find_weights(model)
