"""Reading documents back, whatever they are: the mouth of the readers. Posts nothing."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from decimal import Decimal
from typing import Protocol

from adapters.canonical import ErpNumber
from adapters.errors import Garbled, Misconfigured, NotSent, OutcomeUnknown, Rejected
from adapters.legacy_erp.sap_ecc import translate
from adapters.legacy_erp.sap_ecc.accounting_reader import DOMAINS, AccountingReader
from adapters.legacy_erp.sap_ecc.idoc_inbox import IdocInbox
from adapters.legacy_erp.sap_ecc.order_reader import OrderReader
from adapters.legacy_erp.sap_ecc.standing import StandingOrder
from adapters.legacy_erp.sap_ecc.table_reader import MOST_ROWS
from adapters.port import ControlTotals, FoundDocument, Page, Reversal, Search


class OrderSource(Protocol):
    """Where orders are found by reference and date: the order tables, or the IDocs that orders were handed over as."""

    def by_reference(self, reference: str) -> Awaitable[tuple[FoundDocument, ...]]:
        """All orders that carry the reference."""
        ...

    def page(self, search: Search) -> Awaitable[Page]:
        """Orders by date."""
        ...


class Reader:
    """Documents of one installation as it holds them."""

    def __init__(
        self, system_id: str, orders: OrderReader, accounting: AccountingReader, idocs: IdocInbox | None
    ) -> None:
        """`idocs`: where orders are found instead, if they are handed over as IDocs."""
        self._system_id = system_id
        self._orders = orders
        self._accounting = accounting
        self._idocs = idocs
        self._order_source: OrderSource = idocs or orders

    async def by_reference(self, domain: str, reference: str) -> tuple[FoundDocument, ...]:
        """All documents of the domain's kind that carry the reference, mirrors included."""
        if domain == "orders":
            return await self._order_source.by_reference(reference)
        return await self._of(domain).by_reference(reference)

    async def by_number(self, number: ErpNumber, *, whole: bool = True) -> FoundDocument | None:
        """The document of that number; None if there is none.

        `whole`: with what reversed it or whether it was cancelled, which takes further calls.
        """
        if number.system_id != self._system_id:
            raise Misconfigured(f"{number} is not a number of {self._system_id}")
        if number.document_type == "sales_order":
            if not whole:
                return await self._orders.head(number.document_number)
            standing = await self._orders.by_number(number.document_number)
            return standing.found if standing else None
        if number.document_type == "idoc" and self._idocs is not None:
            return await self._idocs.by_number(number.document_number)
        if number.document_type != "accounting_document":
            raise Misconfigured(f"{number.document_type} cannot be read here")
        found = await self._accounting.by_number(number.document_number)
        return await self._accounting.with_mirror(found) if found and whole else found

    async def check_unreversed(self, reversal: Reversal) -> None:
        """Raise if a mirror of the document stands already: the ERP would take a second one, too.

        `OutcomeUnknown` if it is that of an earlier attempt of this reversal, which an inquiry finds; else `Rejected`.
        Nothing was sent yet, so a reading that fails is `NotSent`, however it failed.
        """
        try:
            mirrors = await self._accounting.standing_mirrors(reversal.number.document_number)
            ours = mirrors and await self._accounting.by_reference(reversal.external_reference)
        except (OutcomeUnknown, Garbled) as error:
            raise NotSent(f"{reversal.number} could not be read before its reversal: {error}") from error
        if ours:
            raise OutcomeUnknown("the mirror is there already: an inquiry finds it")
        if mirrors:
            message = f"{reversal.number} is reversed by {mirrors[0]} already"
            raise Rejected(message, code=translate.STALE, field="number")

    async def standing(self, number: ErpNumber) -> StandingOrder | None:
        """The order of that number with its items, None if there is none."""
        return await self._orders.by_number(number.document_number)

    async def page(self, search: Search) -> Page:
        """Documents of a domain by posting date. `reversed_by` and `cancelled` are not looked up."""
        if search.domain == "orders":
            return await self._order_source.page(search)
        return await self._of(search.domain).page(search)

    async def totals(self, search: Search) -> ControlTotals:
        """Count and money by currency of all that `page` would find, page by page."""
        count = 0
        sums: dict[str, Decimal] = {}
        search = replace(search, limit=MOST_ROWS, cursor="")
        while True:
            page = await self.page(search)
            for document in page.documents:
                count += 1
                currency = document.currency_code or ""
                sums[currency] = sums.get(currency, Decimal(0)) + (document.total or 0)
            if not page.next_cursor:
                return ControlTotals(count, sums)
            search = replace(search, cursor=page.next_cursor)

    def _of(self, domain: str) -> AccountingReader:
        if domain not in DOMAINS:
            raise Misconfigured(f"{domain} cannot be read in this system")
        return self._accounting
