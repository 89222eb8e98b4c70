"""Spans of the line, in the trace of the request that began the transaction, also when a later process goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags, Tracer

from gateway.domain.records import TransactionRecord


@contextmanager
def span_of(tracer: Tracer, record: TransactionRecord, name: str) -> Iterator[Span]:
    """A span that is current while the block runs.

    Its parent is the span under way if that belongs to the transaction's trace; else the trace alone, with the
    transaction's first half as the parent's id, because the request's own span is long gone.
    """
    current = trace.get_current_span().get_span_context()
    trace_id = int(record.trace_id, 16)
    context = None
    if current.trace_id != trace_id:
        parent = SpanContext(trace_id, trace_id >> 64 or 1, is_remote=True, trace_flags=TraceFlags(1))
        context = trace.set_span_in_context(NonRecordingSpan(parent))
    with tracer.start_as_current_span(
        name, context=context, kind=SpanKind.INTERNAL, record_exception=False, set_status_on_exception=False
    ) as span:
        span.set_attribute("gateway.transaction", record.transaction_id)
        yield span
