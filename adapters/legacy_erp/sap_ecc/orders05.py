"""Canonical orders to IDocs of the basic type ORDERS05, message type ORDERS, and back as far as an inquiry needs. Pure.

Sources: SAP Help, "Incoming Purchase Orders (ORDERS)", sections "Document Header: Organizational Data (E1EDK14)",
"Reference Data (E1EDK02)", "Date Segment (E1EDK03)", "Conditions (E1EDK05)", "Partner Information (E1EDKA1)", "Item
General Data (E1EDP01)", "Object Identification (E1EDP19)", "Schedule Lines (E1EDP20)", "Summary (E1EDS01)"; and "IDoc
Interface: Control Record (EDI_DC40)".

| segment | what of the order |
|---|---|
| EDI_DC40 | sender and receiver; ARCKEY is the external reference, so that a control record can be searched by it |
| E1EDK01 | currency; BELNR is the external reference |
| E1EDK14 | sales organisation 008, distribution channel 007, division 006, order type 012 |
| E1EDK03 | document date 012, requested delivery date 002 |
| E1EDK05 | freight, as a surcharge |
| E1EDKA1 | sold-to party AG; ship-to party WE with an address of this order only |
| E1EDK02 | customer's purchase order 001 = external reference; ship-to party's order 044 = the caller's own id |
| E1EDP01 | a line: number, quantity, ISO unit, net value; E1EDP20 its date; E1EDP19 our material 002, description |
| E1EDS01 | number of lines 001, net value with freight 002 |
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from lxml import etree

from adapters.canonical import Address, Order
from adapters.legacy_erp.sap_ecc import translate
from adapters.legacy_erp.sap_ecc.order_items import order_of
from adapters.legacy_erp.sap_ecc.settings import IdocSettings, SapEccSettings
from adapters.legacy_erp.sap_ecc.tables import amount_of, day_of
from adapters.legacy_erp.sap_ecc.wire import Unreadable, clean, tree
from adapters.port import Submission

BASIC_TYPE: Final = "ORDERS05"
MESSAGE_TYPE: Final = "ORDERS"
MAX_ELEMENTS: Final = 100_000
"""Of an IDoc that is read; one of ours with 990 lines has about 17,000."""
_TEXT: Final = 70
"""KTEXT of E1EDP19."""
_CURRENCY: Final = re.compile(r"\A[A-Z]{3}\Z")


@dataclass(frozen=True, slots=True)
class IdocOrder:
    """What an ORDERS IDoc says of its order; "" and None where it does not say. `total` is its net value."""

    reference: str
    customer: str
    currency_code: str
    total: Decimal | None
    document_date: date | None
    organisation: str


def order_idoc(submission: Submission, settings: SapEccSettings, system_id: str) -> bytes:
    """The IDoc of an order, as XML.

    Raises `Rejected` for what the ERP could only hold altered, `Misconfigured` for missing numbers and mappings.
    """
    order = order_of(submission)
    translate.check_lines(len(order.lines))
    reference = translate.reference(submission.external_reference)
    root = etree.Element(BASIC_TYPE)
    idoc = etree.SubElement(root, "IDOC", BEGIN="1")
    _control_record(idoc, settings, reference)
    _head(idoc, order, settings, reference)
    _partners(idoc, order, translate.customer_of(submission, system_id))
    _segment(idoc, "E1EDK02", QUALF="001", BELNR=reference, DATUM=_day(order.posting_date))
    if order.external_id:
        _segment(idoc, "E1EDK02", QUALF="044", BELNR=clean(order.external_id, 35))
    for index in range(len(order.lines)):
        _item(idoc, submission, settings, system_id, index)
    net = translate.money(order.totals.net_amount + order.totals.freight_amount, "totals.netAmount")
    _segment(idoc, "E1EDS01", SUMID="001", SUMME=str(len(order.lines)))
    _segment(idoc, "E1EDS01", SUMID="002", SUMME=net, SUNIT=order.currency_code)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def read_order_idoc(payload: bytes) -> IdocOrder:
    """What an IDoc says of its order. Raises `Unreadable` if it is no well-formed ORDERS05."""
    root = tree(payload)
    if root.tag != BASIC_TYPE or len(root) != 1 or root[0].tag != "IDOC":
        raise Unreadable("this is no IDoc of an order")
    for position, _ in enumerate(root.iter()):
        if position > MAX_ELEMENTS:
            raise Unreadable("this IDoc is too long")
    idoc = root[0]
    head = next(iter(_values(idoc, "E1EDK01")), {})
    total = _qualified(idoc, "E1EDS01", "SUMID", "002").get("SUMME", "")
    return IdocOrder(
        reference=_qualified(idoc, "E1EDK02", "QUALF", "001").get("BELNR", ""),
        customer=_qualified(idoc, "E1EDKA1", "PARVW", "AG").get("PARTN", ""),
        currency_code=head.get("CURCY", "") if _CURRENCY.match(head.get("CURCY", "")) else "",
        total=amount_of(total) if total else None,
        document_date=day_of(_qualified(idoc, "E1EDK03", "IDDAT", "012").get("DATUM", "")),
        organisation=_qualified(idoc, "E1EDK14", "QUALF", "008").get("ORGID", ""),
    )


def _control_record(idoc: etree._Element, settings: SapEccSettings, reference: str) -> None:
    """DOCNUM, date and time are the receiver's to give."""
    (sender_port, sender_type, sender), (port, kind, receiver) = settings.idoc.sender, settings.idoc.receiver
    _segment(
        idoc,
        "EDI_DC40",
        TABNAM="EDI_DC40",
        MANDT=settings.client,
        DIRECT="2",
        IDOCTYP=BASIC_TYPE,
        MESTYP=MESSAGE_TYPE,
        SNDPOR=sender_port,
        SNDPRT=sender_type,
        SNDPRN=sender,
        RCVPOR=port,
        RCVPRT=kind,
        RCVPRN=receiver,
        ARCKEY=reference,
    )


