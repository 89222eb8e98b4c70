"""The numbers of one gateway process, in its own Prometheus registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from gateway.telemetry.clock_numbers import ClockNumbers
from gateway.telemetry.exception_numbers import ExceptionNumbers
from gateway.telemetry.intake_numbers import IntakeNumbers
from gateway.telemetry.ledger_numbers import LedgerNumbers
from gateway.telemetry.queue_numbers import Depth, DepthNumbers
from gateway.telemetry.relay_numbers import RelayNumbers

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

_REQUEST_BUCKETS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_CALL_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 150.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class QueueNumbers(Protocol):
    """What waits at the moment of a scrape; ages in seconds."""

    @property
    def jobs(self) -> int: ...
    @property
    def oldest_job_s(self) -> float: ...
    @property
    def events(self) -> int: ...
    @property
    def oldest_event_s(self) -> float: ...
    @property
    def in_doubt(self) -> int: ...
    @property
    def depths(self) -> Sequence[Depth]: ...


class Metrics:
    """Counters and latencies; `relay` is what the relay counts, `exceptions` what stands in front of people, `intake`
    what came in batches and from NATS, `ledger` what goes wrong while the ledger is watched.

    Labels are route templates, rulebook ids and our own words: their number is bounded.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "erp_gateway_http_requests_total",
            "HTTP requests by route template, method and status.",
            ["route", "method", "status"],
            registry=self._registry,
        )
        self._request_seconds = Histogram(
            "erp_gateway_http_request_seconds",
            "Time from the request's head to the end of its answer.",
            ["route"],
            buckets=_REQUEST_BUCKETS,
            registry=self._registry,
        )
        self._decisions = Counter(
            "erp_gateway_routing_decisions_total",
            "Routing decisions by domain, target system and stage.",
            ["domain", "system_id", "stage"],
            registry=self._registry,
        )
        self._calls = Counter(
            "erp_gateway_erp_calls_total",
            "Calls to ERPs by system, operation and outcome.",
            ["system_id", "operation", "outcome"],
            registry=self._registry,
        )
        self._call_seconds = Histogram(
            "erp_gateway_erp_call_seconds",
            "Time that an ERP took, by system and operation.",
            ["system_id", "operation"],
            buckets=_CALL_BUCKETS,
            registry=self._registry,
        )
        self._jobs = self._gauge("queue_jobs", "Transactions that wait to be worked on.")
        self._job_age = self._gauge("queue_oldest_job_seconds", "Age of the oldest of them.")
        self._events = self._gauge("outbox_events", "Events that are not published yet.")
        self._event_age = self._gauge("outbox_lag_seconds", "Age of the oldest of them.")
        self._in_doubt = self._gauge("transactions_in_doubt", "Transactions in doubt, in front of a person.")
        self._readable = self._gauge("store_readable", "Whether queue and outbox could be read at this scrape.")
        self._sound = self._gauge(
            "record_sound", "Whether this process writes to its database: 0 where that is damaged, or another one."
        )
        self._sound.set(1)
        self._findings = Gauge(
            "erp_gateway_sweep_findings",
            "What the last periodic sweep found to stand still for too long, in the process that leads the sweep.",
            ["finding"],
            registry=self._registry,
        )
        self._leads = Gauge(
            "erp_gateway_leads",
            "Whether this process leads a task that one process does for all.",
            ["task"],
            registry=self._registry,
        )
        self._places = Gauge(
            "erp_gateway_erp_places",
            "Operations of this process that may be at a system at once: its share of the system's budget.",
            ["system_id"],
            registry=self._registry,
        )
        self._depths = DepthNumbers(self._registry)
        self.relay = RelayNumbers(self._registry)
        self.exceptions = ExceptionNumbers(self._registry)
        self.intake = IntakeNumbers(self._registry)
        self.clocks = ClockNumbers(self._registry)
        self.ledger = LedgerNumbers(self._registry)
        # labels() takes a lock and builds a tuple each time; these remember its answers.
        self._of_request: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """One request was answered."""
        key = (route, method, status)
        known = self._of_request.get(key)
        if known is None:
            shown = method if method in _METHODS else "other"
            known = (self._requests.labels(route, shown, str(status)), self._request_seconds.labels(route))
            if shown == method:
                self._of_request[key] = known
        counter, histogram = known
        counter.inc()
        histogram.observe(seconds)

    def decision(self, domain: str, system_id: str, stage: str) -> None:
        """A new root was routed."""
        self._decisions.labels(domain, system_id, stage).inc()

    def erp_call(self, system_id: str, operation: str, outcome: str, seconds: float) -> None:
        """A call to an ERP ended, one way or the other."""
        self._calls.labels(system_id, operation, outcome).inc()
        self._call_seconds.labels(system_id, operation).observe(seconds)

    def erp_places(self, system_id: str, places: int) -> None:
        """This process's share of a system's budget is so large now."""
        self._places.labels(system_id).set(places)

    def sweep_findings(self, findings: Mapping[str, int] | None) -> None:
        """How many of each the last sweep found; None: this process sweeps no more."""
        self._findings.clear()
        for finding, count in (findings or {}).items():
            self._findings.labels(finding).set(count)

    def leads(self, task: str, is_led_here: bool) -> None:
        """A task was taken by this process, or given up."""
        self._leads.labels(task).set(1 if is_led_here else 0)

    def watch_record(self, is_sound: Callable[[], bool]) -> None:
        """Ask at each scrape whether the database is still written to."""
        self._sound.set_function(lambda: 1 if is_sound() else 0)

    def render(self, queue: QueueNumbers | None) -> bytes:
        """The exposition text; `queue` is None if the store did not answer, and the last numbers stand."""
        self._readable.set(0 if queue is None else 1)
        if queue is not None:
            self._jobs.set(queue.jobs)
            self._job_age.set(queue.oldest_job_s)
            self._events.set(queue.events)
            self._event_age.set(queue.oldest_event_s)
            self._in_doubt.set(queue.in_doubt)
            self._depths.show(queue.depths)
        return generate_latest(self._registry)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(f"erp_gateway_{name}", meaning, registry=self._registry)
