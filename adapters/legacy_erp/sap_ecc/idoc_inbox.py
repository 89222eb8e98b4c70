"""Orders handed over as IDocs: sent once, watched until the application has decided, found again by their reference.

The receiver tells an IDoc by its own number, which a lost answer never tells us. So the reference is in the IDoc, and
an inquiry looks for it: first among the orders (`number_of` "order"), then through the newest IDocs. An IDoc that may
still be posted is never reported as 'nothing found', because a second one would then be a second order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from adapters.canonical import ErpNumber
from adapters.errors import ErpError, Garbled, Misconfigured, OutcomeUnknown, Rejected
from adapters.legacy_erp.sap_ecc import answers, idoc_status, translate
from adapters.legacy_erp.sap_ecc.bapi import basic_authorization
from adapters.legacy_erp.sap_ecc.idoc_status import IdocStatus, Outcome
from adapters.legacy_erp.sap_ecc.order_reader import OrderReader
from adapters.legacy_erp.sap_ecc.orders05 import MESSAGE_TYPE, IdocOrder, order_idoc, read_order_idoc
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.legacy_erp.sap_ecc.table_reader import MOST_ROWS, checked_company, readable
from adapters.legacy_erp.sap_ecc.wire import CONTENT_TYPE, Unreadable
from adapters.port import FoundDocument, Page, Permit, Posted, Search, Submission
from adapters.transport import ErpRequest, ErpResponse, Transport

_AT_ONCE: Final = 8
"""IDocs that are read at the same time."""
_ALL: Final = 30_000
"""IDocs of one list; 230 bytes each, which stays below the transport's limit of an answer."""


