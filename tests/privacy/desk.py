"""A rig whose customer buys, and the desk at which what tells of him is erased."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.domain.caller import Caller, DataScope
from gateway.domain.privacy import ErasureRecord, RetentionRule
from gateway.domain.queries import DocumentName
from gateway.ledger.state.audit import audit_state
from gateway.privacy.due import Retention
from gateway.privacy.parts import PrivacyParts
from gateway.privacy.requests import approve_erasure, ask_erasure
from gateway.store.store import Store
from tests.line.rig import Rig, invoice, order, payment

VINET = DocumentName("customers", source="salesforce", external_id="VINET")
ADA = Caller("operations", "operations", frozenset({"operations:act"}), person="ada")
BOB = Caller("operations", "operations", frozenset({"operations:act"}), person="bob")
PART = Caller("operations", "operations", frozenset(), DataScope(frozenset({"Western"}), None), person="eve")


class Desk:
    """`rules`: may be changed while it is used."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.rules: list[RetentionRule] = []
        self.parts = PrivacyParts(
            store=rig.store,
            tools=rig.parts.tools,
            rulebook=lambda: rig.rules.current.rulebook,
            rules=self.rules,
            events_left=lambda: None,
        )
        self.retention = Retention(self.parts, rig.store, 60.0)

    @classmethod
    async def on(cls, store: Store) -> Desk:
        return cls(await Rig.on(store))

    async def chain(self, number: str = "10248", **changes: Any) -> list[str]:
        """An order with its invoice and payment, all posted; their transactions."""
        made = []
        for body, domain in (
            (order(number, **changes), "orders"),
            (invoice(f"i-{number}", number, **changes), "invoices"),
            (payment(f"p-{number}", (f"i-{number}",), **changes), "payments"),
        ):
            sent = await self.rig.send(body, domain)
            await self.rig.settle()
            made.append(sent.transaction.transaction_id)
        return made

    async def ask(self, key: str = "key-1", name: DocumentName = VINET) -> ErasureRecord:
        """For a reason of its own, so that each key is another request."""
        record, _ = await ask_erasure(self.parts, ADA, name, f"asked by letter of 3 May, {key}", key)
        return record

    async def erase(self, key: str = "key-1", name: DocumentName = VINET) -> ErasureRecord:
        """Ask and approve."""
        return await approve_erasure(self.parts, BOB, (await self.ask(key, name)).erasure_id)

    async def bodies(self, transaction_ids: Sequence[str]) -> list[bool]:
        """Whether each one's payload is there."""
        found = [await self.rig.store.reads.payload((await self.rig.record(one)).payload_id) for one in transaction_ids]
        return [one.body is not None for one in found]

    async def audit(self) -> list[str]:
        """What the audit of the state finds."""
        key = self.rig.parts.tools.commitment_key
        return [str(one) for one in await audit_state(self.rig.store.reads, key)]
