"""The rows of the entries' index, made in bulk; for `benchmarks.ledger_history`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field
from operator import attrgetter
from typing import Any

from sqlalchemy import Table

from gateway.domain.indexed_entries import (
    BLOCK,
    TERM_FIELDS,
    IndexedEntry,
    PlacedBody,
    begins,
    ends,
    indexed,
    terms_of,
)
from gateway.store.entry_index import BLOCKS, INDEXED, SPANS, BlockRecord, SpanRecord
from gateway.store.schema_queries import indexed_terms

_row = attrgetter(*INDEXED.names)
_said = attrgetter(*TERM_FIELDS, "persons")
_KNOWN = 200_000
"""Combinations whose terms are kept."""


@dataclass
class BulkIndex:
    """Of the entries before the place `until`, added in the order of the log."""

    until: int = 0
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    finished: dict[Table, list[tuple[Any, ...]]] = field(default_factory=dict)
    block: BlockRecord | None = None
    terms: set[str] = field(default_factory=set)
    known: dict[tuple[Any, ...], frozenset[str]] = field(default_factory=dict)
    spans: dict[str, SpanRecord] = field(default_factory=dict)

    def add(self, entry: PlacedBody) -> None:
        """The next entry."""
        if entry.log_index >= self.until:
            return
        number = entry.log_index // BLOCK
        if self.block is None or self.block.block != number:
            self._block_ends()
            self.block = BlockRecord(number, entry.at, entry.at)
        self.block = BlockRecord(number, min(self.block.at_first, entry.at), max(self.block.at_last, entry.at))
        one = indexed(entry)
        self.terms |= self._terms(one)
        self.rows.append(_row(one))
        if begins(entry):
            self.spans[entry.trace] = SpanRecord(entry.trace, entry.log_index, None)
        elif ends(entry):
            self.spans[entry.trace] = SpanRecord(entry.trace, self.spans[entry.trace].first_index, entry.log_index)

    def end(self) -> None:
        """After the last entry."""
        self._block_ends()

    def taken(self) -> Iterator[tuple[Table, Sequence[tuple[Any, ...]]]]:
        """What can be written, between two transactions."""
        self._finish(INDEXED.table, self.rows)
        self._finish(SPANS.table, [astuple(one) for one in self.spans.values()])
        finished, self.finished, self.rows, self.spans = self.finished, {}, [], {}
        yield from finished.items()

    def _terms(self, one: IndexedEntry) -> frozenset[str]:
        # Entries of a document differ in little else than amounts: their terms are the same.
        said = _said(one)
        found = self.known.get(said)
        if found is None:
            found = self.known[said] = frozenset(terms_of(one))
            if len(self.known) > _KNOWN:
                self.known.clear()
        return found

    def _block_ends(self) -> None:
        if self.block is not None:
            self._finish(BLOCKS.table, [astuple(self.block)])
            self._finish(indexed_terms, [(term, self.block.block) for term in sorted(self.terms)])
        self.block, self.terms = None, set()

    def _finish(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        self.finished.setdefault(table, []).extend(rows)
