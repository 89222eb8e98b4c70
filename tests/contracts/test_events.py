"""Real events hold their schemas, and the rules of CloudEvents."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from adapters.canonical import DOMAINS
from gateway.api.contract.asyncapi import asyncapi_document
from gateway.api.contract.event_files import event_schemas
from gateway.api.schemas import TransactionAnswer
from gateway.domain import events
from gateway.domain.event_schemas import CONTROL_KINDS_IN_ORDER, STATUS_KINDS, TOKEN_PATTERN, envelope_schema
from gateway.domain.events import control_event, control_subject, status_event, status_subject
from gateway.domain.ids import TimeOrderedIds
from gateway.domain.transaction import Status
from gateway.transactions.journal import traceparent_of
from tests.contracts.conftest import made
from tests.contracts.json_schema import Validator
from tests.messaging.outbox import TRACEPARENT, transaction

AT = 1_795_460_280_000_001
ROUTED = {
    "system_id": "legacy-main",
    "side": "legacy",
    "stage": "live",
    "table_version": "ab" * 32,
    "rule_row": "o-1",
    "activation_number": 3,
    "pinned": True,
    "erp_document_type": "sales_order",
    "erp_document_number": "4500000017",
}
REFUSED = {"problem": json.dumps({"code": "rejected-by-erp", "detail": "No."}), "retry_after_s": 5}
ACTS: dict[str, dict[str, Any]] = {
    "pinned": {"transactionId": "tx_1", "systemId": "legacy-main", "lineageId": "lin_1"},
    "pin_released": {"transactionId": "tx_1", "systemId": "legacy-main", "lineageId": "lin_1"},
    "linked": {"transactionId": "tx_1", "documentId": "doc_1", "systemId": "legacy-main"},
    "activated": {
        "activationId": "act_1",
        "tableVersion": "ab" * 32,
        "governanceVersion": "cd" * 32,
        "activationNumber": 1,
    },
    **{
        kind: {"overlayId": "ovl_1", "overlay": "hold", "slice": "orders.Eastern.DE", "actsNumber": 3}
        for kind in ("overlay_set", "overlay_lifted", "auto_paused")
    },
    **{
        kind: {
            "companyCode": "NW01",
            "period": "2026-11",
            "startsOn": "2026-11-01",
            "endsBefore": "2026-12-01",
            "actsNumber": 3,
            "tieOutId": "tie_1",
        }
        for kind in ("period_closed", "period_reopened", "tied_out")
    },
    "tie_out_voided": {"transactionId": "txn_1", "companyCode": "NW01", "period": "2026-11", "tieOutId": "tie_1"},
}


@pytest.fixture(scope="module")
def schemas() -> dict[str, dict[str, Any]]:
    return event_schemas(made(), tuple(DOMAINS))


@pytest.fixture(scope="module")
def asyncapi() -> dict[str, Any]:
    return asyncapi_document(made(), tuple(DOMAINS))


def status(kind: str, **changes: Any) -> dict[str, Any]:
    record = transaction("lin_1", Status(kind), **changes)
    event = status_event(
        record,
        kind=kind,
        event_id="evt_1",
        sequence=7,
        at=AT,
        gateway_name="eu-1",
        traceparent=TRACEPARENT,
        external_reference="0123456789ABCDEF",
    )
    found: dict[str, Any] = json.loads(event.body)
    return found


def control(kind: str) -> dict[str, Any]:
    data = ACTS.get(kind, {"note": "x"})
    event = control_event(kind, data, event_id="evt_2", sequence=1, at=AT, gateway_name="eu-1", about="act_1")
    found: dict[str, Any] = json.loads(event.body)
    return found


@pytest.mark.parametrize("changes", [{}, ROUTED, REFUSED], ids=["plain", "routed", "refused"])
@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("kind", STATUS_KINDS)
def test_status_events_hold_their_schema(
    kind: str, domain: str, changes: dict[str, Any], schemas: dict[str, Any], asyncapi: dict[str, Any]
) -> None:
    event = status(kind, domain=domain, **changes)
    assert Validator(schemas["status.v1.json"]).complaints(event) == []
    assert Validator(schemas["transaction.v1.json"]).complaints(event["data"]) == []
    TransactionAnswer.model_validate(event["data"], by_alias=True, by_name=False, strict=False)
    name = "transaction" + "".join(part.capitalize() for part in kind.split("_"))
    message = asyncapi["components"]["messages"][name]
    assert message["name"] == event["type"].replace(f".{domain}.", ".<domain>.")
    assert Validator(asyncapi).complaints(event, message["payload"]) == []


@pytest.mark.parametrize("kind", CONTROL_KINDS_IN_ORDER)
def test_control_events_hold_their_schema(kind: str, schemas: dict[str, Any], asyncapi: dict[str, Any]) -> None:
    event = control(kind)
    assert Validator(schemas["control.v1.json"]).complaints(event) == []
    name = "control" + "".join(part.capitalize() for part in kind.split("_"))
    message = asyncapi["components"]["messages"][name]
    assert message["name"] == event["type"]
    assert Validator(asyncapi).complaints(event, message["payload"]) == []


FAULTS: dict[str, dict[str, Any]] = {
    "another version": {"specversion": "0.3"},
    "no id": {"id": ""},
    "a source that is no gateway": {"source": "https://elsewhere.test"},
    "an unknown kind": {"type": "erp.orders.parked.v1"},
    "an unknown domain": {"type": "erp.quotes.posted.v1"},
    "a control type": {"type": "erp.control.pinned.v1"},
    "a type that does not say where it stands": {"type": "erp.orders.rejected.v1"},
    "a time without its zone": {"time": "2026-11-23T18:58:00.000001"},
    "a sequence that does not order": {"sequence": "7"},
    "a sequence with a line feed": {"sequence": "0000000007\n"},
    "a sequence as a number": {"sequence": 7},
    "a malformed trace context": {"traceparent": "00-1-2-3"},
    "an attribute in capitals": {"lineageId": "lin_1"},
    "an attribute with an underscore": {"lineage_id": "lin_1"},
    "data that are no object": {"data": "x"},
    "no subject": {"subject": None},
    "no lineage": {"lineageid": None},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_an_event_with_a_fault_does_not_hold_the_schema(fault: dict[str, Any], schemas: dict[str, Any]) -> None:
    event = {**status("posted"), **fault}
    event = {name: value for name, value in event.items() if value is not None}
    assert Validator(schemas["status.v1.json"]).complaints(event) != []


OF_ANSWERS = {"requestTraceId", "traceState", "rateLimit", "preferenceApplied", "deprecation"}
OF_ANSWERS |= {"etag", "documentVersion"}
"""What an answer says of itself, and an event has no headers that its data would repeat."""


LATER = {"legs", "newCustomerTransactionId", "madeForTransactionId"}
"""Came after the first events of v1 were published; these stay valid."""


@pytest.mark.parametrize("name", sorted(set(TransactionAnswer.model_json_schema()["properties"]) - OF_ANSWERS - LATER))
def test_every_member_of_the_resource_is_promised(name: str, schemas: dict[str, Any]) -> None:
    event = status("posted")
    del event["data"][name]
    assert Validator(schemas["status.v1.json"]).complaints(event) == [f"$.data: {name} is missing"]


def test_the_data_are_the_resource_of_the_api(schemas: dict[str, Any], asyncapi: dict[str, Any]) -> None:
    answer = made()["components"]["schemas"]["TransactionAnswer"]
    members = {name: one for name, one in answer["properties"].items() if name not in OF_ANSWERS}
    resource = {**answer, "properties": members}
    assert asyncapi["components"]["schemas"]["TransactionAnswer"] == resource
    for name in ("status.v1.json", "transaction.v1.json"):
        own = json.dumps(schemas[name]["$defs"]["TransactionAnswer"]).replace("#/$defs/", "#/components/schemas/")
        assert json.loads(own) == resource


def test_new_members_and_attributes_are_allowed(schemas: dict[str, Any]) -> None:
    event = {**status("posted"), "partitionkey": "lin_1"}
    event["data"]["more"] = {"than": "today"}
    assert Validator(schemas["status.v1.json"]).complaints(event) == []


def test_the_schemas_say_what_the_code_checks() -> None:
    properties = envelope_schema()["properties"]
    assert properties["traceparent"]["pattern"].strip("^$") == _plain(events._TRACEPARENT)
    assert properties["source"]["pattern"] == f"^/gateways/{_plain(events._NAME)}$"
    assert _plain(events._TOKEN) == TOKEN_PATTERN
    made_by_us = traceparent_of(
        "0af7651916cd43dd8448eb211c80319c", TimeOrderedIds(lambda: AT, lambda bits: 1 << (bits - 1)).new("evt")
    )
    assert re.search(properties["traceparent"]["pattern"], made_by_us)


def _plain(pattern: re.Pattern[str]) -> str:
    return pattern.pattern.removeprefix(r"\A").removesuffix(r"\Z")


def test_channels_are_the_subjects(asyncapi: dict[str, Any]) -> None:
    channels = asyncapi["channels"]
    tokens = {"domain": "orders", "businessUnit": "BU-1", "geography": "_", "kind": "posted"}
    assert channels["status"]["address"].format(**tokens) == status_subject("orders", "BU-1", None, "posted")
    assert set(channels["status"]["parameters"]) == set(tokens)
    assert channels["control"]["address"].format(kind="pinned") == control_subject("pinned")
    assert len(channels["status"]["messages"]) == len(Status)
    assert len(channels["control"]["messages"]) == len(events.CONTROL_KINDS)
    for channel in channels.values():
        for one in channel["messages"].values():
            assert one["$ref"].removeprefix("#/components/messages/") in asyncapi["components"]["messages"]
    for operation in asyncapi["operations"].values():
        assert operation["channel"]["$ref"].removeprefix("#/channels/") in channels
