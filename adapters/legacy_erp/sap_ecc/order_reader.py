"""Orders as the ERP holds them: by reference, by number, by date, and with their items. Posts nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from adapters.errors import Misconfigured
from adapters.legacy_erp.sap_ecc import order_rows, tables, translate
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.legacy_erp.sap_ecc.standing import StandingOrder
from adapters.legacy_erp.sap_ecc.table_reader import MOST_ROWS, TableReader, checked_company, readable
from adapters.legacy_erp.sap_ecc.tables import Row
from adapters.port import FoundDocument, Page, Search


class OrderReader:
    """Orders of one installation."""

    def __init__(self, system_id: str, settings: SapEccSettings, reader: TableReader) -> None:
        self._system_id = system_id
        self._settings = settings
        self._reader = reader

    async def by_reference(self, reference: str) -> tuple[FoundDocument, ...]:
        """All orders that carry the reference. One without any item is not what was demanded: a creation that broke
        off leaves such a one."""
        wanted = translate.reference(reference)
        rows = await self._rows([tables.equals(self._settings.tables.orders.reference, wanted)])
        whole = [await self._with_items(row) for row in rows]
        return tuple(replace(order.found, as_demanded=bool(order.items)) for order in whole)

    async def by_number(self, number: str) -> StandingOrder | None:
        """The order of that number with its items, None if there is none."""
        if translate.ORDER.match(number) is None:
            return None
        table = self._settings.tables.orders
        # The number is known, so order and items are asked for at once: one round trip of waiting less.
        rows, items = await asyncio.gather(self._rows([tables.equals(table.number, number)]), self._items(number))
        return self._standing(rows[0], items) if rows else None

    async def head(self, number: str) -> FoundDocument | None:
        """The order of that number without its items, None if there is none. `cancelled` is not looked up."""
        rows = await self._rows([tables.equals(self._settings.tables.orders.number, number)])
        return self._found(rows[0]) if rows else None

    async def page(self, search: Search) -> Page:
        """Orders by the date that the ERP gave them, in the order of their numbers. `cancelled` is not looked up."""
        limit = max(1, min(search.limit, MOST_ROWS))
        rows = await self._rows(self._conditions(search), limit + 1)
        found = [self._found(row) for row in rows]
        more = found[limit - 1].number.document_number if len(found) > limit else ""
        return Page(tuple(found[:limit]), more)

    async def _rows(self, conditions: Sequence[str], most: int = 0) -> list[Row]:
        table = self._settings.tables.orders
        return await self._reader.rows(table.table, order_rows.order_columns(table), conditions, most)

    async def _items(self, number: str) -> list[Row]:
        table = self._settings.tables.order_items
        conditions = [tables.equals(table.order, number)]
        return await self._reader.rows(table.table, order_rows.order_item_columns(table), conditions)

    async def _with_items(self, row: Row) -> StandingOrder:
        return self._standing(row, await self._items(self._found(row).number.document_number))

    def _found(self, row: Row) -> FoundDocument:
        with readable():
            return order_rows.found_order(row, self._settings, self._system_id)

    def _standing(self, row: Row, item_rows: Sequence[Row]) -> StandingOrder:
        with readable():
            table = self._settings.tables.order_items
            items = tuple(order_rows.standing_item(item, table) for item in item_rows)
            requested = tables.day_of(row[self._settings.tables.orders.requested_date])
        cancelled = all(item.rejected for item in items) if items else not self._settings.rejection_reason
        return StandingOrder(replace(self._found(row), cancelled=cancelled), requested, items)

    def _conditions(self, search: Search) -> list[str]:
        table = self._settings.tables.orders
        literal = self._settings.tables.date_literal
        conditions = tables.dated(table.posting_date, search.posted_from, search.posted_until, literal)
        if search.company_code is not None:
            area = self._settings.area_of(checked_company(search.company_code))
            conditions.append(tables.equals(table.organisation, area.organisation))
        if search.cursor:
            if translate.ORDER.match(search.cursor) is None:
                raise Misconfigured("the cursor is not one of this system")
            conditions.append(tables.compare(table.number, ">", search.cursor))
        return conditions
