"""Steps and trees of a document out of the record of a data directory itself.

`ledger trace` imports this when no gateway is asked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from gateway.api.wire import tree_node
from gateway.cli.ledger_steps import MOST, Step, archived
from gateway.cli.record import reading
from gateway.domain.document_names import NamedBy
from gateway.domain.queries import Visible
from gateway.domain.records import DocumentRecord, EntryRecord
from gateway.ledger.lineage_tree import tree_of
from gateway.store.store import Store

EVERYTHING: Final = Visible()


def steps(data: Path, name: str, *, lineage: bool) -> list[Step]:
    """The entries of what has that name, or of its lineages; none where nothing has it."""

    async def ask(store: Store) -> list[Step]:
        documents = await store.ledger.documents_by(NamedBy(name=name), EVERYTHING, MOST, None)
        if lineage or name.startswith("lin_"):
            lineages = dict.fromkeys(one.lineage_id for one in reversed(documents))
            entries = [entry for one in lineages for entry in await store.reads.lineage_entries(one)]
        elif name.startswith("txn_"):
            entries = list(await store.reads.entries(name))
        else:
            ids = [one.document_id for one in documents]
            done = await store.ledger.transactions_of(ids, EVERYTHING)
            entries = [entry for one in done for entry in await store.reads.entries(one.transaction_id)]
        if not entries:  # a draft, an overlay, a question
            entries = list(await store.reads.entries(name))
        return await _placed(store, entries, await _transactions(store, documents, name))

    return reading(data, ask)


async def _transactions(store: Store, documents: Sequence[DocumentRecord], name: str) -> list[str]:
    """Whose entries may be in the archive of their month."""
    if name.startswith("txn_"):
        return [name]
    done = await store.ledger.transactions_of([one.document_id for one in documents], EVERYTHING)
    return [one.transaction_id for one in done]


async def _placed(store: Store, entries: Sequence[EntryRecord], transactions: Sequence[str]) -> list[Step]:
    told = await store.ledger.steps_of(list(dict.fromkeys([*transactions, *(one.trace for one in entries)])))
    places = {(one.trace, one.seq): one.log_index for many in told.values() for one in many}
    stored = {(one.trace, one.seq) for one in entries}
    gone = [one for many in told.values() for one in many if (one.trace, one.seq) not in stored]
    return [
        {"entry": archived(one.trace, one.seq, one.kind, one.at), "leafHash": None, "logIndex": one.log_index}
        for one in gone
    ] + [
        {
            "entry": json.loads(one.body),
            "leafHash": one.leaf_hash.hex(),
            "logIndex": places.get((one.trace, one.seq)),
        }
        for one in entries
    ]


def nodes(data: Path, name: str) -> list[dict[str, Any]]:
    """The documents of the lineages of what has that name, each after its parent."""
    return reading(data, lambda store: _nodes(store, name))


async def _nodes(store: Store, name: str) -> list[dict[str, Any]]:
    documents = await store.ledger.documents_by(NamedBy(name=name), EVERYTHING, MOST, None)
    found = []
    for lineage_id in dict.fromkeys(one.lineage_id for one in documents):
        view = await store.reads.lineage(lineage_id, EVERYTHING)
        if view is not None:
            statuses = {one.transaction_id: one.status for one in view.transactions}
            found += [tree_node(one, statuses.get(one.document.transaction_id or "")) for one in tree_of(view)]
    return found
