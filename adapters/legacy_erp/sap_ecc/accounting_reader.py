"""Accounting documents as the ERP holds them: by reference, by number, by posting date. Posts nothing.

A document is a header and its items, which are read after it; a header alone is reported too, because a failed posting
can leave one behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from adapters import mirrors
from adapters.errors import Garbled, Misconfigured
from adapters.legacy_erp.sap_ecc import accounting, accounting_rows, tables, translate
from adapters.legacy_erp.sap_ecc.accounting_rows import NO_ITEMS, ItemTotal, Key, header_key
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.legacy_erp.sap_ecc.table_reader import ITEMS_OF, MOST_ROWS, TableReader, checked_company, readable
from adapters.legacy_erp.sap_ecc.tables import Row
from adapters.port import FoundDocument, Page, Search

DOMAINS = frozenset({"invoices", "payments", "journal_entries"})
"""Whose documents are accounting documents."""


class AccountingReader:
    """Accounting documents of one installation."""

    def __init__(self, system_id: str, settings: SapEccSettings, reader: TableReader) -> None:
        self._system_id = system_id
        self._settings = settings
        self._reader = reader

    async def by_reference(self, reference: str) -> tuple[FoundDocument, ...]:
        """All documents that carry the reference, mirrors included, each with what reversed it."""
        wanted = translate.reference(reference)
        headers = await self._headers([tables.equals(self._settings.tables.headers.reference, wanted)])
        return tuple([await self.with_mirror(found) for found in await self._complete(headers)])

    async def by_number(self, number: str) -> FoundDocument | None:
        """The document of that number, None if there is none. What reversed it is not looked up."""
        match = translate.ACCOUNTING.match(number)
        if match is None:
            return None
        # The key is known, so header and items are asked for at once: one round trip of waiting less. A journal entry
        # has none of these items; its own are asked for when its header says what it is.
        headers, items = await asyncio.gather(
            self._headers(self._key_is(match[1], match[2], match[3])), self._customer_items([match[1]])
        )
        if not headers:
            return None
        if accounting_rows.is_of_ledger(headers[0], self._settings):
            items = await self._ledger_items([match[1]])
        return self._document(headers[0], items)

    async def with_mirror(self, document: FoundDocument) -> FoundDocument:
        """The document with the numbers of its mirrors that stand themselves, if there are any."""
        reversals = await self.standing_mirrors(document.number.document_number)
        return replace(document, reversed_by=next(iter(reversals), None), also_reversed_by=reversals[1:])

    async def standing_mirrors(self, number: str) -> tuple[str, ...]:
        """The numbers of the document's mirrors that stand themselves; one call if it never had any."""
        match = translate.ACCOUNTING.match(number)
        if match is None:
            return ()
        company_code = match[2]

        async def mirrors_of(one: str) -> list[str]:
            return await self._mirrors_of(one, company_code)

        return await mirrors.standing(number, mirrors_of)

    async def _mirrors_of(self, number: str, company_code: str) -> list[str]:
        table = self._settings.tables.headers
        conditions = [
            tables.any_of(table.document_type, self._settings.document_types.of_mirrors),
            tables.equals(table.company, company_code),
            tables.equals(table.text, accounting.mirror_text(number)),
        ]
        numbers = ["/".join(header_key(row, table)) for row in await self._headers(conditions)]
        if any(translate.ACCOUNTING.match(one) is None for one in numbers):
            raise Garbled("a mirror has no number, company code or year")
        return numbers

    async def page(self, search: Search) -> Page:
        """Documents of a domain by posting date, in the order of their keys. `reversed_by` is not looked up."""
        limit = max(1, min(search.limit, MOST_ROWS))
        headers = await self._headers(self._conditions(search), limit + 1)
        table = self._settings.tables.headers
        cursor = "/".join(header_key(headers[limit - 1], table)) if len(headers) > limit else ""
        return Page(await self._complete(headers[:limit]), cursor)

    async def _headers(self, conditions: Sequence[str], most: int = 0) -> list[Row]:
        table = self._settings.tables.headers
        return await self._reader.rows(table.table, accounting_rows.header_columns(table), conditions, most)

    async def _complete(self, headers: Sequence[Row]) -> tuple[FoundDocument, ...]:
        """Headers with what their items come to."""
        table = self._settings.tables.headers
        of_ledger = [row for row in headers if accounting_rows.is_of_ledger(row, self._settings)]
        others = [row for row in headers if not accounting_rows.is_of_ledger(row, self._settings)]
        totals: dict[Key, ItemTotal] = {}
        for rows, read in ((others, self._customer_items), (of_ledger, self._ledger_items)):
            # Items come by number alone, hence also those of other companies' documents, which are of another kind.
            wanted = {header_key(row, table) for row in rows}
            for start in range(0, len(rows), ITEMS_OF):
                numbers = sorted({row[table.number] for row in rows[start : start + ITEMS_OF]})
                totals.update({key: total for key, total in (await read(numbers)).items() if key in wanted})
        return tuple(self._document(row, totals) for row in headers)

    def _document(self, header: Row, totals: Mapping[Key, ItemTotal]) -> FoundDocument:
        items = totals.get(header_key(header, self._settings.tables.headers), NO_ITEMS)
        with readable():
            return accounting_rows.found_document(header, items, self._settings, self._system_id)

    async def _customer_items(self, numbers: Iterable[str]) -> Mapping[Key, ItemTotal]:
        """Customer items of these numbers (in every company and year) from all tables that hold such items."""
        wanted = list(numbers)
        sums: dict[Key, ItemTotal] = {}
        for table in self._settings.tables.items:
            conditions = [tables.compare(table.customer, "<>", ""), tables.any_of(table.number, wanted)]
            rows = await self._reader.rows(table.table, accounting_rows.item_columns(table), conditions)
            with readable():
                _add(sums, accounting_rows.item_totals(rows, table))
        return sums

    async def _ledger_items(self, numbers: Iterable[str]) -> Mapping[Key, ItemTotal]:
        """General ledger items of these numbers, from all tables that hold such items."""
        wanted = list(numbers)
        sums: dict[Key, ItemTotal] = {}
        for table in self._settings.tables.ledger:
            conditions = [tables.any_of(table.number, wanted)]
            rows = await self._reader.rows(table.table, accounting_rows.ledger_columns(table), conditions)
            with readable():
                _add(sums, accounting_rows.item_totals(rows, table))
        return sums

    def _conditions(self, search: Search) -> list[str]:
        table = self._settings.tables.headers
        conditions = [tables.any_of(table.document_type, self._types(search.domain))]
        literal = self._settings.tables.date_literal
        conditions += tables.dated(table.posting_date, search.posted_from, search.posted_until, literal)
        if search.company_code is not None:
            conditions.append(tables.equals(table.company, checked_company(search.company_code)))
        if search.cursor:
            match = translate.ACCOUNTING.match(search.cursor)
            if match is None:
                raise Misconfigured("the cursor is not one of this system")
            conditions.append(self._behind(match[1], match[2], match[3]))
        return conditions

    def _types(self, domain: str) -> tuple[str, ...]:
        """The document types of a domain; mirrors have others."""
        types = self._settings.document_types
        if domain == "invoices":
            return (types.invoice, types.credit_note)
        return (types.payment,) if domain == "payments" else (types.journal_entry,)

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


def _add(sums: dict[Key, ItemTotal], more: Mapping[Key, ItemTotal]) -> None:
    for key, total in more.items():
        sums[key] = sums[key] + total if key in sums else total
