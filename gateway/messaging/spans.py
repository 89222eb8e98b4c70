"""The last span of a trace: from the commit of an event to the stream's acknowledgement."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags, Tracer, set_span_in_context

from gateway.domain.records import OutboxRecord

_NS_PER_US = 1_000


def publish_spans(tracer: Tracer | None, events: Sequence[OutboxRecord], acknowledged_at: int) -> None:
    """One finished span per event, in the trace that its `traceparent` names; `acknowledged_at` in µs.

    Made after the fact, because events of one batch are acknowledged as one, and nothing is published for a span.
    """
    if tracer is None:
        return
    for event in events:
        parts = event.traceparent.split("-")
        if len(parts) != 4:
            continue
        parent = SpanContext(int(parts[1], 16), int(parts[2], 16), is_remote=True, trace_flags=TraceFlags(1))
        span = tracer.start_span(
            "event.publish",
            context=set_span_in_context(NonRecordingSpan(parent)),
            kind=SpanKind.PRODUCER,
            start_time=event.created_at * _NS_PER_US,
            attributes={"messaging.destination.name": event.subject, "messaging.message.id": event.event_id},
        )
        span.end(acknowledged_at * _NS_PER_US)
