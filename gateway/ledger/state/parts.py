"""What differs in a part of the state: lineages with all that stands beside their entries. Pure."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from gateway.domain.months import Month
from gateway.domain.records import EntryRecord, TransactionRecord
from gateway.ledger.state.compare import (
    Adopted,
    document_findings,
    key_findings,
    number_findings,
    payload_findings,
    transaction_findings,
)
from gateway.ledger.state.customers import customer_findings, transaction_customer_findings
from gateway.ledger.state.decisions import decision_findings, problem_findings
from gateway.ledger.state.exceptions import exception_findings
from gateway.ledger.state.findings import UNREADABLE, Finding, unreadable
from gateway.ledger.state.lineages import root_findings
from gateway.ledger.state.pins import pin_findings
from gateway.ledger.state.ruled import Ruled
from gateway.ledger.state.steps import step_findings
from gateway.ledger.state.told import Number, Told
from gateway.store.state_reads import StatePart


def part_findings(
    part: StatePart, commitment_key: bytes | None, gone: Collection[Month] = (), ruled: Ruled | None = None
) -> Iterator[Finding]:
    """What differs in a part. `ruled`: what rulebooks say; without it sides and teams are not judged. Pure."""
    ruled = ruled or Ruled()
    traces: dict[str, list[EntryRecord]] = defaultdict(list)
    for entry in part.entries:
        traces[entry.trace].append(entry)
    told = {
        record.transaction_id: Told.by(record.transaction_id, traces[record.transaction_id])
        for record in part.transactions
    }
    adopted = [Adopted.by(json.loads(entry.body)) for entry in part.adopted]
    payloads = {one.payload_id: one for one in part.payloads}
    exceptions, earlier_words, moves = defaultdict(list), defaultdict(list), defaultdict(list)
    for end in part.exceptions:
        exceptions[end.transaction_id].append(end)
    for words in part.earlier_words:
        earlier_words[words.exception_id].append(words)
    for move in part.moves:
        moves[move.exception_id].append(move)
    steps = defaultdict(list)
    for step in part.steps:
        steps[step.transaction_id].append(step)
    archived = {one.transaction_id for one in part.transactions if Month.of_trace(one.transaction_id) in gone}
    # of a lineage with one of these, nobody can tell the pin and the documents from the rest
    unjudged = {one.lineage_id for one in part.transactions if one.transaction_id in archived}

    def of_transaction(record: TransactionRecord) -> Iterator[Finding]:
        entries = told[record.transaction_id]
        yield from transaction_findings(record, entries, commitment_key)
        yield from decision_findings(record, entries, ruled)
        yield from problem_findings(record, entries)
        yield from step_findings(record.transaction_id, steps[record.transaction_id], entries.steps)
        yield from payload_findings(record, payloads.get(record.payload_id), entries)
        ends = exceptions[record.transaction_id]
        yield from exception_findings(
            record,
            ends,
            [one for end in ends for one in earlier_words[end.exception_id]],
            [one for end in ends for one in moves[end.exception_id]],
            entries,
            payloads,
            ruled,
        )

    for record in part.transactions:
        if record.transaction_id not in archived:
            yield from _of_readable(record.transaction_id, of_transaction(record))
    judged = replace(
        part,
        lineage_ids=[one for one in part.lineage_ids if one not in unjudged],
        transactions=[one for one in part.transactions if one.lineage_id not in unjudged],
        documents=[one for one in part.documents if one.lineage_id not in unjudged],
    )
    for document in judged.documents:
        yield from customer_findings(document, part.customers)
    yield from transaction_customer_findings(judged.transactions, judged.documents, part.customers)
    yield from _pins(judged, told, adopted, ruled)
    yield from _documents(judged, told, adopted)


def _of_readable(subject: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    try:
        yield from findings
    except UNREADABLE as error:
        yield unreadable(subject, "one of its rows", error)


def _pins(part: StatePart, told: dict[str, Told], adopted: Sequence[Adopted], ruled: Ruled) -> Iterator[Finding]:
    of_lineage: dict[str, list[Told]] = defaultdict(list)
    for record in part.transactions:
        of_lineage[record.lineage_id].append(told[record.transaction_id])
    pins = {pin.lineage_id: pin for pin in part.pins}
    documents = defaultdict(list)
    for document in part.documents:
        documents[document.lineage_id].append(document)
    lineages = {one.lineage_id: one for one in part.lineages}
    for lineage_id in part.lineage_ids:
        yield from root_findings(lineages[lineage_id], documents[lineage_id], of_lineage[lineage_id])
        moved = [one for one in adopted if one.lineage_id == lineage_id]
        yield from pin_findings(lineage_id, pins.get(lineage_id), of_lineage[lineage_id], moved, ruled)


def _documents(part: StatePart, told: dict[str, Told], adopted: Sequence[Adopted]) -> Iterator[Finding]:
    numbers: dict[str, list[Number]] = defaultdict(list)
    for one in told.values():
        for number in one.numbers:
            numbers[number.document_id].append(number)
    stored = defaultdict(list)
    for row in part.numbers:
        stored[row.document_id].append(row)
    done = defaultdict(list)
    for record in part.transactions:
        done[record.document_id].append(record)
    known = {document.document_id for document in part.documents}
    for gone in sorted(done.keys() - known):
        yield Finding(gone, "the row", None, "there")
    keys = {(one.source, one.domain, one.external_id): one for one in part.natural_keys}
    for document in part.documents:
        if document.external_id is not None:
            yield from key_findings(
                document, keys.get((document.source, document.domain, document.external_id)), done[document.document_id]
            )
        if document.transaction_id is None and not any(one.operation == "create" for one in done[document.document_id]):
            continue  # imported: its numbers came without an entry
        yield from document_findings(document, done[document.document_id], told)
        moved = [one for one in adopted if one.old.document_id == document.document_id]
        yield from number_findings(document, stored[document.document_id], numbers[document.document_id], moved)
