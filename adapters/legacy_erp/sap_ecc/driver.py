"""`SapEccDriver`: SAP ECC through BAPIs over SOAP 1.1.

A posting is two calls there: the BAPI does the work, BAPI_TRANSACTION_COMMIT makes it last (BAPI Programming Guide,
"Transaction Model"). The permit stands before the first, since a simulator and some installations keep its work
without the second; once the first said yes, nothing is definite any more until the commit said yes, too.
"""

from __future__ import annotations

import asyncio
import base64
import time
from typing import Final

from adapters.canonical import ErpNumber
from adapters.errors import ErpError, Garbled, Misconfigured, OutcomeUnknown, Rejected
from adapters.legacy_erp.sap_ecc import accounting, answers, orders, translate
from adapters.legacy_erp.sap_ecc.reader import Reader
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.legacy_erp.sap_ecc.translate import Call
from adapters.legacy_erp.sap_ecc.wire import (
    COMMIT,
    CONTENT_TYPE,
    CREATE_ORDER,
    PING,
    Answer,
    Unreadable,
    envelope,
)
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
from adapters.transport import ErpRequest, ErpResponse, Transport

_NO_MASTERS: Final = "the ERP offers no function that creates customers or materials; they are kept there"
_NO_CANCEL: Final = "the ERP offers no function that reverses an order; it is closed there by rejecting its items"
_LINES: Final = 990
"""Leaves room for customer, freight and tax items among the 999 of an accounting document."""


