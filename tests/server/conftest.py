from __future__ import annotations

import sys
from pathlib import Path

APP = Path(__file__).resolve().parents[2] / "apps" / "vertenet"
# MONAI Label puts the app's folder on the path in the same way.
sys.path.insert(0, str(APP))