class IdocInbox:
    """The IDoc interface of one installation, as far as orders go. Holds nothing between calls."""

    def __init__(self, system_id: str, settings: SapEccSettings, transport: Transport, orders: OrderReader) -> None:
        self._system_id = system_id
        self._settings = settings
        self._transport = transport
        self._orders = orders
        self._authorization = basic_authorization(settings)

    async def submit(self, submission: Submission, permit: Permit) -> Posted:
        """Send the order's IDoc once, and wait until the ERP has posted or declined it.

        Raises `Rejected` with the status and its text if it was declined, `OutcomeUnknown` if it still waits at the
        end of the time limit or if no order is there although the IDoc was posted.
        """
        body = order_idoc(submission, self._settings, self._system_id)
        response = await self._transport.send(self._request("POST", body=body), permit)
        answers.raise_refusal(response)
        try:
            receipt = idoc_status.read_receipt(response)
        except Unreadable as error:
            if response.status >= 400:
                raise OutcomeUnknown(f"HTTP {response.status} without a receipt") from error
            raise Garbled(f"the receipt of an IDoc: {error}") from error
        return await self._posted(await self._final(receipt), submission.external_reference)

    async def by_reference(self, reference: str) -> tuple[FoundDocument, ...]:
        """The orders that carry the reference, or the posted IDocs that do, where those stand for orders.

        Raises `OutcomeUnknown` while an IDoc with the reference may still be posted.
        """
        stand_for_orders = self._settings.idoc.number_of == "idoc"
        if not stand_for_orders and (orders := await self._orders.by_reference(reference)):
            return orders
        found: list[FoundDocument] = []
        newest = await self._list(self._settings.idoc.recent)
        for status, order in await self._read_all(newest):
            if order is None or order.reference != translate.reference(reference):
                continue
            if status.outcome is Outcome.POSTED and stand_for_orders:
                found.append(self._found(status, order))
            elif status.outcome is Outcome.POSTED:
                raise OutcomeUnknown(f"{status}, but no order has its reference", code=f"IDOC/{status.status}")
            elif status.outcome is not Outcome.DECLINED:
                raise OutcomeUnknown(f"{status}: it may still be posted", code=f"IDOC/{status.status}")
        if not found and len(newest) >= self._settings.idoc.recent:
            raise OutcomeUnknown(
                f"not among the {len(newest)} newest IDocs, and there are more: see the setting idoc.recent"
            )
        return tuple(found)

    async def by_number(self, number: str) -> FoundDocument | None:
        """The order of the IDoc of that number; None if there is none, or if it is not posted."""
        if translate.IDOC.match(number) is None:
            return None
        response = await self._transport.send(self._request("GET", f"/{number}"))
        if response.status == 404:
            return None
        status, order = self._record(response, number)
        return self._found(status, order) if order and status.outcome is Outcome.POSTED else None

    async def page(self, search: Search) -> Page:
        """Orders by date: those of the order table, or the posted IDocs that stand for them, by number."""
        if self._settings.idoc.number_of == "order":
            return await self._orders.page(search)
        if search.cursor and translate.IDOC.match(search.cursor) is None:
            raise Misconfigured("the cursor is not one of this system")
        limit = max(1, min(search.limit, MOST_ROWS))
        posted = sorted(
            (one for one in await self._list(_ALL) if one.outcome is Outcome.POSTED and one.number > search.cursor),
            key=lambda one: one.number,
        )
        found: list[FoundDocument] = []
        for start in range(0, len(posted), limit):
            for status, order in await self._read_all(posted[start : start + limit]):
                if order is not None and self._matches(order, search):
                    found.append(self._found(status, order))
            if len(found) > limit:
                return Page(tuple(found[:limit]), found[limit - 1].number.document_number)
        return Page(tuple(found))

    async def _final(self, receipt: IdocStatus) -> IdocStatus:
        """The status once it is final, or `OutcomeUnknown` when time or the asking ends before."""
        now = receipt
        try:
            async with asyncio.timeout(self._settings.idoc.wait_s):
                while now.outcome is Outcome.WAITING:
                    await asyncio.sleep(self._settings.idoc.poll_s)
                    now, _ = await self._read(receipt.number)
        except TimeoutError:
            raise OutcomeUnknown(f"{now}, and did not change in time", code=f"IDOC/{now.status}") from None
        except ErpError as error:
            raise OutcomeUnknown(f"{now} when last seen: {error}", code=f"IDOC/{now.status}") from error
        return now

    async def _posted(self, final: IdocStatus, reference: str) -> Posted:
        code = f"IDOC/{final.status}"
        if final.outcome is Outcome.DECLINED:
            raise Rejected(final.text or str(final), code=code)
        if final.outcome is not Outcome.POSTED:
            raise OutcomeUnknown(f"{final}, which says nothing of its order", code=code)
        if self._settings.idoc.number_of == "idoc":
            return Posted(self._number(final), messages=(f"{code} {final.text}",))
        try:
            orders = await self._orders.by_reference(reference)
        except ErpError as error:
            raise OutcomeUnknown(f"{final}, its order could not be read: {error}", code=code) from error
        if len(orders) != 1:
            raise OutcomeUnknown(f"{final}, and {len(orders)} orders have its reference", code=code)
        return Posted(orders[0].number, messages=(f"{code} {final.text}",))

    async def _list(self, most: int) -> list[IdocStatus]:
        """The newest IDocs that brought orders, newest first."""
        query = {"mestyp": MESSAGE_TYPE, "limit": str(most)}
        response = await self._transport.send(self._request("GET", query=query))
        answers.raise_refusal(response)
        if response.status >= 500:
            raise OutcomeUnknown(f"HTTP {response.status} without a list of IDocs")
        with readable():
            return idoc_status.read_list(response)

    async def _read_all(self, wanted: Sequence[IdocStatus]) -> list[tuple[IdocStatus, IdocOrder | None]]:
        """Status and order of each; None for an IDoc of somebody else that we cannot read."""
        found: list[tuple[IdocStatus, IdocOrder | None]] = []
        for start in range(0, len(wanted), _AT_ONCE):
            answered = await asyncio.gather(
                *(self._read(one.number) for one in wanted[start : start + _AT_ONCE]), return_exceptions=True
            )
            for one in answered:
                if isinstance(one, BaseException):
                    raise one
                found.append(one)
        return found

    async def _read(self, number: str) -> tuple[IdocStatus, IdocOrder | None]:
        return self._record(await self._transport.send(self._request("GET", f"/{number}")), number)

    def _record(self, response: ErpResponse, number: str) -> tuple[IdocStatus, IdocOrder | None]:
        answers.raise_refusal(response)
        if response.status >= 500:
            raise OutcomeUnknown(f"HTTP {response.status} without an IDoc")
        with readable():
            status, payload = idoc_status.read_record(response, number)
        try:
            return status, read_order_idoc(payload)
        except Unreadable:
            return status, None  # we write none that we cannot read, so it is somebody else's

    def _found(self, status: IdocStatus, order: IdocOrder) -> FoundDocument:
        return FoundDocument(
            number=self._number(status),
            external_reference=order.reference,
            party=translate.party(order.customer),
            currency_code=order.currency_code or None,
            total=order.total,
            company_code=self._settings.company_of(order.organisation),
            posting_date=order.document_date,
        )

    def _matches(self, order: IdocOrder, search: Search) -> bool:
        day = order.document_date
        if search.posted_from is not None and (day is None or day < search.posted_from):
            return False
        if search.posted_until is not None and (day is None or day > search.posted_until):
            return False
        if search.company_code is None:
            return True
        return order.organisation == self._settings.area_of(checked_company(search.company_code)).organisation

    def _number(self, status: IdocStatus) -> ErpNumber:
        return ErpNumber(system_id=self._system_id, document_type="idoc", document_number=status.number)

    def _request(
        self, method: str, rest: str = "", *, query: dict[str, str] | None = None, body: bytes | None = None
    ) -> ErpRequest:
        headers = {
            "authorization": self._authorization,
            "accept": "application/json",
            "sap-client": self._settings.client,
        }
        if body is not None:
            headers["content-type"] = CONTENT_TYPE
        path = self._settings.idoc.path
        return ErpRequest(method, path + rest, query=query or {}, headers=headers, body=body, template=path)
