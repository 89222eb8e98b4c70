"""What stands in the two ERPs, read from their own interfaces; and what the gateway says, read from its API.

The ERPs come with documents of their own. They are left out by what they are not: neither numbered from our range
nor referenced as we reference. A document of ours that lost its reference is therefore still seen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import httpx

from gateway.demo.erps import CLOUD, Erp, range_start
from gateway.demo.odata import Entity, Odata, day, expanded, session
from gateway.demo.tie_out import Claim, CustomerNumbers, Found
from gateway.domain.identity import CROCKFORD, REFERENCE_LENGTH
from gateway.intake.cross_references import CrossReferenceRow

_REFERENCE: Final = re.compile(rf"\A[{CROCKFORD}]{{{REFERENCE_LENGTH}}}\Z")
_DOMAIN_OF_TYPE: Final[Mapping[str, str]] = {"DR": "invoices", "DZ": "payments"}
"""Accounting document types (BLART) that the demo's settings use."""
_PAGE: Final = 200
_TIMEOUT_S: Final = 30.0


async def read_erp(erp: Erp) -> list[Found]:
    """All orders and accounting documents that are not the ERP's own. Raises `OdataError`, httpx.TransportError."""
    async with session(erp) as odata:
        orders = await odata.all("API_SALES_ORDER_SRV", "A_SalesOrder", orderby="SalesOrder", expand="to_Item")
        entries = await odata.all(
            "API_JOURNALENTRY_SRV",
            "A_JournalEntry",
            orderby="AccountingDocument,CompanyCode,FiscalYear",
            expand="to_JournalEntryItem",
        )
    return [
        *(_order(erp.system_id, one) for one in orders if _ours(erp, one, "SALESORDER")),
        *(_entry(erp.system_id, one) for one in entries if _ours(erp, one, "ACCOUNTINGDOCUMENT")),
    ]


async def read_masters(erp: Erp) -> dict[str, list[str]]:
    """The references of customers, and the numbers of products, that the ERP holds, by domain."""
    async with session(erp) as odata:
        return {
            "customers": await _texts(odata, "API_BUSINESS_PARTNER_SRV", "A_BusinessPartner", "SearchTerm1"),
            "products": await _texts(odata, "API_PRODUCT_SRV", "A_Product", "Product"),
        }


async def read_claims(base_url: str, token: str, domains: Sequence[str], references: Mapping[str, str]) -> list[Claim]:
    """Every transaction of these domains, as the gateway's API lists them. Raises httpx.HTTPError.

    A list leaves the external reference out; `references` has those that the caller was answered, by transaction id,
    and the others are asked for one by one.
    """
    claims: list[Claim] = []
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=_TIMEOUT_S, trust_env=False) as http:
        for domain in domains:
            query = {"domain": domain, "pageSize": str(_PAGE)}
            while True:
                page = await _json(http, "/v1/transactions", query)
                for row in page["items"]:
                    reference = references.get(row["transactionId"])
                    if reference is None:
                        reference = str((await _json(http, row["statusUrl"]))["erpReference"] or "")
                    claims.append(_claim(row, reference))
                if not page.get("nextCursor"):
                    break
                query["cursor"] = page["nextCursor"]
    return claims


async def _json(http: httpx.AsyncClient, path: str, query: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    response = await http.get(path, params=query)
    response.raise_for_status()
    body: Mapping[str, Any] = response.json()
    return body


def customer_numbers(rows: Sequence[CrossReferenceRow], claims: Sequence[Claim]) -> CustomerNumbers:
    """What each customer is called in each system: from the import file, and as the gateway created them."""
    numbers = {
        (row.system_id, row.external_id): row.document_number.lstrip("0") for row in rows if row.domain == "customers"
    }
    for claim in claims:
        if claim.domain == "customers" and claim.number:
            numbers[claim.system_id, claim.external_id] = claim.number.lstrip("0")
    return numbers


async def _texts(odata: Odata, service: str, entity_set: str, name: str) -> list[str]:
    key = entity_set.removeprefix("A_")
    return [str(entity[name] or "") for entity in await odata.all(service, entity_set, orderby=key)]


def _ours(erp: Erp, entity: Entity, object_name: str) -> bool:
    number = str(entity.get("SalesOrder") or entity.get("AccountingDocument"))
    in_range = not number.isdigit() or int(number) > range_start(erp.system_id, object_name)
    return in_range or _REFERENCE.match(_reference(entity)) is not None


def _reference(entity: Entity) -> str:
    return str(entity.get("PurchaseOrderByCustomer") or entity.get("ReferenceDocument") or "")


def _order(system_id: str, entity: Entity) -> Found:
    items = sorted(expanded(entity, "to_Item"), key=lambda item: str(item["SalesOrderItem"]))
    lines = tuple(Decimal(item["NetAmount"]) for item in items)
    return Found(
        system_id=system_id,
        domain="orders",
        number=str(entity["SalesOrder"]),
        reference=_reference(entity),
        customer=str(entity["SoldToParty"]),
        currency=str(entity["TransactionCurrency"]),
        total=Decimal(entity["TotalNetAmount"]),
        line_total=sum(lines, Decimal(0)),
        lines=lines,
        # Through the BAPI the simulator dates every order itself, so there the date proves nothing.
        posting_date=day(entity["SalesOrderDate"]) if system_id == CLOUD else None,
    )


def _entry(system_id: str, entity: Entity) -> Found:
    items = sorted(expanded(entity, "to_JournalEntryItem"), key=lambda item: str(item["AccountingDocumentItem"]))
    debits = [_amount(item) for item in items if item["DebitCreditCode"] == "S"]
    credits_ = [_amount(item) for item in items if item["DebitCreditCode"] == "H"]
    number, company, year = (str(entity[name]) for name in ("AccountingDocument", "CompanyCode", "FiscalYear"))
    customers = {str(item["Customer"]) for item in items if item["Customer"]}
    kind = str(entity["AccountingDocumentType"])
    return Found(
        system_id=system_id,
        domain=_DOMAIN_OF_TYPE.get(kind, f"accounting documents of type {kind}"),
        number=f"{number}/{company}/{year}",
        reference=_reference(entity),
        customer="+".join(sorted(customers)),
        currency=str(entity["TransactionCurrency"]),
        total=sum(debits, Decimal(0)),
        line_total=sum(credits_, Decimal(0)),
        lines=tuple(credits_),
        company_code=company,
        posting_date=day(entity["PostingDate"]),
    )


def _amount(item: Entity) -> Decimal:
    return Decimal(item["AmountInTransactionCurrency"])


def _claim(row: Mapping[str, Any], reference: str) -> Claim:
    number = row.get("erpNumber") or {}
    return Claim(
        domain=str(row["domain"]),
        source=str(row["source"]),
        external_id=str(row["externalId"]),
        status=str(row["status"]),
        reference=reference,
        system_id=str(number.get("systemId") or ""),
        number=str(number.get("documentNumber") or ""),
    )
