"""What a caller of the gateway under test knows and the document cannot say: nodes of its rulebook, documents that are
there, and members that must agree with each other."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.intake.cross_references import CrossReferenceRow

Body = dict[str, Any]

FOLLOWED = "FUZZ_FOLLOWED"
"""The variable that names the only act (`change`, `cancel`, `reverse`) to which a reading shall lead; unset, any."""

CLOUD = {"businessUnit": "Western", "geography": "DE"}
"""A slice that the sample rulebook sends to the cloud ERP."""
LEGACY = {"businessUnit": "Northern", "geography": "FR"}
"""One that it leaves in the legacy ERP."""
COMPANY_CODE = "NW01"
EDGES = ("0", "0.01", "0.001", "999999999999999", "999999999999999.99")
"""Amounts: nothing, the least, less than that, and the most digits that are taken, without and with cents."""
SOURCE = "salesforce"

_ETAG = re.compile(r"v[0-9]+(\.[0-9a-z]+)?")
"""As the gateway gives it; the example has that of a document that was never changed."""
_MASTERS = {"customer": ("customers", "customer"), "product": ("products", "product")}
_NODES = ("businessUnit", "geography", "companyCode")
_SWITCHES = frozenset({"currencyCode", "documentType", "replaces"})
"""Texts that decide what other members must be."""


def localised(example: Mapping[str, Any], slice_: Mapping[str, str] = CLOUD) -> Body:
    """An example of the document with nodes that this gateway's rulebook has."""
    found: Body = copy.deepcopy(dict(example))
    for name in _NODES:
        if name in found:
            found[name] = {**slice_, "companyCode": COMPANY_CODE}[name]
    for node in _nodes(found):
        if "source" in node:
            node["source"] = SOURCE
    return found


def agreed(generated: Mapping[str, Any], example: Mapping[str, Any]) -> Body:
    """Free texts as they were generated, all that must agree as in the example; so it has a chance to be posted.

    Every other one by its content goes to the cloud, the rest to the legacy ERP; a third has an amount at an edge.
    """
    number = _number(generated)
    found = localised(example, CLOUD if number % 2 else LEGACY)
    if number // 2 % 3 == 0:
        found = _of_amount(found, EDGES[number // 6 % len(EDGES)])
    free = {
        name: value
        for name, value in generated.items()
        if isinstance(value, str) and name not in (*_NODES, *_SWITCHES) and name not in _amounts(example)
    }
    if "externalId" not in free:
        found.pop("externalId", None)
    found.pop("idempotencyKey", None)
    if _ETAG.fullmatch(free.get("ifMatch", "")) is None:
        free.pop("ifMatch", None)
    return found | free


def is_chosen(generated: Mapping[str, Any]) -> bool:
    """Two of three bodies, always the same ones."""
    return _number(generated) % 3 != 0


def legacy_numbers(examples: Mapping[str, Mapping[str, Any]]) -> list[CrossReferenceRow]:
    """Numbers in the legacy ERP of the masters that the examples name, as a migration's import says them."""
    named = {
        (_MASTERS[key], str(reference["externalId"]))
        for example in examples.values()
        for node in _nodes(example)
        for key, reference in node.items()
        if key in _MASTERS and isinstance(reference, dict) and "externalId" in reference
    }
    return [
        CrossReferenceRow(domain, SOURCE, external_id, "legacy-main", kind, f"{number:010d}")
        for number, ((domain, kind), external_id) in enumerate(sorted(named), start=900)
    ]


def _of_amount(value: Any, amount: str) -> Any:
    """The same with this amount everywhere, one piece of each thing, and no tax, so that sums agree again."""
    if isinstance(value, list):
        return [_of_amount(one, amount) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _of_amount(one, amount) for name, one in value.items() if name not in {"tax", "taxAmount"}}
    found |= {name: amount for name, one in found.items() if _is_amount(name) and isinstance(one, str)}
    if isinstance(found.get("quantity"), dict):
        found["quantity"] |= {"value": "1"}
    return found


def _is_amount(name: str) -> bool:
    return name.lower().endswith("amount") or name == "unitPrice"


def _amounts(example: Mapping[str, Any]) -> set[str]:
    return {name for name in example if _is_amount(name)}


def _number(body: Mapping[str, Any]) -> int:
    text = json.dumps(body, sort_keys=True, default=str)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:4], "big")


def _nodes(value: Any) -> Iterator[Body]:
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from _nodes(one)
    elif isinstance(value, list):
        for one in value:
            yield from _nodes(one)
