"""Worlds of lineages, made at random from a seed: orders, what bills and pays them, and what went wrong on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from gateway.domain.open_lineages import OpenState, open_state
from gateway.domain.records import DocumentRecord, LineageRecord, PinRecord, RelationRecord, TransactionRecord
from gateway.domain.transaction import Status
from gateway.store.store import StoreUnit
from tests.store.made import NOW, a_document, a_lineage, a_pin, a_transaction, new_id

HOUR = 3_600_000_000
STATUSES = (Status.POSTED,) * 12 + (
    Status.REJECTED, Status.CANCELLED, Status.WAITING, Status.HELD, Status.UNKNOWN, Status.IN_DOUBT,
)  # fmt: skip


@dataclass
class World:
    """What was made."""

    random: Random
    lineages: list[LineageRecord] = field(default_factory=list)
    pins: dict[str, PinRecord] = field(default_factory=dict)
    documents: list[DocumentRecord] = field(default_factory=list)
    transactions: list[TransactionRecord] = field(default_factory=list)
    relations: list[RelationRecord] = field(default_factory=list)

    def state(self, lineage: LineageRecord) -> OpenState:
        """How the pure rule judges it."""
        own = {one.document_id for one in self.documents if one.lineage_id == lineage.lineage_id}
        relations = [one for one in self.relations if own & {one.document_id, one.target_document_id}]
        near = own | {one.document_id for one in relations}
        documents = [one for one in self.documents if one.document_id in near]
        makers = {one.transaction_id for one in documents}
        statuses = {
            one.transaction_id: one.status
            for one in self.transactions
            if one.lineage_id == lineage.lineage_id or one.transaction_id in makers
        }
        return open_state(lineage, documents, relations, statuses)

    def root(self, lineage: LineageRecord) -> DocumentRecord:
        """Its root document."""
        return next(one for one in self.documents if one.document_id == lineage.root_document_id)

    async def write(self, unit: StoreUnit) -> None:
        """Put it into the store."""
        for lineage in self.lineages:
            await unit.insert_lineage(lineage)
        for pin in self.pins.values():
            await unit.insert_pin(pin)
        for document in self.documents:
            await unit.insert_document(document)
        for transaction in self.transactions:
            await unit.insert_transaction(transaction)
        await unit.insert_relations(self.relations)


def make_world(seed: int, lineages: int = 60) -> World:
    """The world of a seed."""
    world = World(Random(seed))
    for _ in range(lineages):
        _lineage(world)
    for _ in range(lineages // 4):
        _payment_over_lineages(world)
    return world


def _lineage(world: World) -> None:
    random = world.random
    lineage_id = new_id("lin")
    kind = random.choice(("orders",) * 5 + ("invoices", "payments", "contracts", "journal_entries"))
    root = _document(
        world,
        lineage_id,
        kind,
        business_unit=random.choice(("East", "West")),
        geography=random.choice(("DE", "US")),
        customer_id=random.choice(("doc_a", "doc_b", "doc_c", "doc_d", None)),
        created_at=NOW - random.choice((1, 30, 200, 900, 5_000)) * HOUR,
    )
    world.lineages.append(a_lineage(lineage_id=lineage_id, root_document_id=root.document_id))
    if random.random() < 0.95:
        side = random.choice(("legacy", "cloud"))
        world.pins[lineage_id] = a_pin(lineage_id, side=side, system_id=f"{side}-main")
    if kind == "orders":
        for _ in range(random.choice((0, 1, 1, 2))):
            _billed(world, root)
    elif kind == "invoices" and root.document_type == "invoice":
        _settled(world, root)
    if random.random() < 0.1:
        _transaction(world, lineage_id, root.document_id, random.choice(STATUSES), operation="change")


def _billed(world: World, order: DocumentRecord) -> None:
    part = world.random.choice((Decimal(1), Decimal("0.5"), Decimal("0.7"), Decimal("1.1")))
    invoice = _document(
        world,
        order.lineage_id,
        "invoices",
        amount=_scaled(order.amount, part),
        currency_code=order.currency_code,
        document_type=world.random.choice(("invoice", "invoice", "invoice", "credit_note")),
    )
    world.relations.append(RelationRecord(invoice.document_id, "orderReference", order.document_id, "follows"))
    if invoice.document_type == "invoice":
        _settled(world, invoice)


def _settled(world: World, invoice: DocumentRecord) -> None:
    random = world.random
    for _ in range(random.choice((0, 1, 1, 2))):
        part = random.choice((Decimal(1), Decimal("0.5"), Decimal("1.2")))
        amount = _scaled(invoice.amount, part)
        if random.random() < 0.3:
            credit = _document(
                world, invoice.lineage_id, "invoices", amount=amount, document_type="credit_note",
                currency_code=invoice.currency_code,
            )  # fmt: skip
            world.relations.append(
                RelationRecord(credit.document_id, "invoiceReference", invoice.document_id, "follows")
            )
        else:
            payment = _document(
                world, invoice.lineage_id, "payments", amount=amount, currency_code=invoice.currency_code
            )
            taken = random.choice((amount, amount, _scaled(amount, Decimal("0.5"))))
            _allocate(world, payment, invoice, taken)


def _payment_over_lineages(world: World) -> None:
    invoices = [one for one in world.documents if one.document_type == "invoice" and one.amount]
    first, second = world.random.sample(invoices, 2)
    amount = format(Decimal(first.amount or 0) + Decimal(second.amount or 0), "f")
    payment = _document(world, first.lineage_id, "payments", amount=amount, currency_code=first.currency_code)
    _allocate(world, payment, first, first.amount)
    _allocate(world, payment, second, second.amount)


def _allocate(world: World, payment: DocumentRecord, invoice: DocumentRecord, amount: str | None) -> None:
    count = sum(one.document_id == payment.document_id for one in world.relations)
    fieldname = f"allocations[{count}].invoiceReference"
    world.relations.append(
        RelationRecord(payment.document_id, fieldname, invoice.document_id, "follows", amount)
    )  # fmt: skip


def _scaled(amount: str | None, part: Decimal) -> str | None:
    return None if amount is None else format((Decimal(amount) * part).quantize(Decimal("0.01")), "f")


def _document(world: World, lineage_id: str, domain: str, **changes: object) -> DocumentRecord:
    random = world.random
    types = {"orders": "standard_order", "invoices": random.choice(("invoice", "invoice", "credit_note"))}
    amount = random.choice(("100.00", "0.10", "17.5", "129.90", "999999999999999", "0.000001", None, "250"))
    document = a_document(
        **{
            "lineage_id": lineage_id,
            "domain": domain,
            "document_type": types.get(domain, domain),
            "amount": amount,
            "currency_code": random.choice(("EUR", "USD")),
            "state": random.choice(("active",) * 9 + ("cancelled", "reversed")),
            **changes,
        }
    )
    if random.random() < 0.9:
        made = _transaction(world, lineage_id, document.document_id, random.choice(STATUSES))
        document = a_document(**{**_fields(document), "transaction_id": made.transaction_id})
    world.documents.append(document)
    return document


def _fields(document: DocumentRecord) -> dict[str, object]:
    return {name: getattr(document, name) for name in document.__dataclass_fields__}


def _transaction(
    world: World, lineage_id: str, document_id: str, status: Status, **changes: object
) -> TransactionRecord:
    made = a_transaction(
        **{
            "lineage_id": lineage_id,
            "document_id": document_id,
            "status": status,
            "updated_at": NOW - world.random.choice((0, 30, 300)) * HOUR,
            **changes,
        }
    )
    world.transactions.append(made)
    return made
