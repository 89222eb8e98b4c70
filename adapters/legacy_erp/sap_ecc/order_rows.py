"""Orders and their items as rows of tables state them. Pure."""

from __future__ import annotations

from adapters.canonical import ErpNumber
from adapters.legacy_erp.sap_ecc import translate
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.legacy_erp.sap_ecc.standing import StandingItem
from adapters.legacy_erp.sap_ecc.table_names import OrderItemTable, OrderTable
from adapters.legacy_erp.sap_ecc.tables import Row, amount_of, day_of, trimmed
from adapters.legacy_erp.sap_ecc.wire import Unreadable
from adapters.port import FoundDocument


def order_columns(table: OrderTable) -> tuple[str, ...]:
    """Columns of an order, the caller's free text last."""
    return (
        table.number,
        table.party,
        table.currency,
        table.total,
        table.posting_date,
        table.organisation,
        table.requested_date,
        table.reference,
    )


def order_item_columns(table: OrderItemTable) -> tuple[str, ...]:
    """Columns of an order's item, the caller's free text last."""
    rejection = (table.rejection,) if table.rejection else ()
    return (table.order, table.number, table.material, table.quantity, table.unit, table.net, *rejection, table.text)


def found_order(row: Row, settings: SapEccSettings, system_id: str) -> FoundDocument:
    """An order as its row states it. Raises `Unreadable` for a number, amount or date that is none."""
    table = settings.tables.orders
    if translate.ORDER.match(row[table.number]) is None:
        raise Unreadable("an order has no number")
    return FoundDocument(
        number=ErpNumber(system_id=system_id, document_type="sales_order", document_number=row[table.number]),
        external_reference=row[table.reference],
        party=translate.party(row[table.party]),
        currency_code=row[table.currency],
        total=trimmed(amount_of(row[table.total]), row[table.currency]),
        company_code=settings.company_of(row[table.organisation]),
        posting_date=day_of(row[table.posting_date]),
    )


def standing_item(row: Row, table: OrderItemTable) -> StandingItem:
    """An item as its row states it. Raises `Unreadable` for an amount that is none."""
    return StandingItem(
        number=row[table.number],
        material=row[table.material],
        text=row[table.text],
        quantity=amount_of(row[table.quantity]),
        unit=row[table.unit],
        net=amount_of(row[table.net]),
        rejected=bool(table.rejection and row[table.rejection]),
    )
