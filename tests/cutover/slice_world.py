"""A store with lineages of the sample rulebook, and the application on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from gateway.api.parts import AppParts
from gateway.api.slice_parts import SliceParts
from gateway.cutover.board import Board
from gateway.cutover.gates.gate import Gate
from gateway.cutover.gates.registry import GateRegistry
from gateway.cutover.slice_gates import SliceGates
from gateway.domain.acts import NO_ACTS, Acts
from gateway.domain.records import RelationRecord
from gateway.domain.transaction import Status
from gateway.store.store import Store, StoreUnit
from gateway.transactions.parts import RulesInForce
from routing_rules import Rulebook
from tests.store.made import NOW, a_document, a_lineage, a_pin, a_transaction, new_id

DAY = 86_400_000_000


class Clock:
    """Stands still."""

    def now(self) -> int:
        """Some day in September 2026."""
        return NOW

    async def sleep(self, seconds: float) -> None:
        """Nobody sleeps here."""
        raise AssertionError(seconds)


@dataclass
class SliceWorld:
    """What the board and the gates are made of."""

    store: Store
    rulebook: Rulebook
    acts: Acts = NO_ACTS
    adopting: Any = None

    def board(self) -> Board:
        """The board on the store."""
        return Board(self.store.reads, lambda: self.rulebook, lambda: self.acts, Clock())

    def slices(self, *gates: Gate) -> SliceParts:
        """For the application."""
        registry = GateRegistry(gates, lambda: NOW)
        gates_of = SliceGates(registry, lambda: RulesInForce(self.rulebook, 1), Clock())
        return SliceParts(self.board(), gates_of, self.adopting)

    def app_parts(self, parts: AppParts, *gates: Gate) -> AppParts:
        """The application's parts on this world."""
        return replace(parts, rulebook=lambda: self.rulebook, reads=self.store.reads, slices=self.slices(*gates))

    async def order(
        self,
        unit: str,
        place: str,
        side: str,
        *,
        amount: str = "100.00",
        billed: str | None = None,
        paid: str | None = None,
        days: int = 0,
        status: Status = Status.POSTED,
        **changes: Any,
    ) -> str:
        """An order and what followed; its lineage's id."""
        lineage_id = new_id("lin")
        where = {"business_unit": unit, "geography": place, "company_code": "NW01"}

        def made(domain: str, kind: str, amount: str, **more: Any) -> Any:
            return a_document(
                **{
                    "domain": domain,
                    "document_type": kind,
                    "lineage_id": lineage_id,
                    "amount": amount,
                    "currency_code": "USD",
                    "created_at": NOW - days * DAY,
                    "posting_date": "2026-08-15",
                    **where,
                    **more,
                }
            )

        order = made("orders", "standard_order", amount, **changes)
        transaction = a_transaction(
            lineage_id=lineage_id, document_id=order.document_id, status=status, system_id=f"{side}-main", **where
        )
        order = replace(order, transaction_id=transaction.transaction_id)
        documents, relations = [order], []
        if billed is not None:
            invoice = made("invoices", "invoice", billed)
            documents.append(invoice)
            relations.append(RelationRecord(invoice.document_id, "orderReference", order.document_id, "follows"))
            if paid is not None:
                payment = made("payments", "incoming_payment", paid)
                documents.append(payment)
                field = "allocations[0].invoiceReference"
                relations.append(RelationRecord(payment.document_id, field, invoice.document_id, "follows", paid))

        async def write(unit_of_work: StoreUnit) -> None:
            await unit_of_work.insert_lineage(a_lineage(lineage_id=lineage_id, root_document_id=order.document_id))
            await unit_of_work.insert_pin(a_pin(lineage_id, side=side, system_id=f"{side}-main"))
            for document in documents:
                await unit_of_work.insert_document(document)
            await unit_of_work.insert_transaction(transaction)
            await unit_of_work.insert_relations(relations)

        await self.store.write(write)
        return lineage_id
