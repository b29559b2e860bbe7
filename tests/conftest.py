"""Settings for every test."""

import os
import tempfile

from hypothesis import settings

# Before torch is loaded, here and in every process that a test starts; see vertenet.cli.main.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Graphs that whoever runs the tests has made must not decide what reads their images: torch does, unless one is named.
os.environ["VERTENET_CACHE"] = os.path.join(tempfile.gettempdir(), f"vertenet-tests-{os.getpid()}")

# The same examples every time and no clock, so that a landing hangs neither on a draw nor on what else is running;
# HYPOTHESIS_PROFILE=default searches anew.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
