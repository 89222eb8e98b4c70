"""Numbers of one process, in its own registry."""

from __future__ import annotations

import time

from gateway.telemetry import Metrics
from gateway.transactions.queries import QueueState


def test_everything_shows() -> None:
    metrics = Metrics()
    metrics.request("/v1/orders", "POST", 201, 0.003)
    metrics.request("/v1/orders", "POST", 201, 0.003)
    metrics.request("unmatched", "BREW", 404, 0.001)
    metrics.decision("orders", "cloud-eu", "pilot")
    metrics.erp_call("cloud-eu", "submit", "posted", 0.2)
    metrics.relay.published(5, batches=1)
    metrics.relay.recovered(2)
    metrics.relay.republished(1)
    metrics.relay.failed("NatsUnavailable")
    metrics.intake.batch_lines({"accepted": 3, "waiting": 1})
    metrics.intake.messages({"refused": 1, "put_off": 2}, redelivered=2)
    metrics.intake.put_off({"frozen": 2})
    metrics.intake.backlog(3, 4)
    queue = QueueState(jobs=3, oldest_job_s=1.5, events=7, oldest_event_s=0.25, in_doubt=2)
    text = metrics.render(queue).decode()
    for line in (
        'erp_gateway_http_requests_total{method="POST",route="/v1/orders",status="201"} 2.0',
        'erp_gateway_http_requests_total{method="other",route="unmatched",status="404"} 1.0',
        'erp_gateway_http_request_seconds_count{route="/v1/orders"} 2.0',
        'erp_gateway_routing_decisions_total{domain="orders",stage="pilot",system_id="cloud-eu"} 1.0',
        'erp_gateway_erp_calls_total{operation="submit",outcome="posted",system_id="cloud-eu"} 1.0',
        'erp_gateway_erp_call_seconds_count{operation="submit",system_id="cloud-eu"} 1.0',
        "erp_gateway_queue_jobs 3.0",
        "erp_gateway_queue_oldest_job_seconds 1.5",
        "erp_gateway_outbox_events 7.0",
        "erp_gateway_transactions_in_doubt 2.0",
        'erp_gateway_relay_events_total{outcome="published"} 5.0',
        'erp_gateway_relay_events_total{outcome="recovered"} 2.0',
        'erp_gateway_relay_events_total{outcome="republished"} 1.0',
        'erp_gateway_relay_failures_total{reason="NatsUnavailable"} 1.0',
        "erp_gateway_outbox_lag_seconds 0.25",
        'erp_gateway_batch_lines_total{result="accepted"} 3.0',
        'erp_gateway_batch_lines_total{result="waiting"} 1.0',
        'erp_gateway_intake_messages_total{result="refused"} 1.0',
        'erp_gateway_intake_messages_total{result="put_off"} 2.0',
        'erp_gateway_intake_messages_total{result="accepted"} 0.0',
        "erp_gateway_intake_redelivered_total 2.0",
        'erp_gateway_intake_put_off_total{code="frozen"} 2.0',
        'erp_gateway_intake_backlog{state="new"} 3.0',
        'erp_gateway_intake_backlog{state="put_off"} 4.0',
        "erp_gateway_intake_looked_timestamp_seconds 0.0",
        "erp_gateway_store_readable 1.0",
    ):
        assert line in text.splitlines()


def test_when_the_intake_last_looked() -> None:
    metrics = Metrics()
    before = time.time()
    metrics.intake.looked()
    (line,) = (one for one in metrics.render(None).decode().splitlines() if one.startswith("erp_gateway_intake_looked"))
    assert before <= float(line.split()[1]) <= time.time()


def test_without_a_store_the_last_numbers_stand() -> None:
    metrics = Metrics()
    metrics.render(QueueState(jobs=3, oldest_job_s=1.5, events=7, oldest_event_s=0.25))
    text = metrics.render(None).decode().splitlines()
    assert "erp_gateway_store_readable 0.0" in text
    assert "erp_gateway_queue_jobs 3.0" in text


def test_two_gateways_do_not_mix() -> None:
    one, other = Metrics(), Metrics()
    one.decision("orders", "a", "live")
    assert b'system_id="a"' not in other.render(None)


def test_invented_methods_cannot_grow_the_memory() -> None:
    metrics = Metrics()
    for number in range(100):
        metrics.request("unmatched", f"M{number}", 405, 0.0)
    assert metrics.render(None).count(b"erp_gateway_http_requests_total{") == 1
    assert len(metrics._of_request) == 0
