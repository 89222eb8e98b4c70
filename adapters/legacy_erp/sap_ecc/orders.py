"""Canonical orders to BAPI_SALESORDER_CREATEFROMDAT2. Pure.

Source: SAP Help, "BAPI_SALESORDER_CREATEFROMDAT2" (structures BAPISDHD1, BAPISDITM, BAPISCHDL, BAPIPARNR).

The tax of an order is determined by the ERP and not carried; hence an order's total there is net + freight.
"""

from __future__ import annotations

from adapters.canonical import Order
from adapters.legacy_erp.sap_ecc import translate
from adapters.legacy_erp.sap_ecc.order_items import items_of, order_of
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.legacy_erp.sap_ecc.translate import Call
from adapters.legacy_erp.sap_ecc.wire import CREATE_ORDER, Value, clean
from adapters.port import Expectation, Submission


def create_order(submission: Submission, settings: SapEccSettings, system_id: str, *, test_run: bool = False) -> Call:
    """The call that creates, or with `test_run` only checks, an order.

    Raises `Rejected` for what the ERP could only hold altered, `Misconfigured` for missing numbers and mappings.
    """
    order = order_of(submission)
    area = settings.area_of(translate.company(order))
    items = items_of(submission, settings, system_id)
    header: dict[str, Value] = {
        "DOC_TYPE": settings.order_type,
        "SALES_ORG": area.organisation,
        "DISTR_CHAN": area.channel,
        "DIVISION": area.division,
        "DOC_DATE": translate.day(order.posting_date),
        "PURCH_NO_C": translate.reference(submission.external_reference),
        "PURCH_NO_S": clean(order.external_id or "", 35),
        "CURRENCY": order.currency_code,
    }
    if order.requested_delivery_date is not None:
        header["REQ_DATE_H"] = translate.day(order.requested_delivery_date)
    return Call(
        CREATE_ORDER,
        {
            "ORDER_HEADER_IN": header,
            "TESTRUN": "X" if test_run else "",
            "RETURN": "",
            "ORDER_ITEMS_IN": [item.row(order.currency_code) for item in items],
            "ORDER_PARTNERS": _partners(order, translate.customer_of(submission, system_id)),
            "ORDER_SCHEDULES_IN": [item.schedule(order.requested_delivery_date) for item in items],
        },
    )


def order_expectation(submission: Submission, system_id: str) -> Expectation:
    """What an inquiry must find: an order's total there is its net value, freight item included."""
    order = order_of(submission)
    customer = translate.party(translate.customer_of(submission, system_id))
    return Expectation(customer, order.currency_code, order.totals.net_amount + order.totals.freight_amount)


def _partners(order: Order, customer: str) -> list[Value]:
    """Sold-to (AG) and, with an address for this order only, ship-to (WE). Address parts are cut to their fields."""
    partners: list[Value] = [{"PARTN_ROLE": "AG", "PARTN_NUMB": customer}]
    if order.ship_to is not None:
        address = order.ship_to
        ship_to: dict[str, Value] = {
            "PARTN_ROLE": "WE",
            "PARTN_NUMB": customer,
            "STREET": clean(address.street, 35),
            "COUNTRY": address.country_code,
            "POSTL_CODE": clean(address.postal_code, 10),
            "CITY": clean(address.city, 35),
        }
        region = clean(address.region, 4)
        if len(region) <= 3:  # REGIO holds a code; a name cut to three letters would be another region's
            ship_to["REGION"] = region
        partners.append(ship_to)
    return partners
