"""What watches the gateway: alert rules, dashboard, and the series that a scrape of the gateway brings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from gateway.domain.exceptions import OpenExceptions
from gateway.domain.queries import QueueDepth
from gateway.telemetry import Metrics

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
GROUPS: list[dict[str, Any]] = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))[
    "groups"
]
ALERTS: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboards" / "gateway.json").read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
OF_A_TARGET = frozenset({"instance", "job"})
"""Labels that Prometheus adds to every series of a target."""


@dataclass
class Queue:
    """Something waits, so that every gauge is set."""

    jobs: int = 1
    oldest_job_s: float = 1.0
    events: int = 1
    oldest_event_s: float = 1.0
    in_doubt: int = 1
    depths: Sequence[QueueDepth] = (QueueDepth("bulk", "legacy-main", 1, 1, 1, 1, 1.0, 1.0),)


def _series() -> dict[str, frozenset[str]]:
    """Labels by the name of a sample, as Prometheus would store them after a scrape."""
    metrics = Metrics()
    metrics.request("/v1/orders", "POST", 201, 0.1)
    metrics.decision("orders", "legacy-main", "live")
    metrics.erp_call("legacy-main", "submit", "posted", 0.1)
    metrics.relay.failed("NatsUnavailable")
    metrics.exceptions.show([OpenExceptions("stuck", "treasury-team", 1, 0)], 1)
    metrics.sweep_findings({"job-missing": 1})
    metrics.intake.batch_lines({"waiting": 1})
    metrics.ledger.contradicted("witness.example/w1")
    metrics.intake.messages({"put_off": 1}, redelivered=1)
    metrics.intake.put_off({"frozen": 1})
    metrics.intake.looked()
    metrics.intake.backlog(1, 1)
    families = text_string_to_metric_families(metrics.render(Queue()).decode())
    found = {sample.name: OF_A_TARGET | set(sample.labels) for family in families for sample in family.samples}
    return {**found, "up": OF_A_TARGET}


SERIES = _series()
