"""How the documents of a lineage hang together: quote → order → invoice → payment → journal entry."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from adapters.canonical import DOMAINS
from gateway.domain.queries import LineageView
from gateway.domain.records import DocumentRecord, PayloadRecord

QUOTED_DOMAINS: Final = frozenset(name for name, model in DOMAINS.items() if "quote_reference" in model.model_fields)
MOST_QUOTES: Final = 20
"""Documents of a lineage whose content is read for their quote. A lineage has one order, or is one contract."""


def links_by_document(view: LineageView) -> dict[str, dict[str, list[str]]]:
    """By document id, the ids of the documents that it `follows` and `relates` to, each once.

    A document whose links are not on record follows the one that its submission waited for.
    """
    found: dict[str, dict[str, list[str]]] = {one.document_id: {"follows": [], "relates": []} for one in view.documents}
    for relation in view.relations:
        if relation.document_id in found:
            _add(found[relation.document_id][relation.kind], relation.target_document_id)
    document_of = {one.transaction_id: one.document_id for one in view.transactions}
    for one in view.transactions:
        parent = document_of.get(one.parent_transaction_id or "")
        if parent is not None and parent != one.document_id and one.document_id in found:
            follows = found[one.document_id]["follows"]
            if not follows:
                _add(follows, parent)
    return found


def with_a_quote(documents: Sequence[DocumentRecord]) -> list[DocumentRecord]:
    """Those that may come from a quote and whose content is on record."""
    return [one for one in documents if one.domain in QUOTED_DOMAINS and one.payload_id is not None][:MOST_QUOTES]


def quote_of(payload: PayloadRecord | None) -> str | None:
    """The quote that the document names; None where it names none, or was erased."""
    if payload is None or payload.body is None:
        return None
    content: dict[str, Any] = json.loads(payload.body)
    quote = content.get("quoteReference")
    return quote if isinstance(quote, str) else None


def _add(ids: list[str], one: str) -> None:
    if one not in ids:
        ids.append(one)
