"""What the service measures, in the form that Prometheus reads: requests, learnwares, accounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from beimingwu.learnware.record import State
from beimingwu.server.service import Service

#: The states of learnwares that there is something to count of.
STATES = tuple(state for state in get_args(State) if state != "deleted")
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class Metrics:
    """The measurements of one application."""

    def __init__(self, service: Service) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._registry.register(_Holdings(service))
        self._requests = Counter(
            "beimingwu_requests",
            "Requests that were answered.",
            ("operation", "method", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "beimingwu_request_seconds",
            "How long an answer took, to its last byte.",
            ("operation",),
            buckets=_SECONDS,
            registry=self._registry,
        )

    def request(self, operation: str, method: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(operation, method, str(status)).inc()
        self._seconds.labels(operation).observe(seconds)

    def text(self) -> bytes:
        """Return all measurements in Prometheus' text format."""
        return generate_latest(self._registry)


class _Holdings(Collector):
    """What the dock holds, asked when somebody reads the measurements."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def describe(self) -> list[Metric]:
        """Name nothing: asking for the holdings while the service starts would cost it time."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Count."""
        learnwares = GaugeMetricFamily(
            "beimingwu_learnwares", "Learnwares in each state.", labels=["state"]
        )
        for state in STATES:
            learnwares.add_metric([state], self._service.dock.count(state=state))
        yield learnwares
        accounts = GaugeMetricFamily(
            "beimingwu_accounts", "Accounts in each state.", labels=["state"]
        )
        for state, count in self._service.accounts.people.counts().items():
            accounts.add_metric([state], count)
        yield accounts
        used = CounterMetricFamily(
            "beimingwu_used", "How often the dock was used, by all servers.", labels=["kind"]
        )
        for kind, count in self._service.accounts.tallies.totals().items():
            used.add_metric([kind], count)
        yield used
