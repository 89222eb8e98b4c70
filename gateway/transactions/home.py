"""The gateway as the home of contracts that the ERP which the table names does not take.

A contract kept here is pinned to the system `gateway` and has its own id for a number. Nothing is called: what is done
to it is decided, dispatched and posted in one commit.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final

from adapters.canonical import Contract, ErpNumber
from adapters.port import Capabilities, Capability, Confirmation, Operation, Posted
from gateway.domain.amendment import FIXED
from gateway.domain.records import TransactionRecord
from gateway.transactions.parts import LineParts

HOME: Final = "gateway"
"""Its system id; no rulebook may give it to an ERP."""
DOCUMENT_TYPE: Final = "contract"

CAPABILITIES: Final[Capabilities] = {
    (Contract.domain, Operation.CREATE): Capability(True),
    (Contract.domain, Operation.CHANGE): Capability(
        True,
        changeable=frozenset(field.alias or name for name, field in Contract.model_fields.items() if name not in FIXED),
    ),
    (Contract.domain, Operation.CANCEL): Capability(True),
}
"""What the gateway does itself."""


def capability(parts: LineParts, system_id: str, domain: str, operation: str) -> Capability:
    """What that system can do, the gateway itself included; unsupported with a reason where it cannot."""
    key = (domain, Operation(operation))
    if system_id == HOME:
        return CAPABILITIES.get(key, Capability(False, reason="the gateway keeps contracts only"))
    system = parts.systems.get(system_id)
    if system is None:
        return Capability(False, reason="it is not connected")
    return system.port.capabilities().get(key, Capability(False, reason="its driver does not support it"))


def keeps(domain: str, capabilities: Capabilities) -> bool:
    """Whether the gateway keeps a new document of that domain itself, because a system that can do this takes none."""
    able = capabilities.get((domain, Operation.CREATE))
    return domain == Contract.domain and (able is None or not able.supported)


def posted_here(record: TransactionRecord) -> Posted:
    """What the gateway answers itself: the contract as the record has it."""
    return Posted(
        ErpNumber(system_id=HOME, document_type=DOCUMENT_TYPE, document_number=record.document_id),
        Confirmation(
            amount=Decimal(record.amount) if record.amount else None,
            currency_code=record.currency_code,
            company_code=record.company_code,
            posting_date=date.fromisoformat(record.posting_date) if record.posting_date else None,
        ),
    )
