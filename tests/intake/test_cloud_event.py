"""What is no CloudEvent 1.0 is refused, whatever of it the gateway would use; what is one is taken."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from adapters.canonical import DOMAINS
from gateway.api.contract.asyncapi import asyncapi_document
from gateway.api.limits import Limits
from gateway.errors import Problem
from gateway.intake.cloud_event import EventReader
from gateway.transactions.commands import Create
from tests.contracts.conftest import made
from tests.contracts.json_schema import Validator
from tests.intake.nats import SENDERS, event
from tests.line.rig import order

READER = EventReader(SENDERS, (), Limits())
BYTES = base64.b64encode(json.dumps(order("1")).encode()).decode()


def read(raw: bytes) -> Create:
    return READER.read("erp.intake.orders", raw, DOMAINS)


def sent(**changes: Any) -> bytes:
    return event("orders", order("1"), "e-1", **changes)


def without(name: str, **changes: Any) -> bytes:
    members = json.loads(sent(**changes))
    del members[name]
    return json.dumps(members).encode()


FORBIDDEN: dict[str, tuple[str, bytes]] = {
    "bytes beside the document": ("data_base64", sent(data_base64=BYTES)),
    "bytes beside a document that is null": ("data_base64", sent(data=None, data_base64=BYTES)),
    "bytes only": ("data_base64", without("data", data_base64=BYTES)),
    "bytes that are not base64": ("data_base64", without("data", data_base64="***")),
    "bytes that are no text": ("data_base64", without("data", data_base64={})),
    "no document": ("data", without("data")),
    "a document as text": ("document", sent(data=json.dumps(order("1")))),
    "another version": ("specversion", sent(specversion="1.1")),
    "a version as a number": ("specversion", sent(specversion=1.0)),
    "no id": ("id", without("id")),
    "an id that is null": ("id", sent(id=None)),
    "an empty id": ("id", sent(id="")),
    "an id as a number": ("id", sent(id=7)),
    "an id with a line feed": ("id", sent(id="e\n1")),
    "no source": ("source", without("source")),
    "an empty source": ("source", sent(source="")),
    "a source with a blank": ("source", sent(source="/the billing")),
    "a source with half an escape": ("source", sent(source="/a%2")),
    "no type": ("type", without("type")),
    "an empty type": ("type", sent(type="")),
    "a type in capitals": ("type", sent(type="ERP.orders.create.v1")),
    "an empty subject": ("subject", sent(subject="")),
    "a subject as a list": ("subject", sent(subject=["a"])),
    "a schema without a scheme": ("dataschema", sent(dataschema="/orders")),
    "an empty schema": ("dataschema", sent(dataschema="")),
    "no media type": ("datacontenttype", sent(datacontenttype="")),
    "another media type": ("datacontenttype", sent(datacontenttype="application/jsonlines")),
    "a letter that only looks like one": ("datacontenttype", sent(datacontenttype="application/j\u017fon")),
    "a media type as a number": ("datacontenttype", sent(datacontenttype=1)),
    "a day": ("time", sent(time="2026-11-28")),
    "a time without its zone": ("time", sent(time="2026-11-28T04:36:12")),
    "a time with a blank": ("time", sent(time="2026-11-28 04:36:12Z")),
    "a time on no day": ("time", sent(time="2026-02-29T04:36:12Z")),
    "a time at no hour": ("time", sent(time="2026-11-28T24:00:00Z")),
    "a time in other digits": ("time", sent(time="202\u0666-11-28T04:36:12Z")),
    "an empty time": ("time", sent(time="")),
    "a time as a number": ("time", sent(time=1_795_460_280)),
    "an attribute in capitals": ("lineageId", sent(lineageId="a")),
    "an attribute with an underscore": ("lineage_id", sent(lineage_id="a")),
    "a version that is null": ("specversion", sent(specversion=None)),
    "an attribute without a name": ("", sent(**{"": "a"})),
    "an object as an attribute": ("ours", sent(ours={"a": 1})),
    "a list as an attribute": ("ours", sent(ours=[1])),
    "a fraction as an attribute": ("ours", sent(ours=1.5)),
    "an integer that is too large": ("ours", sent(ours=2**31)),
    "an integer that is too small": ("ours", sent(ours=-(2**31) - 1)),
    "a control character": ("ours", sent(ours="a\x85")),
    "half a pair": ("ours", sent(ours="\ud800")),
    "what is no character": ("ours", sent(ours="\U0001ffff")),
    "a member twice": ("source", sent()[:-1] + b', "source": "/other"}'),
}


@pytest.mark.parametrize(("field", "raw"), FORBIDDEN.values(), ids=list(FORBIDDEN))
def test_what_is_forbidden_is_refused_by_its_name(field: str, raw: bytes) -> None:
    with pytest.raises(Problem) as refused:
        read(raw)
    assert (refused.value.slug, [one.field for one in refused.value.errors]) == ("invalid-request", [field])
    assert refused.value.errors[0].remedy


ALLOWED: dict[str, dict[str, Any]] = {
    "nothing more": {},
    "what is null": dict.fromkeys(("datacontenttype", "dataschema", "subject", "time", "ours", "data_base64")),
    "all that there is": {
        "datacontenttype": "Application/JSON; charset=utf-8",
        "dataschema": "https://example.test/orders?v=1#a",
        "subject": "the order 1 \u00fc\U0001f600",
        "time": "2026-11-28T04:36:12.123456789+05:30",
        "source": "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
    },
    "a source with an address": {"source": "https://[2001:db8::7]:8080/a%20b?c=$d"},
    "a leap second in small letters": {"time": "1998-12-31t23:59:60z"},
    "extensions of all types": {"one": "", "two": True, "three": 2**31 - 1, "four": -(2**31), "a5thatislong" * 5: "b"},
    "a trace that cannot be read": {"traceparent": {"a": "\ud800"}, "tracestate": "\x01"},
}


@pytest.mark.parametrize("changes", ALLOWED.values(), ids=list(ALLOWED))
def test_what_is_allowed_is_taken(changes: dict[str, Any]) -> None:
    command = read(sent(**changes))
    assert (command.document.external_id, command.idempotency_key) == ("1", "e-1")


UNTOLD = {
    "a control character",
    "a day",
    "a member twice",
    "a schema without a scheme",
    "a source with a blank",
    "a source with half an escape",
    "a time with a blank",
    "a time without its zone",
    "half a pair",
    "what is no character",
}
"""Of what is forbidden: what the schema has no word for, or leaves to a validator that reads URIs and times."""


def test_the_description_says_the_same() -> None:
    """But for a trace context that cannot be read, and a second 60, which few validators take."""
    document = asyncapi_document(made(), tuple(DOMAINS))
    submitted = document["components"]["messages"]["documentSubmitted"]["payload"]
    read_as_told = Validator(document)
    for name, changes in ALLOWED.items():
        if "trace" not in name and "leap" not in name:
            assert read_as_told.complaints(json.loads(sent(**changes)), submitted) == [], name
    untold = {name for name, (_, raw) in FORBIDDEN.items() if not read_as_told.complaints(json.loads(raw), submitted)}
    assert untold == UNTOLD