def _head(idoc: etree._Element, order: Order, settings: SapEccSettings, reference: str) -> None:
    area = settings.area_of(translate.company(order))
    _segment(idoc, "E1EDK01", CURCY=order.currency_code, BELNR=reference)
    for qualifier, unit in (
        ("008", area.organisation),
        ("007", area.channel),
        ("006", area.division),
        ("012", settings.order_type),
    ):
        _segment(idoc, "E1EDK14", QUALF=qualifier, ORGID=unit)
    _segment(idoc, "E1EDK03", IDDAT="012", DATUM=_day(order.posting_date))
    if order.requested_delivery_date is not None:
        _segment(idoc, "E1EDK03", IDDAT="002", DATUM=_day(order.requested_delivery_date))
    if order.freight is not None and order.freight.net_amount:
        _segment(
            idoc,
            "E1EDK05",
            ALCKZ="+",
            KSCHL=settings.idoc.freight_condition,
            KOTXT="FREIGHT",
            BETRG=translate.money(order.freight.net_amount, "freight.netAmount"),
            KOEIN=order.currency_code,
        )


def _partners(idoc: etree._Element, order: Order, customer: str) -> None:
    _segment(idoc, "E1EDKA1", PARVW="AG", PARTN=customer)
    if order.ship_to is not None:
        _segment(idoc, "E1EDKA1", PARVW="WE", PARTN=customer, **_address(order.ship_to))


def _address(address: Address) -> dict[str, str]:
    """An address, its parts cut to their fields. REGIO holds a code; a name cut to three would be another region's."""
    region = clean(address.region, 4)
    return {
        "STRAS": clean(address.street, 35),
        "ORT01": clean(address.city, 35),
        "PSTLZ": clean(address.postal_code, 9),
        "LAND1": address.country_code,
        "REGIO": region if len(region) <= 3 else "",
    }


def _item(idoc: etree._Element, submission: Submission, settings: SapEccSettings, system_id: str, index: int) -> None:
    order = order_of(submission)
    line = order.lines[index]
    place = f"lines[{index}]"
    quantity = translate.quantity(line.quantity.value, f"{place}.quantity.value")
    segment = _segment(
        idoc,
        "E1EDP01",
        POSEX=f"{line.line_number:06d}",
        MENGE=quantity,
        MENEE=_unit(line.quantity.unit_code, settings.idoc),
        PSTYV="" if line.net_amount else settings.free_item_category,
        NETWR=translate.money(line.net_amount, f"{place}.netAmount"),
        CURCY=order.currency_code,
    )
    if order.requested_delivery_date is not None:
        _segment(segment, "E1EDP20", WMENG=quantity, EDATU=_day(order.requested_delivery_date))
    material = translate.material_of(submission, system_id, index)
    _segment(segment, "E1EDP19", QUALF="002", IDTNR=material, KTEXT=clean(line.description, _TEXT))


def _unit(code: str, settings: IdocSettings) -> str:
    """The ISO code of a unit: most are those of UN/ECE Recommendation 20."""
    return settings.units.get(code, code)


def _day(value: date) -> str:
    """A date of a segment (CHAR 8)."""
    return value.strftime("%Y%m%d")


def _segment(parent: etree._Element, name: str, **fields: str) -> etree._Element:
    segment = etree.SubElement(parent, name, SEGMENT="1")
    for field, value in fields.items():
        if value:
            etree.SubElement(segment, field).text = value
    return segment


def _values(idoc: etree._Element, name: str) -> Iterable[dict[str, str]]:
    """The fields of the header's segments of that name."""
    for segment in idoc.iterchildren(name):
        yield {field.tag: (field.text or "").strip() for field in segment.iterchildren("*")}


def _qualified(idoc: etree._Element, name: str, qualifier: str, value: str) -> dict[str, str]:
    """The fields of the only segment of that name with that qualifier; nothing if there is none.

    Raises `Unreadable` if there are several, because which of them holds cannot be told.
    """
    found = [fields for fields in _values(idoc, name) if fields.get(qualifier) == value]
    if len(found) > 1:
        raise Unreadable(f"{name} {value} is there {len(found)} times")
    return found[0] if found else {}
