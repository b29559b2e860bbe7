"""What Prometheus may ask: how many requests, how long they took, how full the queue is."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from vertenet import __version__

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The numbers of one server; labels are routes, never ids of images."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        Gauge("vertenet_info", "Version", ["version"], registry=registry).labels(__version__).set(1)
        self.requests = Counter("vertenet_requests", "Answers", ["route", "status"], registry=registry)
        self.seconds = Histogram(
            "vertenet_request_seconds", "From request to answer", ["route"], buckets=SECONDS, registry=registry
        )
        self.refused = Counter("vertenet_refused", "Requests without a valid token or role", registry=registry)
        self.running = Gauge("vertenet_inferences_running", "Inferences that run", registry=registry)
        self.waiting = Gauge("vertenet_inferences_waiting", "Inferences that wait", registry=registry)
        self.turned_away = Counter(
            "vertenet_inferences_turned_away", "Inferences that found no place", registry=registry
        )
        self.inference_seconds = Histogram(
            "vertenet_inference_seconds",
            "From the start of an inference to its end",
            buckets=SECONDS,
            registry=registry,
        )

    def text(self) -> bytes:
        """All of them in Prometheus's text format 0.0.4."""
        return generate_latest(self.registry)
