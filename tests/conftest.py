"""Settings for every test."""

import os

# Before torch is loaded, here and in every process that a test starts; see vertenet.cli.main.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
