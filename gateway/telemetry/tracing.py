"""OpenTelemetry spans, exported only where a setting says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from opentelemetry.trace import Tracer


@dataclass(frozen=True, slots=True)
class Tracing:
    """`tracer` is None where nothing is exported: a span that nobody reads costs 30 µs all the same."""

    tracer: Tracer | None
    shutdown: Callable[[], None]


def start_tracing(gateway_name: str, process_id: str, otlp_endpoint: str | None) -> Tracing:
    """Spans to an OTLP/HTTP collector at `otlp_endpoint` (the whole address, `/v1/traces` included).

    The provider is handed on, not made global, so that two gateways in one process keep apart.
    """
    if not otlp_endpoint:
        return Tracing(None, lambda: None)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - 4 MB, where spans are read by nobody
    from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(
        resource=Resource.create(
            {SERVICE_NAME: "erp-gateway", SERVICE_INSTANCE_ID: process_id, "gateway.name": gateway_name}
        )
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=otlp_endpoint, timeout=5)))
    return Tracing(provider.get_tracer("gateway"), provider.shutdown)
