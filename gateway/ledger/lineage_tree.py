"""A lineage as a tree: its root, and under each document what follows from it. Pure.

A document that follows several (a payment of two invoices) stands under the first of them and names the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.domain.queries import LineageView
from gateway.domain.records import CrossReferenceRecord, DocumentRecord, TransactionRecord


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A document in its place. `depth`: 0 at the root. `parent`: the document under which it stands; `also_follows`:
    further ones; `relates`: those to which it is linked without following them."""

    document: DocumentRecord
    depth: int
    parent: str | None
    also_follows: tuple[str, ...]
    relates: tuple[str, ...]
    numbers: tuple[CrossReferenceRecord, ...]
    transactions: tuple[TransactionRecord, ...]


def tree_of(view: LineageView) -> list[TreeNode]:
    """Depth first, in the order in which documents came; what hangs on nothing visible stands at depth 0."""
    documents = {one.document_id: one for one in sorted(view.documents, key=lambda one: one.document_id)}
    follows, relates = _links(view, documents)
    children: dict[str | None, list[str]] = {}
    for name in documents:
        parents = follows[name]
        children.setdefault(parents[0] if parents else None, []).append(name)
    transactions: dict[str, list[TransactionRecord]] = {}
    for one in sorted(view.transactions, key=lambda record: record.transaction_id):
        transactions.setdefault(one.document_id, []).append(one)
    numbers: dict[str, list[CrossReferenceRecord]] = {}
    for number in view.cross_references:
        numbers.setdefault(number.document_id, []).append(number)
    root = view.lineage.root_document_id
    tops = sorted(children.get(None, []), key=lambda name: (name != root, name))
    return [
        TreeNode(
            documents[name],
            depth,
            parent,
            tuple(one for one in follows[name] if one != parent),
            tuple(relates[name]),
            tuple(numbers.get(name, ())),
            tuple(transactions.get(name, ())),
        )
        for name, depth, parent in _walk(tops, children, set(documents))
    ]


def _links(
    view: LineageView, documents: Mapping[str, DocumentRecord]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """By document, those of the lineage that it follows, and all to which it relates."""
    follows: dict[str, list[str]] = {name: [] for name in documents}
    relates: dict[str, list[str]] = {name: [] for name in documents}
    for one in view.relations:
        if one.document_id not in documents:
            continue
        if one.kind == "relates":
            _add(relates[one.document_id], one.target_document_id)
        elif one.target_document_id in documents and one.target_document_id != one.document_id:
            _add(follows[one.document_id], one.target_document_id)
    document_of = {one.transaction_id: one.document_id for one in view.transactions}
    for record in view.transactions:
        # Links that are not on record: what its submission waited for.
        parent, name = document_of.get(record.parent_transaction_id or ""), record.document_id
        if parent is not None and parent in documents and parent != name and follows.get(name) == []:
            _add(follows[name], parent)
    return follows, relates


def _walk(
    tops: Sequence[str], children: Mapping[str | None, Sequence[str]], left: set[str]
) -> Iterator[tuple[str, int, str | None]]:
    """Each document once, whatever the links say: a circle, which no accept makes, is cut where it is met."""
    stack: list[tuple[str, int, str | None]] = [(name, 0, None) for name in reversed(tops)]
    while stack or left:
        name, depth, parent = stack.pop() if stack else (min(left), 0, None)
        if name not in left:
            continue
        left.discard(name)
        yield name, depth, parent
        stack += [(child, depth + 1, name) for child in reversed(children.get(name, ()))]


def _add(names: list[str], one: str) -> None:
    if one not in names:
        names.append(one)
