"""Labels lost under load: 8 clients submit while a scoring task writes and the server is killed with SIGKILL.

    python -m benchmarks.label_store --labels 500 --kills 3

The same load goes to this project's store and to MONAI Label's own, each behind the same gateway, so that nothing but
the store differs. A label counts as lost when it was answered 200 and is then absent from the index, the disk or (where
there is one) the history. Where a kill leaves the store so that its server does not start again, the line says so;
``--kills 0`` shows what the scoring task alone does.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.e2e.label_load import make_load, run_load

from vertenet.server.background import BackgroundServer, ServerError

REPOSITORY = Path(__file__).resolve().parents[1]
APP = REPOSITORY / "tests" / "e2e" / "label_app"


def measure(store: str, labels: int, clients: int, kills: int) -> str:
    """One line of the result for a store, "ours" or "stock"."""
    with tempfile.TemporaryDirectory() as folder:
        studies = Path(folder, "studies")
        load = make_load(studies, labels)
        command = [sys.executable, "-m", "vertenet.cli", "serve", "--studies", str(studies), "--port", "0"]
        environment = {
            "LABEL_STORE": store,
            "MONAI_LABEL_SESSION_PATH": str(Path(folder, "sessions")),
            "OMP_WAIT_POLICY": "PASSIVE",
        }
        # MONAI Label writes logs and empty folders into the app that it serves.
        app = shutil.copytree(APP, Path(folder, "app"), ignore=shutil.ignore_patterns("__pycache__", "logs"))
        started = time.monotonic()
        try:
            loss = run_load(
                load,
                lambda: BackgroundServer([*command, "--app", str(app)], environment=environment),
                studies,
                clients=clients,
                kills=kills,
                history=store == "ours",
            )
        except ServerError as error:
            reason = str(error).rstrip(".").splitlines()[-2].strip()
            return f"{store:6s} {len(load.acknowledged):9d} all out of reach: no start after SIGKILL ({reason})"
        spent = time.monotonic() - started
    return (
        f"{store:6s} {len(load.acknowledged):9d} {len(loss.not_in_index):10d} {len(loss.not_on_disk):9d} "
        f"{len(loss.not_in_history):12d} {len(loss.half_written):13d} {loss.total:6d} {spent:8.0f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--labels", type=int, default=500)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--stores", nargs="+", choices=["ours", "stock"], default=["ours", "stock"])
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    print("store   answered  no index   no disk   no history  half-written   lost      time")
    for store in arguments.stores:
        print(measure(store, arguments.labels, arguments.clients, arguments.kills), flush=True)


if __name__ == "__main__":
    main()
