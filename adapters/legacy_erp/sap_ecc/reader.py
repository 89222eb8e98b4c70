"""Reading documents back: by reference, by number, by posting date. Posts nothing.

Orders are one table. An accounting document is a header and its customer items, which are read after it; a header
alone is reported too, because a failed posting can leave one behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Final, Protocol

from adapters.canonical import ErpNumber
from adapters.errors import Garbled, Misconfigured
from adapters.legacy_erp.sap_ecc import accounting, tables, translate
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.legacy_erp.sap_ecc.tables import CustomerTotal, Key, Row
from adapters.legacy_erp.sap_ecc.translate import Call
from adapters.legacy_erp.sap_ecc.wire import Answer, Unreadable
from adapters.port import ControlTotals, FoundDocument, Page, Search

_PAGE: Final = 1_000
_ITEMS_OF: Final = 50
"""Documents whose items are asked for in one call: 50 conditions of 37 characters are below 2 kB of OPTIONS."""


class Ask(Protocol):
    """Calls a reading function and gives its answer; raises the classes of `adapters.errors`."""

    async def __call__(self, call: Call) -> Answer:
        """Call it once."""
        ...


class Reader:
    """Documents of one installation as it holds them."""

    def __init__(self, system_id: str, settings: SapEccSettings, ask: Ask) -> None:
        self._system_id = system_id
        self._settings = settings
        self._ask = ask

    async def by_reference(self, domain: str, reference: str) -> tuple[FoundDocument, ...]:
        """All documents of the domain's kind that carry the reference, mirrors included."""
        wanted = translate.reference(reference)
        if domain == "orders":
            return await self._orders([tables.equals(self._settings.tables.orders.reference, wanted)])
        _accounting_domain(domain)
        headers = await self._headers([tables.equals(self._settings.tables.headers.reference, wanted)])
        return tuple([await self._with_mirror(found) for found in await self._complete(headers)])

    async def by_number(self, number: ErpNumber, *, mirror: bool = True) -> FoundDocument | None:
        """The document of that number; `mirror` asks for what reversed it, too. None if there is none."""
        if number.system_id != self._system_id:
            raise Misconfigured(f"{number} is not a number of {self._system_id}")
        if number.document_type == "sales_order":
            if translate.ORDER.match(number.document_number) is None:
                return None
            table = self._settings.tables.orders
            orders = await self._orders([tables.equals(table.number, number.document_number)])
            return orders[0] if orders else None
        if number.document_type != "accounting_document":
            raise Misconfigured(f"{number.document_type} cannot be read here")
        match = translate.ACCOUNTING.match(number.document_number)
        if match is None:
            return None
        # The key is known, so header and items are asked for at once: one round trip of waiting less.
        headers, items = await asyncio.gather(
            self._headers(self._key_is(match[1], match[2], match[3])), self._items([match[1]])
        )
        if not headers:
            return None
        found = self._document(headers[0], items)
        return await self._with_mirror(found) if mirror else found

    async def page(self, search: Search) -> Page:
        """Documents of a domain by posting date, in the order of their keys. `reversed_by` is not looked up."""
        limit = max(1, min(search.limit, _PAGE))
        if search.domain == "orders":
            orders = await self._orders(self._order_conditions(search), limit + 1)
            more = orders[limit - 1].number.document_number if len(orders) > limit else ""
            return Page(orders[:limit], more)
        headers = await self._headers(self._header_conditions(search), limit + 1)
        table = self._settings.tables.headers
        cursor = "/".join(tables.header_key(headers[limit - 1], table)) if len(headers) > limit else ""
        return Page(await self._complete(headers[:limit]), cursor)

    async def totals(self, search: Search) -> ControlTotals:
        """Count and money by currency of all that `page` would find, page by page."""
        count = 0
        sums: dict[str, Decimal] = {}
        search = replace(search, limit=_PAGE, cursor="")
        while True:
            page = await self.page(search)
            for document in page.documents:
                count += 1
                currency = document.currency_code or ""
                sums[currency] = sums.get(currency, Decimal(0)) + (document.total or 0)
            if not page.next_cursor:
                return ControlTotals(count, sums)
            search = replace(search, cursor=page.next_cursor)

    async def _orders(self, conditions: Sequence[str], rows: int = 0) -> tuple[FoundDocument, ...]:
        table = self._settings.tables.orders
        found = await self._rows(table.table, tables.order_columns(table), conditions, rows)
        with _readable():
            return tuple(tables.found_order(row, self._settings, self._system_id) for row in found)

    async def _headers(self, conditions: Sequence[str], rows: int = 0) -> list[Row]:
        table = self._settings.tables.headers
        return await self._rows(table.table, tables.header_columns(table), conditions, rows)

    async def _complete(self, headers: Sequence[Row]) -> tuple[FoundDocument, ...]:
        """Headers with what their customer items come to."""
        table = self._settings.tables.headers
        totals: dict[Key, CustomerTotal] = {}
        for start in range(0, len(headers), _ITEMS_OF):
            numbers = sorted({row[table.number] for row in headers[start : start + _ITEMS_OF]})
            totals.update(await self._items(numbers))
        return tuple(self._document(row, totals) for row in headers)

    def _document(self, header: Row, totals: Mapping[Key, CustomerTotal]) -> FoundDocument:
        total = totals.get(tables.header_key(header, self._settings.tables.headers), CustomerTotal())
        with _readable():
            return tables.found_document(header, total, self._settings, self._system_id)

    async def _items(self, numbers: Iterable[str]) -> Mapping[Key, CustomerTotal]:
        """Customer items of these numbers (in every company and year) from all tables that hold such items."""
        sums: dict[Key, CustomerTotal] = {}
        wanted = list(numbers)
        for table in self._settings.tables.items:
            conditions = [tables.compare(table.customer, "<>", ""), tables.any_of(table.number, wanted)]
            rows = await self._rows(table.table, tables.item_columns(table), conditions)
            with _readable():
                found = tables.customer_totals(rows, table)
            for key, total in found.items():
                sums[key] = tables.added(sums[key], total) if key in sums else total
        return sums

    async def _with_mirror(self, document: FoundDocument) -> FoundDocument:
        """The document with the number of its mirror, if one was posted."""
        table = self._settings.tables.headers
        conditions = [
            tables.equals(table.document_type, self._settings.document_types.reversal),
            tables.equals(table.company, document.company_code or ""),
            tables.equals(table.text, accounting.mirror_text(document.number.document_number)),
        ]
        mirrors = await self._headers(conditions)
        number = "/".join(tables.header_key(mirrors[0], table)) if mirrors else None
        return replace(document, reversed_by=number)

    async def _rows(self, table: str, columns: Sequence[str], conditions: Sequence[str], rows: int = 0) -> list[Row]:
        answer = await self._ask(tables.read_table(table, columns, conditions, rows))
        with _readable():
            return tables.rows_of(answer, columns)

    def _order_conditions(self, search: Search) -> list[str]:
        table = self._settings.tables.orders
        literal = self._settings.tables.date_literal
        conditions = tables.dated(table.posting_date, search.posted_from, search.posted_until, literal)
        if search.company_code is not None:
            area = self._settings.area_of(_company(search.company_code))
            conditions.append(tables.equals(table.organisation, area.organisation))
        if search.cursor:
            if translate.ORDER.match(search.cursor) is None:
                raise Misconfigured("the cursor is not one of this system")
            conditions.append(tables.compare(table.number, ">", search.cursor))
        return conditions

    def _header_conditions(self, search: Search) -> list[str]:
        _accounting_domain(search.domain)
        table = self._settings.tables.headers
        types = self._settings.document_types
        wanted = (types.payment,) if search.domain == "payments" else (types.invoice, types.credit_note)
        literal = self._settings.tables.date_literal
        conditions = [tables.any_of(table.document_type, wanted)]
        conditions += tables.dated(table.posting_date, search.posted_from, search.posted_until, literal)
        if search.company_code is not None:
            conditions.append(tables.equals(table.company, _company(search.company_code)))
        if search.cursor:
            match = translate.ACCOUNTING.match(search.cursor)
            if match is None:
                raise Misconfigured("the cursor is not one of this system")
            conditions.append(self._behind(match[1], match[2], match[3]))
        return conditions

    def _key_is(self, number: str, company: str, year: str) -> list[str]:
        table = self._settings.tables.headers
        return [
            tables.equals(table.number, number),
            tables.equals(table.company, company),
            tables.equals(table.year, year),
        ]

    def _behind(self, number: str, company: str, year: str) -> str:
        """The condition for keys behind this one: numbers repeat over companies and years."""
        table = self._settings.tables.headers
        same_number = tables.equals(table.number, number)
        same_company = tables.equals(table.company, company)
        return (
            f"( {tables.compare(table.number, '>', number)}"
            f" OR ( {same_number} AND {tables.compare(table.company, '>', company)} )"
            f" OR ( {same_number} AND {same_company} AND {tables.compare(table.year, '>', year)} ) )"
        )


def _accounting_domain(domain: str) -> None:
    if domain not in {"invoices", "payments"}:
        raise Misconfigured(f"{domain} cannot be read in this system")


def _company(code: str) -> str:
    if translate.COMPANY.match(code) is None:
        raise Misconfigured("a company code of this ERP has exactly 4 characters")
    return code


@contextmanager
def _readable() -> Iterator[None]:
    """What cannot be read in an answer is `Garbled`."""
    try:
        yield
    except Unreadable as error:
        raise Garbled(str(error)) from error
