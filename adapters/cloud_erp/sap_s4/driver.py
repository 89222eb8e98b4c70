"""`SapS4Driver`: SAP S/4HANA through its OData services, V2 or V4.

A posting is one call: an entity with everything that belongs to it in one deep insert, or all changes of a document in
one atomic group, which the ERP executes as a whole or not at all. So there is nothing to commit and nothing to complete
afterwards.
"""

from __future__ import annotations

import time

from adapters.canonical import CanonicalDocument, Customer, ErpNumber
from adapters.cloud_erp.sap_s4.amend import Amender, as_changed, confirmation
from adapters.cloud_erp.sap_s4.capabilities import capabilities_of
from adapters.cloud_erp.sap_s4.reader import Reader
from adapters.cloud_erp.sap_s4.services import ORDERS, Services
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.translate import accounting, customers, orders, products
from adapters.cloud_erp.sap_s4.translate.fields import Draft, refusal, stale
from adapters.cloud_erp.sap_s4.wire import Row
from adapters.errors import ErpError, Garbled, Misconfigured, OutcomeUnknown, Rejected
from adapters.port import (
    Cancellation,
    Capabilities,
    Capability,
    Change,
    ControlTotals,
    Expectation,
    FoundDocument,
    Health,
    Operation,
    Page,
    Permit,
    Posted,
    Posting,
    Reversal,
    Search,
    Submission,
    ValidationReport,
)
from adapters.transport import Transport


