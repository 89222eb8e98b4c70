"""One trace from the caller's request over the ERP call to the event."""

from __future__ import annotations

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gateway.messaging.spans import publish_spans
from gateway.store.store import Store
from tests.line.rig import Rig, order

CALLERS_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


async def test_request_erp_call_and_event_share_the_caller_s_trace(store: Store):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    rig = await Rig.on(store, tracer=tracer)
    answer = await rig.send(order(), wait_s=5.0, traceparent=f"00-{CALLERS_TRACE}-00f067aa0ba902b7-01")
    assert answer.transaction.trace_id == CALLERS_TRACE
    events = [event for event in await store.outbox.pending(100) if event.lineage_id == answer.transaction.lineage_id]
    publish_spans(tracer, events, rig.clock.now())
    provider.shutdown()
    spans = [span for span in exporter.get_finished_spans() if span.context.trace_id == int(CALLERS_TRACE, 16)]
    names = [span.name for span in spans]
    assert names.count("erp.submit") == 1
    assert names.count("event.publish") == len(events) >= 5
    submit = next(span for span in spans if span.name == "erp.submit")
    assert submit.attributes["erp.outcome"] == "posted"
    assert submit.attributes["gateway.transaction"] == answer.transaction.transaction_id


async def test_an_event_without_a_trace_makes_no_span(store: Store):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    rig = await Rig.on(store)
    events = [event for event in await rig.store.outbox.pending(10) if not event.traceparent]
    assert events
    publish_spans(provider.get_tracer("test"), events, rig.clock.now())
    publish_spans(None, events, rig.clock.now())
    provider.shutdown()
    assert exporter.get_finished_spans() == ()
