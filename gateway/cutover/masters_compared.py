"""Masters as the gateway knows them, compared with how they stand in each system that keeps them.

A driver that can change a master reads it first and compares its fields with what it is told to be there; the same
question without a change tells whether it stands so. Nothing is posted. A driver that cannot change masters cannot read
them either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from adapters.canonical import DOMAINS, CanonicalDocument, ErpNumber
from adapters.errors import ErpError
from adapters.port import Change, Operation, Submission
from gateway.domain.identity import external_reference
from gateway.domain.open_lineages import OpenFilter
from gateway.domain.queries import DocumentFilter, Visible
from gateway.domain.records import CrossReferenceRecord, DocumentRecord, PayloadRecord
from gateway.transactions.parts import ErpSystem

PAGE: Final = 200
MOST: Final = 20_000
"""Masters that are compared of one slice; a larger one is compared by parts."""
AT_ONCE: Final = 8
"""Questions to the ERPs at the same time, beside what callers ask of them."""


class MasterReads(Protocol):
    """What is asked of the record."""

    async def documents(
        self, where: DocumentFilter, visible: Visible, limit: int, after: str | None
    ) -> Sequence[DocumentRecord]: ...
    async def payload(self, payload_id: str) -> PayloadRecord | None: ...
    async def cross_references(self, document_ids: Sequence[str]) -> Sequence[CrossReferenceRecord]: ...


@dataclass(frozen=True, slots=True)
class Unequal:
    """A master that does not stand in a system as the gateway knows it. `system_id`: None where nobody can compare."""

    document_id: str
    system_id: str | None
    why: str

    def __str__(self) -> str:
        return f"{self.document_id} {self.why}" + (f" ({self.system_id})" if self.system_id else "")

    def as_json(self) -> dict[str, Any]:
        """JSON values under lowerCamelCase names; no name or number of a master: evidence goes into the ledger."""
        return {"documentId": self.document_id, "systemId": self.system_id, "why": self.why}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`compared`: masters that were looked at. `refused`: why nothing can be said of all of them."""

    compared: int
    differences: Sequence[Unequal]
    refused: str | None = None


async def compared(
    reads: MasterReads, systems: Mapping[str, ErpSystem], where: OpenFilter, system_ids: Sequence[str]
) -> Comparison:
    """All masters of the slice that stand, in these systems."""
    domain = where.domain or ""
    refused = [text for one in system_ids if (text := _unable(systems.get(one), one, domain)) is not None]
    if refused:
        return Comparison(0, (), f"it cannot be evaluated: {'; '.join(refused)}")
    asked = DocumentFilter(
        domain=domain, state="active", business_units=where.business_units, geographies=where.geographies
    )
    free = asyncio.Semaphore(AT_ONCE)
    count, differences, after = 0, list[Unequal](), None
    while page := await reads.documents(asked, Visible(), PAGE, after):
        after, count = page[-1].document_id, count + len(page)
        if count > MOST:
            return Comparison(count, differences, f"there are more than {MOST} {domain}; switch a part of them first")
        numbers = await _numbers(reads, page)
        questions = (_differences(reads, systems, one, numbers, system_ids, free) for one in page)
        for found in await asyncio.gather(*questions):
            differences += found
    return Comparison(count, differences)


def _unable(system: ErpSystem | None, system_id: str, domain: str) -> str | None:
    if system is None:
        return f"this gateway is not connected to {system_id}"
    can = system.port.capabilities().get((domain, Operation.CHANGE))
    if can is None or not can.supported:
        reason = can.reason if can is not None and can.reason else "its driver does not support it"
        return f"{system_id} does not show {domain}: {reason}"
    return None


async def _numbers(reads: MasterReads, page: Sequence[DocumentRecord]) -> Mapping[tuple[str, str], ErpNumber]:
    found = await reads.cross_references([one.document_id for one in page])
    return {
        (one.document_id, one.system_id): ErpNumber.model_construct(
            system_id=one.system_id, document_type=one.document_type, document_number=one.document_number
        )
        for one in found
        if one.valid_until is None
    }


async def _differences(
    reads: MasterReads,
    systems: Mapping[str, ErpSystem],
    master: DocumentRecord,
    numbers: Mapping[tuple[str, str], ErpNumber],
    system_ids: Sequence[str],
    free: asyncio.Semaphore,
) -> list[Unequal]:
    payload = None if master.payload_id is None else await reads.payload(master.payload_id)
    if payload is None or payload.body is None:
        return [Unequal(master.document_id, None, "was never seen whole, or was erased: send it once")]
    content = DOMAINS[master.domain].model_validate_json(payload.body)
    found = []
    for system_id in system_ids:
        number = numbers.get((master.document_id, system_id))
        async with free:
            why = (
                "has no number there" if number is None else await _stands(systems[system_id], master, content, number)
            )
        if why is not None:
            found.append(Unequal(master.document_id, system_id, why))
    return found


async def _stands(
    system: ErpSystem, master: DocumentRecord, content: CanonicalDocument, number: ErpNumber
) -> str | None:
    """Why it does not stand there as the gateway knows it; None: it does."""
    known = Submission(content, external_reference(master.transaction_id or "", 1, "do"), {})
    unchanged = Change(number, known, content, external_reference(master.document_id, 1, "do"), {})
    try:
        if await system.port.read(number) is None:
            return "is not there under its number"
        found = await system.port.inquire(unchanged)
    except ErpError as error:
        return f"cannot be read now: {type(error).__name__}"
    # nothing found: it stands as before, which is what was asked for
    return None if all(one.as_demanded for one in found) else "stands there otherwise"