class SapS4Driver:
    """`ErpPort` for one SAP S/4HANA system. Holds nothing between calls but its tokens."""

    def __init__(self, system_id: str, settings: S4Settings, transport: Transport) -> None:
        """`transport` speaks to the system's address; the driver closes it."""
        self._system_id = system_id
        self._settings = settings
        self._transport = transport
        self._services = Services(settings, transport)
        self._reader = Reader(system_id, settings, self._services)
        self._amender = Amender(settings, self._services, self._reader)
        self._capabilities = capabilities_of(settings, self._services)

    @property
    def system_id(self) -> str:
        """The id of the system in the rulebook."""
        return self._system_id

    def capabilities(self) -> Capabilities:
        """What this system can do, complete."""
        return self._capabilities

    def expectation(self, posting: Posting) -> Expectation:
        """What an inquiry after this posting must find.

        A mirror has its original's party and total; of a cancelled order no total is expected, because systems differ
        in what they count of rejected items; nothing is expected of a master.
        """
        document = _document_of(posting)
        if document.domain == "orders":
            expected = orders.order_expectation(document, self._system_id)
            if isinstance(posting, Cancellation):
                return Expectation(expected.party, expected.currency_code, total=None)
            return expected
        if document.domain in accounting.DOMAINS:
            return accounting.accounting_expectation(document, self._system_id)
        return Expectation(party=None, currency_code=None, total=None)

    async def submit(self, submission: Submission, permit: Permit) -> Posted:
        """Post the document once."""
        capability = self._capability(submission.domain, submission.operation)
        _check_lines(submission.document, capability)
        draft = self._draft(submission)
        if submission.domain == "products":
            return await self._create_product(submission, draft, permit)
        return await self._post(submission.domain, submission.external_reference, draft, permit)

    async def change(self, change: Change, permit: Permit) -> Posted:
        """Make the document say what it shall say, all of it in one atomic group.

        `Rejected` if a member changes that cannot be changed here, if there is no such document, or if it stands
        otherwise than the original says; `OutcomeUnknown` if it stands as demanded already.
        """
        capability = self._capability(change.domain, change.operation)
        _check_members(change, capability)
        _check_lines(change.document, capability)
        amendment = self._amender.of(change)
        document = change.document
        notes = customers.contact_notes(document) if isinstance(document, Customer) else ()
        return await self._amender.post(amendment, permit, notes)

    async def cancel(self, cancellation: Cancellation, permit: Permit) -> Posted:
        """Call an order off, or block a customer, all of it in one atomic group, by the rules of `change`.

        `Rejected` also if something of the order is delivered. The reason there is that of the settings; the caller's
        own words stay in the trace ledger.
        """
        self._capability(cancellation.domain, cancellation.operation)
        return await self._amender.post(self._amender.of(cancellation), permit)

    async def inquire(self, posting: Posting) -> tuple[FoundDocument, ...]:
        """All documents that carry the reference of a submission or reversal; after a change or cancellation, the
        document if it does not stand as before."""
        if isinstance(posting, Change | Cancellation):
            self._capability(posting.domain, posting.operation)
            return await self._amender.inquire(self._amender.of(posting))
        return await self._reader.by_reference(posting.domain, posting.external_reference)

    async def validate(self, submission: Submission) -> ValidationReport:
        """Not offered: `Misconfigured`."""
        raise Misconfigured(f"{submission.domain} cannot be checked here without posting them")

    async def reverse(self, reversal: Reversal, permit: Permit) -> Posted:
        """Post the mirror of an accounting document once.

        The document is read first. One that is missing, is not what was posted, or has its mirror already is
        `Rejected`: two mirrors would undo it twice, and the ERP would take both. If the mirror is that of an earlier
        attempt of this reversal, it did happen, and an inquiry finds it.
        """
        domain = reversal.domain
        self._capability(domain, reversal.operation)
        draft = accounting.mirror_draft(reversal, self._settings, self._system_id)
        standing = await self._reader.by_number(reversal.number)
        if standing is None:
            raise stale(f"there is no {reversal.number}")
        if not standing.agrees_with(self.expectation(reversal)):
            raise stale(f"{reversal.number} is another document than the one to be reversed")
        if standing.reversed_by is not None:
            if await self._reader.by_reference(domain, reversal.external_reference):
                raise OutcomeUnknown("the mirror is there already")
            raise stale(f"{reversal.number} is reversed by {standing.reversed_by} already")
        return await self._post(domain, reversal.external_reference, draft, permit)

    async def read(self, number: ErpNumber) -> FoundDocument | None:
        """The document of that number, None if there is none."""
        return await self._reader.by_number(number)

    async def search(self, search: Search) -> Page:
        """Documents by posting date; masters by the day of their creation."""
        return await self._reader.page(search)

    async def control_totals(self, search: Search) -> ControlTotals:
        """Count and money of all that `search` would find. Mirrors are not among them, and do not reduce them."""
        return await self._reader.totals(search)

    async def health(self) -> Health:
        """Whether the system gives us a token and serves its sales orders to us."""
        started = time.monotonic()
        try:
            await self._services.client(ORDERS).look(ORDERS)
        except ErpError as error:
            return Health(False, f"{type(error).__name__}: {error.message}", time.monotonic() - started)
        return Health(True, "", time.monotonic() - started)

    async def aclose(self) -> None:
        """Give back connections."""
        await self._services.session.aclose()
        await self._transport.aclose()

    def _capability(self, domain: str, operation: Operation) -> Capability:
        capability = self._capabilities.get((domain, operation))
        if capability is None or not capability.supported:
            raise Misconfigured(capability.reason if capability else f"{domain} are not kept in this system")
        return capability

    def _draft(self, submission: Submission) -> Draft:
        if submission.domain == "customers":
            return customers.customer_draft(submission, self._settings)
        if submission.domain == "products":
            return products.product_draft(submission, self._settings)
        if submission.domain == "orders":
            return orders.order_draft(submission, self._settings, self._system_id)
        return accounting.accounting_draft(submission, self._settings, self._system_id)

    async def _create_product(self, submission: Submission, draft: Draft, permit: Permit) -> Posted:
        """A refusal may come of an earlier attempt that has created it: then it did happen, and an inquiry finds it.

        If another product has the number, it is refused indeed.
        """
        try:
            return await self._post(submission.domain, submission.external_reference, draft, permit)
        except Rejected as refused:
            try:
                created_before = await self._reader.holds_product(submission)
            except ErpError as error:
                raise OutcomeUnknown(f"refused, and perhaps there already: {error.message}") from refused
            if created_before:
                raise OutcomeUnknown("the product is there already", code=refused.code) from refused
            raise

    async def _post(self, domain: str, external_reference: str, draft: Draft, permit: Permit) -> Posted:
        noun = self._reader.noun(domain)

        def ours(row: Row) -> None:
            if row.text(noun.reference) != external_reference:
                raise Garbled("the answer is another document than the one that was sent")

        created = await self._services.client(noun.address).create(
            noun.address, draft.entity, permit, expand=noun.expand, check=ours
        )
        found = noun.found(created.row)
        return Posted(found.number, confirmation(found), (*created.messages, *draft.notes))


def _document_of(posting: Posting) -> Submission:
    """What shall stand after the posting, as a submission."""
    if isinstance(posting, Change):
        return as_changed(posting)
    return posting if isinstance(posting, Submission) else posting.original


def _check_members(change: Change, capability: Capability) -> None:
    """`Rejected` for the first member that differs and cannot be changed here; half a change is none."""
    before, demanded = change.original.document, change.document
    if type(before) is not type(demanded):
        raise Misconfigured(f"a change makes no {demanded.domain} of {before.domain}")
    for name, info in type(demanded).model_fields.items():
        member = info.alias or name
        if member not in capability.changeable and getattr(before, name) != getattr(demanded, name):
            raise refusal(member, f"{member} cannot be changed here; {', '.join(sorted(capability.changeable))} can")


def _check_lines(document: CanonicalDocument, capability: Capability) -> None:
    for name in ("lines", "allocations"):
        count = len(getattr(document, name, ()))
        if count > capability.max_lines:
            raise refusal(name, f"the ERP holds {capability.max_lines} {name} in a document, this has {count}")
