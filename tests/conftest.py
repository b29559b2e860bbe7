"""Settings for every test."""

import os

from hypothesis import settings

# Before torch is loaded, here and in every process that a test starts; see vertenet.cli.main.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# The same examples every time, so that a landing does not hang on a draw; HYPOTHESIS_PROFILE=default searches anew.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
