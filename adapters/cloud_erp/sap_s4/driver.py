"""`SapS4Driver`: SAP S/4HANA through its OData V2 services.

A posting is one call: the entity with everything that belongs to it in one deep insert, which the ERP executes as a
whole or not at all. So there is nothing to commit and nothing to complete afterwards.
"""

from __future__ import annotations

import time
from typing import Final

from adapters.canonical import ErpNumber
from adapters.cloud_erp.sap_s4.client import ODataClient
from adapters.cloud_erp.sap_s4.odata_v2 import ODataV2
from adapters.cloud_erp.sap_s4.reader import ORDERS, Reader
from adapters.cloud_erp.sap_s4.session import Session
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.translate import accounting, masters, orders
from adapters.cloud_erp.sap_s4.translate.fields import Draft, refusal
from adapters.cloud_erp.sap_s4.wire import Row
from adapters.errors import ErpError, Garbled, Misconfigured, OutcomeUnknown, Rejected
from adapters.port import (
    Capabilities,
    Capability,
    Confirmation,
    ControlTotals,
    Expectation,
    FoundDocument,
    Health,
    Operation,
    Page,
    Permit,
    Posted,
    Reversal,
    Search,
    Submission,
    ValidationReport,
)
from adapters.transport import Transport

_NO_MASTER_REVERSAL: Final = "a master is blocked there, not reversed"
_NO_ORDER_REVERSAL: Final = "an order is closed there by rejecting its items, which this driver does not do yet"


class SapS4Driver:
    """`ErpPort` for one SAP S/4HANA system. Holds nothing between calls but its tokens."""

    def __init__(self, system_id: str, settings: S4Settings, transport: Transport) -> None:
        """`transport` speaks to the system's address; the driver closes it."""
        self._system_id = system_id
        self._settings = settings
        self._transport = transport
        dialect = ODataV2()
        self._session = Session(transport, settings, dialect.headers, dialect.service_path(ORDERS))
        self._client = ODataClient(self._session, dialect, settings)
        self._reader = Reader(system_id, settings, self._client, dialect)

    @property
    def system_id(self) -> str:
        """The id of the system in the rulebook."""
        return self._system_id

    def capabilities(self) -> Capabilities:
        """What this system can do. Nothing can be validated: the services have no test run, every POST posts."""
        longest = self._settings.longest_execution_s
        posts = Capability(True, longest_execution_s=longest)
        product = Capability(True, reference_unique=True, longest_execution_s=longest)
        entry = Capability(True, longest_execution_s=longest, max_lines=accounting.MAX_LINES)
        payment = Capability(True, longest_execution_s=longest, max_lines=accounting.MAX_ITEMS - 2)
        no_master = Capability(False, reason=_NO_MASTER_REVERSAL)
        return {
            ("customers", Operation.CREATE): posts,
            ("customers", Operation.REVERSE): no_master,
            ("products", Operation.CREATE): product,
            ("products", Operation.REVERSE): no_master,
            ("orders", Operation.CREATE): posts,
            ("orders", Operation.REVERSE): Capability(False, reason=_NO_ORDER_REVERSAL),
            ("invoices", Operation.CREATE): entry,
            ("invoices", Operation.REVERSE): entry,
            ("payments", Operation.CREATE): payment,
            ("payments", Operation.REVERSE): payment,
        }

    def expectation(self, submission: Submission) -> Expectation:
        """What an inquiry after this submission, or after its reversal, must find; nothing is expected of a master."""
        if submission.domain == "orders":
            return orders.order_expectation(submission, self._system_id)
        if submission.domain in {"invoices", "payments"}:
            return accounting.accounting_expectation(submission, self._system_id)
        return Expectation(party=None, currency_code=None, total=None)

    async def submit(self, submission: Submission, permit: Permit) -> Posted:
        """Post the document once. A reversal is posted by `reverse`."""
        capability = self._capability(submission.domain, submission.operation)
        if submission.operation is not Operation.CREATE:
            raise Misconfigured("a reversal needs the number of what it reverses")
        lines = len(getattr(submission.document, "lines", ()))
        if lines > capability.max_lines:
            raise refusal("lines", f"the ERP holds {capability.max_lines} lines in a document, this has {lines}")
        draft = self._draft(submission)
        if submission.domain == "products":
            return await self._create_product(submission, draft, permit)
        return await self._post(submission.domain, submission.external_reference, draft, permit)

    async def inquire(self, submission: Submission) -> tuple[FoundDocument, ...]:
        """All documents that carry the submission's external reference."""
        return await self._reader.by_reference(submission.domain, submission.external_reference)

    async def validate(self, submission: Submission) -> ValidationReport:
        """Not offered: `Misconfigured`."""
        raise Misconfigured(f"{submission.domain} cannot be checked here without posting them")

    async def reverse(self, reversal: Reversal, permit: Permit) -> Posted:
        """Post the mirror of an accounting document once.

        The document is read first. One that is missing, is not what was posted, or has its mirror already is
        `Rejected`: two mirrors would undo it twice, and the ERP would take both. If the mirror is that of an earlier
        attempt of this reversal, it did happen, and an inquiry finds it.
        """
        domain = reversal.original.domain
        capability = self._capability(domain, Operation.REVERSE)
        if not capability.supported:
            raise Misconfigured(capability.reason)
        draft = accounting.mirror_draft(reversal, self._settings, self._system_id)
        standing = await self._reader.by_number(reversal.number)
        if standing is None:
            raise refusal("number", f"there is no {reversal.number}")
        if not standing.agrees_with(self.expectation(reversal.original)):
            raise refusal("number", f"{reversal.number} is another document than the one to be reversed")
        if standing.reversed_by is not None:
            if await self._reader.by_reference(domain, reversal.external_reference):
                raise OutcomeUnknown("the mirror is there already")
            raise refusal("number", f"{reversal.number} is reversed by {standing.reversed_by} already")
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
            await self._client.look(ORDERS)
        except ErpError as error:
            return Health(False, f"{type(error).__name__}: {error.message}", time.monotonic() - started)
        return Health(True, "", time.monotonic() - started)

    async def aclose(self) -> None:
        """Give back connections."""
        await self._session.aclose()
        await self._transport.aclose()

    def _capability(self, domain: str, operation: Operation) -> Capability:
        capability = self.capabilities().get((domain, operation))
        if capability is None:
            raise Misconfigured(f"{domain} are not kept in this system")
        return capability

    def _draft(self, submission: Submission) -> Draft:
        if submission.domain == "customers":
            return masters.customer_draft(submission, self._settings)
        if submission.domain == "products":
            return masters.product_draft(submission, self._settings)
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

        created = await self._client.create(noun.address, draft.entity, permit, expand=noun.expand, check=ours)
        found = noun.found(created.row)
        return Posted(found.number, _confirmation(found), (*created.messages, *draft.notes))


def _confirmation(found: FoundDocument) -> Confirmation:
    return Confirmation(
        found.total,
        found.currency_code,
        found.company_code,
        found.posting_date,
        found.fiscal_year,
        found.fiscal_period,
    )
