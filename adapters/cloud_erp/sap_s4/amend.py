"""Changing a document that stands, and calling it off: read, compare, send all of it in one call.

There is no reference of its own that such a posting could leave, so it is found by how the document stands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.canonical import ErpNumber
from adapters.cloud_erp.sap_s4.group import Group
from adapters.cloud_erp.sap_s4.nouns import Change as Way
from adapters.cloud_erp.sap_s4.nouns import Noun, domain_of
from adapters.cloud_erp.sap_s4.reader import Reader
from adapters.cloud_erp.sap_s4.services import Services
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.translate import customers, fields, orders
from adapters.cloud_erp.sap_s4.translate.standing import Standing, judged
from adapters.cloud_erp.sap_s4.wire import Entity, Row
from adapters.errors import Garbled, Misconfigured, OutcomeUnknown
from adapters.port import Cancellation, Change, Confirmation, FoundDocument, Permit, Posted, Submission


@dataclass(frozen=True, slots=True)
class Amendment:
    """A document with the entity that it is before and the one that it shall be."""

    number: ErpNumber
    noun: Noun
    way: Way
    before: Entity
    demanded: Entity
    calls_off: bool = False


def confirmation(found: FoundDocument) -> Confirmation:
    """What a document as it stands confirms."""
    return Confirmation(
        found.total,
        found.currency_code,
        found.company_code,
        found.posting_date,
        found.fiscal_year,
        found.fiscal_period,
    )


def as_changed(change: Change) -> Submission:
    """The document of a change as a submission: under the reference by which the original was created."""
    return Submission(change.document, change.original.external_reference, change.numbers)


class Amender:
    """Changes and cancellations in one system."""

    def __init__(self, settings: S4Settings, services: Services, reader: Reader) -> None:
        self._settings = settings
        self._services = services
        self._reader = reader

    def of(self, posting: Change | Cancellation) -> Amendment:
        """What is to be done. `Rejected` for what the ERP could only hold altered, `Misconfigured` for missing numbers
        and mappings. Nothing is sent."""
        noun = self._reader.noun(posting.domain)
        if noun.change is None or domain_of(posting.number.document_type) != posting.domain:
            raise Misconfigured(f"{posting.number} is none of the {posting.domain} that are changed in this system")
        before = noun.change.standing(posting.original)
        if isinstance(posting, Change):
            return Amendment(posting.number, noun, noun.change, before, noun.change.standing(as_changed(posting)))
        if posting.domain == "customers":
            before = customers.blocked_customer(before, blocked=False)
            demanded = customers.blocked_customer(before, blocked=True)
        else:
            demanded = orders.cancelled_order(before, self._settings)
        return Amendment(posting.number, noun, noun.change, before, demanded, calls_off=True)

    async def post(self, amendment: Amendment, permit: Permit, notes: tuple[str, ...] = ()) -> Posted:
        """Send what has to change, once, under the ETag with which the document was read just before."""
        number, way = amendment.number, amendment.way
        row = await self._reader.row(number, way.expand)
        if row is None:
            raise fields.stale(f"there is no {number}")
        judgement = judged(row, amendment.before, amendment.demanded, way.shape)
        if judgement.standing is Standing.DEMANDED:
            raise OutcomeUnknown(f"{number} stands as demanded already")
        if judgement.standing is Standing.OTHERWISE:
            raise fields.stale(f"{number} does not stand as it was posted: {judgement.difference}")
        if amendment.calls_off and amendment.way.totals and orders.is_delivered(row):
            raise fields.stale(f"{number} is delivered, in part at least")
        address = amendment.noun.address
        reading = (address, way.shape.key_of(row)) if way.totals else None
        changed = await self._services.client(address).change(Group(address, judgement.steps, reading), permit)
        return Posted(number, _confirmed(amendment, changed.row), (*changed.messages, *notes))

    async def inquire(self, amendment: Amendment) -> tuple[FoundDocument, ...]:
        """The document if it does not stand as before, and whether it stands as demanded."""
        row = await self._reader.row(amendment.number, amendment.way.expand)
        if row is None:
            return ()
        judgement = judged(row, amendment.before, amendment.demanded, amendment.way.shape)
        if judgement.standing is Standing.BEFORE:
            return ()
        as_demanded = judgement.standing is Standing.DEMANDED
        return (replace(amendment.noun.found(row), as_demanded=as_demanded),)


def _confirmed(amendment: Amendment, row: Row | None) -> Confirmation:
    """What was read behind the steps; they are done, so what is amiss with it only confirms nothing."""
    try:
        return Confirmation() if row is None else confirmation(amendment.noun.found(row))
    except Garbled:
        return Confirmation()
