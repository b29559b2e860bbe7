"""A MONAI Label app whose only task takes as long as it is asked to: what a server does meanwhile is the question."""

from __future__ import annotations

import time

from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.tasks.infer_v2 import InferTask, InferType


class Slow(InferTask):
    def __init__(self):
        super().__init__(InferType.OTHERS, labels=[], dimension=2, description="Waits")

    def is_valid(self):
        return True

    def __call__(self, request):
        time.sleep(float(request["seconds"]))
        return None, {"waited_s": float(request["seconds"])}


class SlowApp(MONAILabelApp):
    def __init__(self, app_dir, studies, conf):
        super().__init__(app_dir, studies, conf, name="slow", description="for tests")

    def init_infers(self):
        return {"slow": Slow()}
