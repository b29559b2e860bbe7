"""An app for tests of the label store under load: our store, and a scoring task that writes to it all the time.

The scoring task runs in a process of its own, as MONAI Label runs it. ``LABEL_STORE=stock`` in the environment takes
MONAI Label's own store instead.
"""

from __future__ import annotations

import os
import time

from monailabel.datastore.local import LocalDatastore
from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.tasks.scoring import ScoringMethod

from vertenet.server.store import IMAGE_EXTENSIONS, LABEL_EXTENSION, RadiographStore


class Busy(ScoringMethod):
    """Scores every image again and again, longer than any test lasts. MONAI Label starts it with the server."""

    def __init__(self):
        super().__init__("Writes into the notes of every image")

    def __call__(self, request, datastore):
        ends = time.monotonic() + 900
        rounds = 0
        while time.monotonic() < ends:
            rounds += 1
            for image_id in datastore.list_images():
                datastore.update_image_info(image_id, {"score": rounds})
                time.sleep(0.005)
        return {"rounds": rounds}


class LabelApp(MONAILabelApp):
    def __init__(self, app_dir, studies, conf):
        super().__init__(app_dir, studies, conf, name="labels", description="for tests")

    def init_datastore(self):
        if os.environ.get("LABEL_STORE") == "stock":
            patterns = [f"*{ending}" for ending in (*IMAGE_EXTENSIONS, LABEL_EXTENSION)]
            return LocalDatastore(self.studies, extensions=patterns, auto_reload=True)
        return RadiographStore(self.studies)

    def init_scoring_methods(self):
        return {"busy": Busy()}