class SapEccDriver:
    """`ErpPort` for one SAP ECC installation. Holds nothing between calls."""

    def __init__(self, system_id: str, settings: SapEccSettings, transport: Transport) -> None:
        """`transport` speaks to the installation's address; the driver closes it."""
        self._system_id = system_id
        self._settings = settings
        self._transport = transport
        credentials = f"{settings.user}:{settings.password.get_secret_value()}".encode()
        self._authorization = "Basic " + base64.b64encode(credentials).decode("ascii")
        self._reader = Reader(system_id, settings, self._ask)

    @property
    def system_id(self) -> str:
        """The id of the system in the rulebook."""
        return self._system_id

    def capabilities(self) -> Capabilities:
        """What this system can do. TESTRUN is honoured for orders only: a test run of an accounting document posts."""
        longest = self._settings.longest_execution_s
        order = Capability(True, longest_execution_s=longest, can_validate=True, max_lines=_LINES)
        document = Capability(True, longest_execution_s=longest, max_lines=_LINES)
        return {
            ("orders", Operation.CREATE): order,
            ("orders", Operation.REVERSE): Capability(False, reason=_NO_CANCEL),
            ("invoices", Operation.CREATE): document,
            ("invoices", Operation.REVERSE): document,
            ("payments", Operation.CREATE): document,
            ("payments", Operation.REVERSE): document,
            ("customers", Operation.CREATE): Capability(False, reason=_NO_MASTERS),
            ("products", Operation.CREATE): Capability(False, reason=_NO_MASTERS),
        }

    def expectation(self, submission: Submission) -> Expectation:
        """What an inquiry after this submission must find."""
        if submission.domain == "orders":
            return orders.order_expectation(submission, self._system_id)
        return accounting.accounting_expectation(submission, self._system_id)

    async def submit(self, submission: Submission, permit: Permit) -> Posted:
        """Post the document once."""
        self._served(submission.domain, Operation.CREATE)
        if submission.operation is not Operation.CREATE:
            raise Misconfigured("a reversal is posted by `reverse`")
        if submission.domain == "orders":
            return await self._post(orders.create_order(submission, self._settings, self._system_id), permit)
        return await self._post(accounting.post_document(submission, self._settings, self._system_id), permit)

    async def reverse(self, reversal: Reversal, permit: Permit) -> Posted:
        """Post the mirror of an accounting document once."""
        self._served(reversal.original.domain, Operation.REVERSE)
        return await self._post(accounting.post_mirror(reversal, self._settings, self._system_id), permit)

    async def inquire(self, submission: Submission) -> tuple[FoundDocument, ...]:
        """All documents that carry the submission's external reference."""
        return await self._reader.by_reference(submission.domain, submission.external_reference)

    async def validate(self, submission: Submission) -> ValidationReport:
        """Let the ERP check an order in a test run. What the translation refuses is not accepted either."""
        if submission.domain != "orders":
            raise Misconfigured(f"the ERP checks no {submission.domain} without posting them")
        try:
            call = orders.create_order(submission, self._settings, self._system_id, test_run=True)
        except Rejected as refused:
            return ValidationReport(False, (f"{refused.code} {refused.field}: {refused.message}",))
        try:
            answer = await self._ask(call)
            said = answers.messages(answer)
            created = answer.text("SALESDOCUMENT").strip()
        except Rejected as refused:
            return ValidationReport(False, (f"{refused.code} {refused.message}",))
        except Unreadable as error:
            raise Garbled(str(error)) from error
        if created:
            raise Garbled("a test run answered with the number of a document")
        if any(message.kind in {"E", "A"} for message in said):
            return ValidationReport(False, tuple(f"{message.code} {message.text}" for message in said[:20]))
        return ValidationReport(True, tuple(f"{message.code} {message.text}" for message in said[:20]))

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
            await self._ask(Call(PING, {}))
        except ErpError as error:
            return Health(False, error.message, time.monotonic() - started)
        return Health(True, latency_s=time.monotonic() - started)

    async def aclose(self) -> None:
        """Give back connections."""
        await self._transport.aclose()

    def _served(self, domain: str, operation: Operation) -> None:
        capability = self.capabilities().get((domain, operation))
        if capability is None or not capability.supported:
            reason = capability.reason if capability else "not supported"
            raise Misconfigured(f"{operation} of {domain}: {reason}")

    async def _post(self, call: Call, permit: Permit) -> Posted:
        """The BAPI, its commit, and what was posted."""
        response = await self._transport.send(self._request(call), permit)
        answer = answers.read_answer(call.function, response, posts=True)
        try:
            number, said = self._posted(call, answer)
        except Unreadable as error:
            raise Garbled(f"{call.function.name}: {error}") from error
        if not self._settings.commits_itself:
            await self._commit(number, response)
        return Posted(number, await self._confirmed(number), answers.remarks(said))

    def _posted(self, call: Call, answer: Answer) -> tuple[ErpNumber, tuple[answers.Message, ...]]:
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

    async def _commit(self, number: ErpNumber, response: ErpResponse) -> None:
        """Commit in the session that the BAPI's answer opened. From here on, every failure is `OutcomeUnknown`: the
        BAPI did its work, and whether that work stays cannot be told."""
        session = "; ".join(cookie.partition(";")[0] for cookie in response.cookies)
        request = self._request(Call(COMMIT, {"WAIT": "X", "RETURN": ""}), session)
        try:
            answer = answers.read_answer(COMMIT, await self._transport.send(request), posts=True)
            refused = answers.refusal(answers.messages(answer), frozenset())
        except (ErpError, Unreadable) as error:
            raise OutcomeUnknown(f"{number} was made, its commit is not confirmed: {error}") from error
        if refused is not None:
            raise OutcomeUnknown(f"{number} was made, its commit was refused: {refused.message}", code=refused.code)

    async def _confirmed(self, number: ErpNumber) -> Confirmation:
        """What the ERP says of what was just posted: its key, and the rest if it is read back in time. The document is
        posted whatever comes of the reading, so nothing here may fail."""
        match = translate.ACCOUNTING.match(number.document_number)
        said = Confirmation(company_code=match[2], fiscal_year=int(match[3])) if match else Confirmation()
        if not self._settings.read_back:
            return said
        try:
            async with asyncio.timeout(self._settings.read_back_s):
                found = await self._reader.by_number(number, mirror=False)
        except (ErpError, TimeoutError):
            return said
        if found is None:
            return said
        return Confirmation(
            found.total,
            found.currency_code,
            found.company_code,
            found.posting_date,
            found.fiscal_year,
            found.fiscal_period,
        )

    async def _ask(self, call: Call) -> Answer:
        """A call that posts nothing."""
        return answers.read_answer(call.function, await self._transport.send(self._request(call)), posts=False)

    def _request(self, call: Call, session: str = "") -> ErpRequest:
        headers = {
            "authorization": self._authorization,
            "content-type": CONTENT_TYPE,
            "accept": "text/xml",
            "soapaction": '""',
            "sap-client": self._settings.client,
        }
        if session:
            headers["cookie"] = session
        path = self._settings.path.format(function=call.function.name.lower(), client=self._settings.client)
        return ErpRequest("POST", path, headers=headers, body=envelope(call.function, call.parameters), template=path)
