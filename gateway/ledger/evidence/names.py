"""By which names people know a pack's documents: domain and external id, as far as the pack shows them. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gateway.ledger.evidence.contents import Evidence
from gateway.ledger.evidence.openings import SHOWN


def names_of(evidence: Evidence) -> dict[str, str]:
    """By trace, such as `orders SO-1001`. A trace whose payload is erased or withheld has none; one whose payload says
    no external id, such as a cancellation's, has the name of the document that it is about."""
    documents: dict[str, str] = {}
    names: dict[str, str] = {}
    for one in evidence.openings:  # in the order of the log: a document is created before anything else is done to it
        entry = _object(one.entry.body)
        if one.state != SHOWN or one.member != "payloadHash" or entry.get("kind") != "accepted":
            continue
        document, external_id = entry.get("documentId"), _object(one.body).get("externalId")
        if isinstance(external_id, str) and external_id:
            name: str | None = f"{entry.get('domain') or ''} {external_id}".strip()
        else:
            name = documents.get(str(document))
        if name is not None:
            names[one.entry.trace] = name
            if document is not None:
                documents.setdefault(str(document), name)
    return names


def _object(body: bytes | None) -> Mapping[str, Any]:
    """Nothing for what is no JSON object."""
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
