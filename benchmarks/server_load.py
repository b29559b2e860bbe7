"""Four clients inferring at once: how long ``/info/`` takes meanwhile, what gets lost, what the server's memory does.

    python -m benchmarks.server_load --inferences 1000

The same load goes to ``vertenet serve`` and, with ``--stock N``, for N inferences to MONAI Label's own server over the
same app. Memory is the resident set of the server's process; the first tenth of the load counts as warming up.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import psutil
from tests.e2e.conftest import APP, IMAGES, make_studies, our_server, stock_server

from vertenet.server.background import BackgroundServer

MIB = 1 << 20


@dataclass(frozen=True)
class Load:
    """What a run gave. Times in milliseconds, memory in MiB at each tenth of the run."""

    idle_ms: np.ndarray
    info_ms: np.ndarray
    answered: int
    lost: int
    seconds: float
    memory_mib: list[float]


def measure(server: BackgroundServer, inferences: int, clients: int) -> Load:
    process = psutil.Process(server.process.pid)
    with httpx.Client(base_url=server.url, trust_env=False, timeout=300) as http:
        http.post("/infer/vertenet?image=hologic&output=json", data={"params": "{}"})  # loads the weights
        idle = [_info_ms(http) for _ in range(40)]
        tickets, answers, memory = itertools.count(), [], []
        workers = [
            threading.Thread(target=_infer, args=(server.url, tickets, inferences, answers)) for _ in range(clients)
        ]
        started = time.perf_counter()
        for worker in workers:
            worker.start()
        times = []
        while any(worker.is_alive() for worker in workers):
            times.append(_info_ms(http))
            if len(answers) * 10 >= len(memory) * inferences:
                memory.append(process.memory_info().rss / MIB)
            time.sleep(0.05)
        seconds = time.perf_counter() - started
        memory.append(process.memory_info().rss / MIB)
    good = answers.count(200)
    return Load(np.array(idle), np.array(times), good, inferences - good, seconds, memory)


def _info_ms(http: httpx.Client) -> float:
    started = time.perf_counter()
    http.get("/info/").raise_for_status()
    return 1000 * (time.perf_counter() - started)


def _infer(url: str, tickets: itertools.count, inferences: int, answers: list[int]) -> None:
    images = list(IMAGES)
    with httpx.Client(base_url=url, trust_env=False, timeout=300) as http:
        while (ticket := next(tickets)) < inferences:
            query = {"image": images[ticket % len(images)], "output": "json"}
            try:
                answers.append(http.post("/infer/vertenet", params=query, data={"params": "{}"}).status_code)
            except httpx.HTTPError:
                answers.append(0)


def show(name: str, load: Load) -> None:
    warm = max(1, len(load.memory_mib) // 10)
    first, last, most = load.memory_mib[warm], load.memory_mib[-1], max(load.memory_mib)
    print(f"{name}: {load.answered} inferences answered, {load.lost} lost, {load.answered / load.seconds:.2f} a second")
    for state, times in (("idle", load.idle_ms), ("under load", load.info_ms)):
        median, p95, worst = np.percentile(times, [50, 95, 100])
        print(
            f"  /info/ {state}: median {median:.0f} ms, p95 {p95:.0f} ms, longest {worst:.0f} ms ({len(times)} asked)"
        )
    print(f"  memory: {first:.0f} MiB when warm, {last:.0f} MiB at the end ({last - first:+.0f}), most {most:.0f}")
    print(f"  by tenths: {' '.join(f'{mib:.0f}' for mib in load.memory_mib)} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inferences", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--stock", type=int, default=0, metavar="N", help="N inferences on MONAI Label's server too")
    options = parser.parse_args()
    print(f"{options.clients} clients, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        environment = {"MONAI_LABEL_SESSION_PATH": str(Path(folder, "sessions")), "OMP_WAIT_POLICY": "PASSIVE"}
        with our_server(make_studies(Path(folder, "ours")), environment) as server:
            ours = measure(server, options.inferences, options.clients)
        show("vertenet serve", ours)
        if options.stock:
            with stock_server(make_studies(Path(folder, "stock")), environment, APP) as server:
                stock = measure(server, options.stock, options.clients)
            show("monailabel start_server", stock)
            ratio = np.percentile(stock.info_ms, 95) / np.percentile(ours.info_ms, 95)
            print(f"p95 of /info/ under load: {ratio:.0f} times longer on MONAI Label's server")


if __name__ == "__main__":
    main()
