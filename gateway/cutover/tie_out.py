"""A tie-out: what the ledger says was posted in a period, against the control totals of each system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from adapters.canonical import MASTER_DOMAINS, ErpNumber
from adapters.errors import ErpError
from adapters.port import Operation, Search
from gateway.cutover.gates.gate_ports import GateReads
from gateway.domain.gate_evidence import PostedDocument
from gateway.transactions.parts import ErpSystem
from routing_rules import Period

MOST_DOCUMENTS: Final = 200_000
"""Postings of one system, domain and period that are added up; more are a task for a report, not for a gate."""
MOST_READS: Final = 500
"""Documents whose amount the ledger does not know and the ERP is asked for, one by one."""

_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tied:
    """One domain in one system. `counted`, `expected`: documents there and in the ledger; amounts by currency.
    `asked`: how many amounts of the ledger's side had to be asked of the ERP. `problem`: why nothing was compared."""

    system_id: str
    domain: str
    expected: int = 0
    counted: int = 0
    expected_amounts: Mapping[str, Decimal]
    counted_amounts: Mapping[str, Decimal]
    asked: int = 0
    problem: str | None = None

    @property
    def agrees(self) -> bool:
        """Both sides say the same."""
        return (
            self.problem is None
            and self.expected == self.counted
            and _without_zeros(self.expected_amounts) == _without_zeros(self.counted_amounts)
        )

    def as_json(self) -> dict[str, Any]:
        """JSON values under lowerCamelCase names."""
        return {
            "systemId": self.system_id,
            "domain": self.domain,
            "ledger": {"count": self.expected, "amounts": _wire(self.expected_amounts)},
            "erp": {"count": self.counted, "amounts": _wire(self.counted_amounts)},
            "amountsAskedOfErp": self.asked,
            "agrees": self.agrees,
            "problem": self.problem,
        }


async def compare(
    reads: GateReads, systems: Mapping[str, ErpSystem], system_ids: Sequence[str], company_code: str, period: Period
) -> Sequence[Tied]:
    """Every domain that one of these systems takes. Documents that were entered in an ERP itself are a difference:
    whoever ties out must see them."""
    found: list[Tied] = []
    for system_id in system_ids:
        system = systems.get(system_id)
        if system is None:
            found.append(_untied(system_id, "", "this gateway is not connected to it"))
            continue
        capabilities = system.port.capabilities()
        for domain, operation in sorted(capabilities):
            if (
                operation is Operation.CREATE
                and domain not in MASTER_DOMAINS
                and capabilities[domain, operation].supported
            ):
                found.append(await _tie(reads, system, domain, company_code, period))
    return found


async def _tie(reads: GateReads, system: ErpSystem, domain: str, company_code: str, period: Period) -> Tied:
    port = system.port
    until, last = period.end.isoformat(), period.end - timedelta(days=1)
    posted = await reads.posted_documents(
        port.system_id, domain, company_code, period.start.isoformat(), until, MOST_DOCUMENTS
    )
    if len(posted) == MOST_DOCUMENTS:
        return _untied(port.system_id, domain, f"more than {MOST_DOCUMENTS} documents were posted")
    silent = [one for one in posted if one.amount is None or one.currency_code is None or one.state == "cancelled"]
    if len(silent) > MOST_READS:
        problem = f"the ledger knows no amount of {len(silent)} documents, more than {MOST_READS} are not asked for"
        return _untied(port.system_id, domain, problem)
    try:
        asked = [await _ask(system, one) for one in silent]
        totals = await port.control_totals(
            Search(domain=domain, posted_from=period.start, posted_until=last, company_code=company_code)
        )
    except ErpError as error:
        return _untied(port.system_id, domain, f"the system does not answer: {type(error).__name__}: {error.message}")
    amounts: dict[str, Decimal] = {}
    known = [(one.amount, one.currency_code) for one in posted if one not in silent]
    for amount, currency in (*known, *asked):
        if amount is not None and currency is not None:
            amounts[currency] = amounts.get(currency, _ZERO) + Decimal(amount)
    return Tied(
        system_id=port.system_id,
        domain=domain,
        expected=len(posted),
        counted=totals.count,
        expected_amounts=amounts,
        counted_amounts=totals.totals,
        asked=len(silent),
    )


async def _ask(system: ErpSystem, one: PostedDocument) -> tuple[Decimal | None, str | None]:
    number = ErpNumber.model_construct(
        system_id=system.port.system_id, document_type=one.document_type, document_number=one.document_number
    )
    there = await system.port.read(number)
    return (None, None) if there is None else (there.total, there.currency_code)


def _untied(system_id: str, domain: str, problem: str) -> Tied:
    return Tied(system_id=system_id, domain=domain, expected_amounts={}, counted_amounts={}, problem=problem)


def _without_zeros(amounts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {currency: amount for currency, amount in amounts.items() if amount}


def _wire(amounts: Mapping[str, Decimal]) -> list[dict[str, str]]:
    return [{"currencyCode": code, "amount": format(amount, "f")} for code, amount in sorted(amounts.items())]
