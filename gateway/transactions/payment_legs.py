"""A payment whose invoices lie in several ERPs: one payment in each, and the money moved between them through clearing.

The money arrived on one bank account, which one ERP keeps: that to which the payment's own slice belongs, if one of its
invoices lies there. Each other ERP takes its part as a payment of its own; then a pair of journal entries moves that
part from the one bank account over the clearing accounts to the other. Source: docs/clearing.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from adapters.canonical import JournalEntry, Payment
from gateway.domain.legs import MAX_LEGS, ClearingLine, Leg
from gateway.domain.records import PinRecord
from gateway.transactions.home import HOME
from gateway.transactions.judge import judge
from gateway.transactions.links import LinkedDocument, spanning
from gateway.transactions.parts import LineParts
from gateway.transactions.target import PlannedLeg, Target, pinned, refuse_unsupported
from routing_rules import ClearingAccount, Facts, account_for, clearing_accounts

_ENTRIES: Final = JournalEntry.domain


@dataclass(frozen=True, slots=True)
class Share:
    """What of a payment one system takes: allocations by index, and money."""

    pin: PinRecord
    allocations: tuple[int, ...]
    amount: Decimal
    accounts: ClearingAccount


def legs_of_payment(
    parts: LineParts,
    payment: Payment,
    parents: Sequence[LinkedDocument],
    pins: Mapping[str, PinRecord],
    facts: Facts,
) -> tuple[PlannedLeg, ...]:
    """The legs in the order of posting. `pins`: by lineage of the parents.

    Raises Problem: lineage-spans-systems where no clearing accounts are declared that it needs, and what `judge` does.
    """
    shares = _shares(parts, payment, parents, pins, facts)
    judged = judge(parts, facts, follows=True)
    legs: list[PlannedLeg] = []
    for share in shares:
        own = replace(facts, amount=share.amount)
        target = pinned(parts, share.pin, judged, own)
        refuse_unsupported(parts, payment.domain, target)
        legs.append(_planned(payment, target, share.amount, payment.domain, len(legs) + 1, share.allocations))
    home, others = shares[0], shares[1:]
    entry_facts = replace(facts, domain=_ENTRIES, document_type="journal_entry", customer_segment=None)
    for share in others:
        own = replace(entry_facts, amount=share.amount)
        decision = judge(parts, own, follows=True)
        for there, into_bank in ((home, True), (share, False)):
            target = pinned(parts, there.pin, decision, own)
            refuse_unsupported(parts, _ENTRIES, target)
            lines = _transfer(payment, there.accounts, share.amount, into_bank=into_bank)
            legs.append(_planned(payment, target, share.amount, _ENTRIES, len(legs) + 1, (), lines))
    if len(legs) > MAX_LEGS:
        raise spanning(parents, pins)
    return tuple(legs)


def allocations_of(leg: Leg, linked: Sequence[LinkedDocument]) -> list[LinkedDocument]:
    """What of a payment's links one leg has, under the fields that they have in it."""
    if leg.domain == _ENTRIES:
        return []
    fields = {f"allocations[{index}].invoiceReference": place for place, index in enumerate(leg.allocations)}
    found = []
    for one in linked:
        field = one.link.field
        if field in fields:
            moved = replace(one.link, field=f"allocations[{fields[field]}].invoiceReference")
            found.append(replace(one, link=moved))
        elif one.link.kind == "master":
            found.append(one)
    return found


def _shares(
    parts: LineParts,
    payment: Payment,
    parents: Sequence[LinkedDocument],
    pins: Mapping[str, PinRecord],
    facts: Facts,
) -> list[Share]:
    """By system, the one that keeps the money first. What no allocation takes stays there."""
    of_field = {one.link.field: pins.get(one.document.lineage_id) for one in parents}
    taken: dict[str, list[int]] = {}
    by_system: dict[str, PinRecord] = {}
    for index in range(len(payment.allocations)):
        pin = of_field[f"allocations[{index}].invoiceReference"]
        if pin is None or pin.system_id == HOME:
            raise spanning(parents, pins)
        by_system.setdefault(pin.system_id, pin)
        taken.setdefault(pin.system_id, []).append(index)
    decision = judge(parts, facts, follows=True)
    home = decision.system_id if decision is not None and decision.system_id in taken else next(iter(taken))
    accounts = clearing_accounts(parts.rules.rulebook.governance.policies)
    shares = []
    for system_id in sorted(taken, key=lambda one: (one != home, one)):
        allocated = sum((payment.allocations[index].amount for index in taken[system_id]), Decimal(0))
        account = account_for(accounts, payment.company_code, payment.company_code, system_id)
        if account is None or account.bank_account is None:
            raise spanning(parents, pins)
        shares.append(Share(by_system[system_id], tuple(taken[system_id]), allocated, account))
    rest = payment.amount - sum((one.amount for one in shares), Decimal(0))
    shares[0] = replace(shares[0], amount=shares[0].amount + rest)
    return shares


def _planned(
    payment: Payment,
    target: Target,
    amount: Decimal,
    domain: str,
    step: int,
    allocations: tuple[int, ...],
    clearing: tuple[ClearingLine, ...] = (),
) -> PlannedLeg:
    leg = Leg(
        step=step,
        domain=domain,
        company_code=payment.company_code,
        currency_code=payment.currency_code,
        amount=format(amount, "f"),
        business_unit=payment.business_unit,
        allocations=allocations,
        clearing=clearing,
        references=bool(allocations),
        **target.for_leg,
    )
    return PlannedLeg(leg, target)


def _transfer(
    payment: Payment, accounts: ClearingAccount, amount: Decimal, *, into_bank: bool
) -> tuple[ClearingLine, ...]:
    """The bank has in the ERP that keeps it what the other ERPs took, and in those nothing."""
    money, side = format(amount, "f"), ("debit", "credit") if into_bank else ("credit", "debit")
    return (
        ClearingLine(accounts.bank_account or "", side[0], money, payment.company_code),
        ClearingLine(accounts.account, side[1], money, payment.company_code),
    )
