"""The number that a person names, looked up in the ERP and beside what the gateway posted itself."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.canonical import ErpNumber
from adapters.errors import ErpError
from adapters.port import ErpPort, FoundDocument
from gateway.domain.exceptions import ExceptionRecord
from gateway.domain.queries import DocumentName
from gateway.errors import FieldError, Problem
from gateway.exceptions.parts import ExceptionParts
from gateway.exceptions.ports import ExceptionUnit

FIELD = "erpDocumentNumber"
"""The member of the request that names it."""


def port_of(parts: ExceptionParts, system_id: str) -> ErpPort:
    """The ERP to ask. Raises Problem `erp-unavailable` for one that is not connected."""
    system = parts.line().systems.get(system_id)
    if system is None:
        raise unavailable(system_id)
    return system.port


async def find(parts: ExceptionParts, number: ErpNumber) -> FoundDocument | None:
    """The document as it stands there, None if there is none. Raises Problem `erp-unavailable`."""
    try:
        return await port_of(parts, number.system_id).read(number)
    except ErpError as error:
        raise unavailable(number.system_id) from error


async def read(parts: ExceptionParts, number: ErpNumber, remedy: str) -> FoundDocument:
    """The named document as it stands there. Raises Problem: erp-unavailable, unknown-reference (there is none)."""
    found = await find(parts, number)
    if found is None:
        where = f"{number.system_id} has no {shown(number)}"
        raise Problem("unknown-reference", where, remedy=remedy, errors=(FieldError(FIELD, where),))
    return found


def unavailable(system_id: str) -> Problem:
    """The ERP gave no answer, so nothing was learnt and nothing is done."""
    return Problem(
        "erp-unavailable",
        f"{system_id} could not be asked; nothing was changed",
        remedy="send the same request again",
        retry_after_s=30,
    )


async def refuse_taken(
    unit: ExceptionUnit,
    known: ExceptionRecord,
    found: FoundDocument,
    domains: Iterable[str],
    copied: str | None = None,
) -> None:
    """Raise Problem `policy-check-failed` for what another transaction posted, or another document is known by.

    `domains`: in which the ERP has a document under such a number. `copied`: a reference that tells nothing.
    """
    number = found.number
    names = [DocumentName(domain, erp_number=number) for domain in domains]
    named = await unit.documents_named(names)
    record = await unit.transaction(known.transaction_id)
    reference = found.external_reference
    poster = await unit.transaction_of_reference(reference) if reference and reference != copied else None
    others = record is not None and any(one.document_id != record.document_id for one in named.values())
    if others or (poster is not None and poster != known.transaction_id):
        raise Problem(
            "policy-check-failed",
            f"{shown(number)} is another document of the gateway's",
            remedy="name the number of this one",
            errors=(FieldError(FIELD, "belongs to another document"),),
        )


def shown(number: ErpNumber) -> str:
    """As people read it."""
    return f"{number.document_type} {number.document_number}"
