"""`SapEccDriver`: SAP ECC through BAPIs over SOAP 1.1, and orders as IDocs where their BAPIs are closed.

Once a BAPI said yes, nothing is definite any more until its commit said yes, too.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Final

from adapters.canonical import ErpNumber
from adapters.errors import ErpError, Garbled, Misconfigured, NotSent, OutcomeUnknown, Rejected
from adapters.legacy_erp.sap_ecc import accounting, answers, offer, order_changes, orders, translate
from adapters.legacy_erp.sap_ecc.accounting_reader import AccountingReader
from adapters.legacy_erp.sap_ecc.bapi import Bapi
from adapters.legacy_erp.sap_ecc.idoc_inbox import IdocInbox
from adapters.legacy_erp.sap_ecc.order_reader import OrderReader
from adapters.legacy_erp.sap_ecc.reader import Reader
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.legacy_erp.sap_ecc.standing import Standing, StandingOrder, demanded, standing_of
from adapters.legacy_erp.sap_ecc.table_reader import TableReader, readable
from adapters.legacy_erp.sap_ecc.translate import Call
from adapters.legacy_erp.sap_ecc.wire import CREATE_ORDER, PING, Answer, Unreadable
from adapters.port import (
    Cancellation,
    Capabilities,
    Change,
    Confirmation,
    ControlTotals,
    Expectation,
    FoundDocument,
    Health,
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

_REMARKS: Final = 20


class SapEccDriver:
    """`ErpPort` for one SAP ECC installation. Holds nothing between calls."""

    def __init__(self, system_id: str, settings: SapEccSettings, transport: Transport) -> None:
        """`transport` speaks to the installation's address; the driver closes it."""
        self._system_id = system_id
        self._settings = settings
        self._capabilities = offer.capabilities(settings)  # each decision asks, some times a document
        self._transport = transport
        self._bapi = Bapi(settings, transport)
        tables = TableReader(self._bapi.ask)
        self._orders = OrderReader(system_id, settings, tables)
        self._inbox: IdocInbox | None = None
        if settings.orders_by == "idoc":
            self._inbox = IdocInbox(system_id, settings, transport, self._orders)
        accounts = AccountingReader(system_id, settings, tables)
        self._reader = Reader(system_id, self._orders, accounts, self._inbox)

    @property
    def system_id(self) -> str:
        """The id of the system in the rulebook."""
        return self._system_id

    def capabilities(self) -> Capabilities:
        """What this system can do."""
        return self._capabilities

    def expectation(self, posting: Posting) -> Expectation:
        """What an inquiry after this posting must find. A mirror comes to what its original did; of a cancelled order
        only its items tell, so no total is expected of it."""
        if isinstance(posting, Submission):
            submission = posting
        else:
            submission = demanded(posting) if isinstance(posting, Change) else posting.original
        if submission.domain != "orders":
            return accounting.accounting_expectation(submission, self._system_id)
        expected = orders.order_expectation(submission, self._system_id)
        return replace(expected, total=None) if isinstance(posting, Cancellation) else expected

    async def submit(self, submission: Submission, permit: Permit) -> Posted:
        """Post the document once."""
        self._served(submission)
        if submission.domain != "orders":
            return await self._post(accounting.post_document(submission, self._settings, self._system_id), permit)
        if self._inbox is not None:
            return await self._inbox.submit(submission, permit)
        return await self._post(orders.create_order(submission, self._settings, self._system_id), permit)

    async def change(self, change: Change, permit: Permit) -> Posted:
        """Make an order say what `change.document` says, once."""
        self._served(change)
        order_changes.check_change(change, self._settings, self._system_id)
        before = await self._as_before(change)
        call = order_changes.change_order(change, before, self._settings, self._system_id)
        return await self._alter(change, call, permit)

    async def cancel(self, cancellation: Cancellation, permit: Permit) -> Posted:
        """Call an order off, once, by rejecting or deleting all its items."""
        self._served(cancellation)
        order_changes.check_cancellation(cancellation, self._system_id)
        before = await self._as_before(cancellation)
        call = order_changes.cancel_order(cancellation, before, self._settings, self._system_id)
        return await self._alter(cancellation, call, permit)

    async def reverse(self, reversal: Reversal, permit: Permit) -> Posted:
        """Post the mirror of an accounting document once, unless it has one that stands already."""
        self._served(reversal)
        call = accounting.post_mirror(reversal, self._settings, self._system_id)
        await self._reader.check_unreversed(reversal)
        return await self._post(call, permit)

    async def inquire(self, posting: Posting) -> tuple[FoundDocument, ...]:
        """What shows that the posting happened: documents with its reference, or the order if it stands as demanded."""
        if isinstance(posting, Submission | Reversal):
            return await self._reader.by_reference(posting.domain, posting.external_reference)
        self._served(posting)
        order_changes.check_number(posting, self._system_id)
        order = await self._orders.by_number(posting.number.document_number)
        if order is None:
            return ()
        standing = standing_of(posting, order, self._settings, self._system_id)
        if standing is Standing.BEFORE:
            return ()
        return (replace(order.found, as_demanded=standing is Standing.DEMANDED),)

    async def validate(self, submission: Submission) -> ValidationReport:
        """Let the ERP check an order in a test run. What the translation refuses is not accepted either."""
        if submission.domain != "orders" or self._inbox is not None:
            raise Misconfigured(f"the ERP checks no {submission.domain} without posting them")
        try:
            call = orders.create_order(submission, self._settings, self._system_id, test_run=True)
        except Rejected as refused:
            return ValidationReport(False, (f"{refused.code} {refused.field}: {refused.message}",))
        try:
            answer = await self._bapi.ask(call)
        except Rejected as refused:
            return ValidationReport(False, (f"{refused.code} {refused.message}",))
        with readable():
            said = answers.messages(answer)
            created = answer.text("SALESDOCUMENT").strip()
        if created:
            raise Garbled("a test run answered with the number of a document")
        refused_there = any(message.kind in {"E", "A"} for message in said)
        return ValidationReport(
            not refused_there, tuple(f"{message.code} {message.text}" for message in said[:_REMARKS])
        )

    async def read(self, number: ErpNumber) -> FoundDocument | None:
        """The document of that number, None if there is none."""
        return await self._reader.by_number(number)

    async def search(self, search: Search) -> Page:
        """Documents by posting date; an order's is the date that the ERP gave it."""
        return await self._reader.page(search)

    async def control_totals(self, search: Search) -> ControlTotals:
        """Count and money of all that `search` would find. Amounts are positive, credit notes' too."""
        return await self._reader.totals(search)

    async def health(self) -> Health:
        """Whether the ERP answers RFC_PING with our credentials."""
        started = time.monotonic()
        try:
            await self._bapi.ask(Call(PING, {}))
        except ErpError as error:
            return Health(False, error.message, time.monotonic() - started)
        return Health(True, latency_s=time.monotonic() - started)

    async def aclose(self) -> None:
        """Give back connections."""
        await self._transport.aclose()

    def _served(self, posting: Posting) -> None:
        capability = self.capabilities().get((posting.domain, posting.operation))
        if capability is None or not capability.supported:
            reason = capability.reason if capability else "not supported"
            raise Misconfigured(f"{posting.operation} of {posting.domain}: {reason}")

    async def _post(self, call: Call, permit: Permit) -> Posted:
        """The BAPI, its commit, and what was posted."""
        answer, response = await self._bapi.post(call, permit)
        try:
            number, said = self._number_in(call, answer)
        except Unreadable as error:
            raise Garbled(f"{call.function.name}: {error}") from error
        await self._bapi.commit(f"{number} was made", response)
        return Posted(number, await self._confirmed(number), answers.remarks(said))

    def _number_in(self, call: Call, answer: Answer) -> tuple[ErpNumber, tuple[answers.Message, ...]]:
        """The number that the answer gives, and its messages. Raises what a refusal is; a refusal with a number, and
        a success without one, contradict themselves and are `Unreadable`."""
        said = answers.messages(answer)
        refused = answers.refusal(said, self._settings.lock_messages)
        if call.function == CREATE_ORDER:
            kind, given = "sales_order", answer.text("SALESDOCUMENT").strip()
            well_formed = translate.ORDER.match(given) is not None
        else:
            kind, given = "accounting_document", answer.text("OBJ_KEY").strip()
            match = translate.OBJ_KEY.match(given)
            well_formed = match is not None
            given = "/".join(match.groups()) if match else given.strip("$")  # `$` is OBJ_KEY's word for none
        if refused is not None:
            if given:
                raise Unreadable("a refusal holds the number of a document")
            raise refused
        if not well_formed:
            raise Unreadable("a success holds no number of a document")
        return ErpNumber(system_id=self._system_id, document_type=kind, document_number=given), said

    async def _as_before(self, posting: Change | Cancellation) -> StandingOrder:
        """The order as it stands, if that is what the posting's original says. Nothing was sent yet, so a reading that
        fails is `NotSent`, however it failed."""
        try:
            order = await self._orders.by_number(posting.number.document_number)
        except (OutcomeUnknown, Garbled) as error:
            raise NotSent(f"{posting.number} could not be read before its {posting.operation}: {error}") from error
        if order is None:
            raise Rejected(f"{posting.number} does not exist there", code=translate.STALE)
        standing = standing_of(posting, order, self._settings, self._system_id)
        if standing is Standing.DEMANDED:
            raise OutcomeUnknown(f"{posting.number} stands as demanded already: an inquiry finds it")
        if standing is Standing.OTHERWISE:
            raise Rejected(f"{posting.number} was changed there by somebody else: read it again", code=translate.STALE)
        return order

    async def _alter(self, posting: Change | Cancellation, call: Call, permit: Permit) -> Posted:
        """The change, its commit, and whether the order says what it shall."""
        answer, response = await self._bapi.post(call, permit)
        with readable():
            said = answers.messages(answer)
        refused = answers.refusal(said, self._settings.lock_messages)
        if refused is not None:
            await self._check_untouched(posting, refused)
            raise refused
        if not answers.saved(said):
            raise OutcomeUnknown(f"{posting.number} was neither saved nor refused: {'; '.join(answers.remarks(said))}")
        await self._bapi.commit(f"{posting.number} was changed", response)
        now = await self._glance(posting)
        if now is not None and standing_of(posting, now, self._settings, self._system_id) is not (Standing.DEMANDED):
            raise OutcomeUnknown(f"{posting.number} was saved, but does not stand as demanded")
        return Posted(posting.number, _confirmation(now.found) if now else Confirmation(), answers.remarks(said))

    async def _check_untouched(self, posting: Change | Cancellation, refused: Rejected | NotSent) -> None:
        """Raise `OutcomeUnknown` if the order of a refused change is not as before: without a commit a real ECC keeps
        nothing of it, but the simulator keeps what came before the row that it refused."""
        now = await self._glance(posting)
        if now is None:
            return
        if standing_of(posting, now, self._settings, self._system_id) is not Standing.BEFORE:
            raise OutcomeUnknown(f"refused in part: {refused.message}", code=refused.code, field=refused.field)

    async def _glance(self, posting: Change | Cancellation) -> StandingOrder | None:
        """The order after a call, None if it cannot be read in time: then the call's own answer has to do."""
        if not self._settings.read_back:
            return None
        try:
            async with asyncio.timeout(self._settings.read_back_s):
                return await self._orders.by_number(posting.number.document_number)
        except (ErpError, TimeoutError):
            return None

    async def _confirmed(self, number: ErpNumber) -> Confirmation:
        """What the ERP says of what was just posted: its key, and the rest if it is read back in time. The document is
        posted whatever comes of the reading, so nothing here may fail."""
        match = translate.ACCOUNTING.match(number.document_number)
        said = Confirmation(company_code=match[2], fiscal_year=int(match[3])) if match else Confirmation()
        if not self._settings.read_back:
            return said
        try:
            async with asyncio.timeout(self._settings.read_back_s):
                found = await self._reader.by_number(number, whole=False)
        except (ErpError, TimeoutError):
            return said
        return said if found is None else _confirmation(found)


def _confirmation(found: FoundDocument) -> Confirmation:
    return Confirmation(
        found.total,
        found.currency_code,
        found.company_code,
        found.posting_date,
        found.fiscal_year,
        found.fiscal_period,
    )
