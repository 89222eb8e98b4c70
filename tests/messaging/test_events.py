"""Subjects and CloudEvents, without a socket."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.events import (
    CONTROL_KINDS,
    EVENT_LIMIT_BYTES,
    EventTooLarge,
    InvalidEvent,
    control_event,
    control_subject,
    sequence_text,
    status_event,
    status_subject,
)
from gateway.domain.records import OutboxRecord
from gateway.domain.transaction import Status
from gateway.domain.wire import transaction_wire
from tests.messaging.outbox import TRACEPARENT, transaction

pytestmark = pytest.mark.disable_socket

AT = 1_795_460_280_000_001
REQUIRED = {"specversion", "id", "source", "type"}
OPTIONAL = {"subject", "time", "datacontenttype"}
EXTENSIONS = {"lineageid", "sequence", "traceparent"}


def build(**changes: object) -> OutboxRecord:
    arguments: dict[str, object] = {
        "kind": "posted",
        "event_id": "ev_1",
        "sequence": 7,
        "at": AT,
        "gateway_name": "eu-1",
        "traceparent": TRACEPARENT,
        "external_reference": "0123456789ABCDEF",
        **changes,
    }
    return status_event(arguments.pop("record", transaction("lin_1")), **arguments)  # type: ignore[arg-type]


def test_a_status_event_is_a_cloudevent_in_structured_json() -> None:
    record = transaction("lin_1")
    event = build(record=record)
    attributes = json.loads(event.body)
    data = attributes.pop("data")
    assert attributes == {
        "specversion": "1.0",
        "id": "ev_1",
        "source": "/gateways/eu-1",
        "type": "erp.orders.posted.v1",
        "subject": "tx_lin_1",
        "time": attributes["time"],
        "datacontenttype": "application/json",
        "lineageid": "lin_1",
        "sequence": "0000000007",
        "traceparent": TRACEPARENT,
    }
    assert datetime.fromisoformat(attributes["time"]) == datetime.fromtimestamp(AT // 1_000_000, UTC).replace(
        microsecond=AT % 1_000_000
    )
    assert data == transaction_wire(record, external_reference="0123456789ABCDEF")
    assert event == OutboxRecord(
        "ev_1", "lin_1", 7, "erp.status.orders.BU-1.DE.posted", event.body, TRACEPARENT, AT, None, None
    )


@pytest.mark.parametrize("kind", [status.value for status in Status])
def test_attribute_names_and_types_follow_the_specification(kind: str) -> None:
    attributes = json.loads(build(kind=kind).body)
    del attributes["data"]
    assert REQUIRED <= set(attributes) <= REQUIRED | OPTIONAL | EXTENSIONS
    for name, value in attributes.items():
        assert re.fullmatch(r"[a-z0-9]{1,20}", name), name  # SDKs refuse other extension names
        assert isinstance(value, str)
        assert value
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", attributes["time"])  # RFC 3339


def test_sequences_order_as_texts() -> None:
    numbers = [1, 2, 9, 10, 99, 100, 12_345, 9_999_999_999]
    assert sorted(map(sequence_text, numbers)) == [sequence_text(number) for number in numbers]
    assert [int(sequence_text(number)) for number in numbers] == numbers


@pytest.mark.parametrize("sequence", [0, -1, 10_000_000_000])
def test_a_sequence_outside_its_digits_is_refused(sequence: int) -> None:
    with pytest.raises(InvalidEvent):
        build(sequence=sequence)


@pytest.mark.parametrize("token", ["*", ">", "a.b", "a b", "DE\n", "ä", "x" * 33, "$JS", "a\x00"])
def test_a_token_that_nats_would_read_otherwise_is_refused(token: str) -> None:
    for subject in (
        lambda: status_subject(token, "BU", "DE", "posted"),
        lambda: status_subject("orders", token, "DE", "posted"),
        lambda: status_subject("orders", "BU", token, "posted"),
        lambda: status_subject("orders", "BU", "DE", token),
        lambda: control_subject(token),
        lambda: build(record=transaction("l", business_unit=token)),
        lambda: build(record=transaction("l", geography=token)),
    ):
        with pytest.raises(InvalidEvent):
            subject()


@given(*(st.text(max_size=40) for _ in range(4)))
def test_a_built_subject_has_six_plain_tokens(domain: str, unit: str, geography: str, kind: str) -> None:
    try:
        subject = status_subject(domain, unit, geography, kind)
    except InvalidEvent:
        return
    assert re.fullmatch(r"erp\.status(\.[A-Za-z0-9_-]{1,32}){4}", subject)
    assert "\n" not in subject


@pytest.mark.parametrize("absent", ["", None])
def test_an_absent_fact_is_an_underscore(absent: str | None) -> None:
    assert status_subject("orders", absent, absent, "posted") == "erp.status.orders._._.posted"


@pytest.mark.parametrize("absent", ["", "junk", "00-" + "g" * 32 + "-" + "0" * 16 + "-01", TRACEPARENT + "\n"])
def test_a_missing_or_malformed_trace_context_is_left_out(absent: str) -> None:
    assert "traceparent" not in json.loads(build(traceparent=absent).body)


@pytest.mark.parametrize("name", ["", "a/b", "a b", "x" * 65, "a\n"])
def test_a_gateway_name_that_is_no_uri_part_is_refused(name: str) -> None:
    with pytest.raises(InvalidEvent):
        build(gateway_name=name)


def test_a_kind_that_is_no_status_is_refused() -> None:
    with pytest.raises(InvalidEvent):
        build(kind="pinned")
    with pytest.raises(InvalidEvent):
        control_event("posted", {}, event_id="ev", sequence=1, at=AT, gateway_name="g")


def test_an_event_above_the_limit_is_refused_with_both_sizes() -> None:
    with pytest.raises(EventTooLarge, match=rf"event ev_1 has \d+ bytes; the limit is {EVENT_LIMIT_BYTES}"):
        build(record=transaction("l", external_id="x" * EVENT_LIMIT_BYTES))
    assert len(build(record=transaction("l", external_id="x" * 900_000)).body) < EVENT_LIMIT_BYTES


def test_a_lone_surrogate_does_not_fail_a_commit() -> None:
    event = build(record=transaction("l", external_id="\ud800"))
    assert json.loads(event.body)["data"]["externalId"] == "\ud800"


@pytest.mark.parametrize("kind", sorted(CONTROL_KINDS))
def test_a_control_event(kind: str) -> None:
    event = control_event(
        kind, {"systemId": "cloud-eu"}, event_id="ev_2", sequence=1, at=AT, gateway_name="g", about="orders/BU/DE"
    )
    attributes = json.loads(event.body)
    assert event.subject == f"erp.control.{kind}"
    assert attributes["type"] == f"erp.control.{kind}.v1"
    assert attributes["subject"] == "orders/BU/DE"
    assert attributes["lineageid"] == event.lineage_id == "control"
    assert attributes["data"] == {"systemId": "cloud-eu"}
    assert "traceparent" not in attributes


_ANY_TEXT = st.none() | st.text() | st.sampled_from(["\x7f", "\ud800", "\u2028", 'a"\\\x00/', "é😀"])


@given(_ANY_TEXT, _ANY_TEXT, st.none() | st.sampled_from(["[1.5, 1e16]", '[{"step": 1}]']), st.booleans())
def test_the_body_is_what_the_standard_encoder_writes_in_ascii(
    external_id: str | None, amount: str | None, legs: str | None, named: bool
) -> None:
    record = replace(transaction("lin_1"), external_id=external_id, amount=amount, legs=legs)
    body = build(record=record, links={"customerTransactionId": external_id} if named else None).body
    told = json.loads(body)
    assert (told["data"]["externalId"], told["data"]["amount"]) == (external_id, amount)
    assert body == json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode("ascii")
