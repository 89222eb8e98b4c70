"""What the gateway tells about itself: log lines, spans, numbers."""

from gateway.telemetry.logs import configure_logs, trace_of_log_lines
from gateway.telemetry.metrics import Metrics, QueueNumbers
from gateway.telemetry.trace_context import TraceContext, fresh_trace, parse_traceparent
from gateway.telemetry.tracing import Tracing, start_tracing

__all__ = [
    "Metrics",
    "QueueNumbers",
    "TraceContext",
    "Tracing",
    "configure_logs",
    "fresh_trace",
    "parse_traceparent",
    "start_tracing",
    "trace_of_log_lines",
]
