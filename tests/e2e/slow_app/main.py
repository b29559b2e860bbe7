"""A MONAI Label app whose tasks take as long as they are asked to: what a server does meanwhile is the question."""

from __future__ import annotations

import time

from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.tasks.infer_v2 import InferTask, InferType
from monailabel.interfaces.tasks.scoring import ScoringMethod
from monailabel.interfaces.tasks.train import TrainTask
from monailabel.tasks.activelearning.epistemic import Epistemic
from monailabel.tasks.activelearning.random import Random


class Slow(InferTask):
    def __init__(self):
        super().__init__(InferType.OTHERS, labels=[], dimension=2, description="Waits", config={"seconds": 0})

    def is_valid(self):
        return True

    def __call__(self, request):
        seconds = float(request.get("seconds", 0))
        time.sleep(seconds)
        return None, {"waited_s": seconds}


class SlowTraining(TrainTask):
    def __init__(self):
        super().__init__("Waits")

    def config(self):
        return {"seconds": 0}

    def __call__(self, request, datastore):
        time.sleep(float(request.get("seconds", 0)))
        return {}


class NoScores(ScoringMethod):
    def __init__(self):
        super().__init__("Finds nothing to score")

    def __call__(self, request, datastore):
        return {}


class SlowApp(MONAILabelApp):
    def __init__(self, app_dir, studies, conf):
        super().__init__(app_dir, studies, conf, name="slow", description="for tests")

    def init_infers(self):
        return {"slow": Slow()}

    def init_strategies(self):
        return {"random": Random(), "epistemic": Epistemic(k=1)}

    def init_trainers(self):
        return {"slow": SlowTraining()}

    def init_scoring_methods(self):
        # MONAI Label starts a process for them at every turn, so only those tests have them that ask.
        return {"none": NoScores()} if "scoring" in self.conf else {}
