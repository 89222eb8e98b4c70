"""A journal entry over several books: what lies in the book of each company code and currency, where each book is kept,
and the clearing lines that make each part balance.

An entry whose books one system keeps, and takes in one posting, stays one posting. Source: docs/clearing.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from adapters.canonical import JournalEntry
from adapters.canonical.values import MAX_LINES
from gateway.domain.legs import MAX_LEGS, ClearingLine, Leg
from gateway.domain.records import PinRecord
from gateway.errors import FieldError, Problem
from gateway.transactions.home import capability
from gateway.transactions.judge import judge
from gateway.transactions.parts import LineParts
from gateway.transactions.target import PlannedLeg, Target, decided, pinned, refuse_unsupported
from routing_rules import Decision, Facts, account_for, clearing_accounts

_BALANCE_EACH: Final = "balance each company code, or have clearing accounts declared in rulebook.yaml"


@dataclass(frozen=True, slots=True)
class Book:
    """What of an entry lies in the book of one company code in one currency. `balance`: debits less credits."""

    company_code: str
    currency_code: str
    business_unit: str
    lines: tuple[int, ...]
    balance: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Judged:
    """A book with its own facts and what the tables say to them. `follows`: it goes where the lineage's pin is."""

    book: Book
    facts: Facts
    decision: Decision | None
    follows: bool


def books_of(entry: JournalEntry) -> tuple[Book, ...]:
    """In the order in which the lines name them."""
    found = []
    for (company_code, currency_code), balance in entry.balances().items():
        taken = tuple(
            index
            for index, line in enumerate(entry.lines)
            if (line.company_code or entry.company_code, line.currency_code or entry.currency_code)
            == (company_code, currency_code)
        )
        debits = sum((entry.lines[one].amount for one in taken if entry.lines[one].posting_side == "debit"), Decimal(0))
        units = {entry.lines[one].business_unit or entry.business_unit for one in taken}
        found.append(
            Book(
                company_code=company_code,
                currency_code=currency_code,
                business_unit=units.pop() if len(units) == 1 else entry.business_unit,
                lines=taken,
                balance=balance,
                amount=max(debits, debits - balance),
            )
        )
    return tuple(found)


def judged_books(parts: LineParts, entry: JournalEntry, facts: Facts, pin: PinRecord | None) -> tuple[Judged, ...]:
    """Each book by its own facts; none where the entry lies in one. `facts`: of the entry as a whole.

    What lies in the entry's own company code follows the pin that the entry follows. Raises Problem as `judge` does,
    and `invalid-document` for too many books.
    """
    books = books_of(entry)
    if len(books) < 2:
        return ()
    if len(books) > MAX_LEGS:
        raise Problem(
            "invalid-document",
            f"the lines lie in {len(books)} books (company code and currency); {MAX_LEGS} is the most",
            remedy="submit it as several entries",
            errors=(FieldError("lines", f"name more than {MAX_LEGS} company codes and currencies"),),
        )
    found = []
    for book in books:
        own = replace(
            facts,
            business_unit=book.business_unit,
            company_code=book.company_code,
            amount=book.amount,
            currency=book.currency_code,
        )
        follows = pin is not None and book.company_code == entry.company_code
        found.append(Judged(book, own, judge(parts, own, follows=follows), follows))
    return tuple(found)


def legs_of_books(
    parts: LineParts, entry: JournalEntry, judged: Sequence[Judged], pin: PinRecord | None, whole: Target
) -> tuple[PlannedLeg, ...]:
    """The legs, in the order of the books; none where the system of `whole` takes all in one posting.

    Raises Problem: totals-disagree where a book does not balance and no account is declared that would clear it,
    invalid-document, domain-not-served.
    """
    if not judged:
        return ()
    placed = [
        pinned(parts, pin, one.decision, one.facts)
        if one.follows and pin is not None
        else decided(parts, one.decision, one.facts)
        for one in judged
    ]
    takes_all = capability(parts, whole.system_id, entry.domain, "create").mixed_lines
    balanced = not any(one.book.balance for one in judged)
    if balanced and takes_all and {one.system_id for one in placed} == {whole.system_id}:
        return ()
    clearing = _clearing(parts, entry, judged, placed)
    legs = []
    for place, (one, target) in enumerate(zip(judged, placed, strict=True)):
        leg = _leg(place + 1, entry, one, target, tuple(clearing.get(place, ())))
        if leg.line_count > MAX_LINES:
            raise Problem(
                "invalid-document",
                f"with its clearing lines the part of company code {leg.company_code} has more than {MAX_LINES} lines",
                remedy="submit it as several entries",
                errors=(FieldError("lines", "leave no room for clearing lines"),),
            )
        refuse_unsupported(parts, entry.domain, target)
        legs.append(PlannedLeg(leg, target))
    return tuple(legs)


def _leg(step: int, entry: JournalEntry, judged: Judged, target: Target, clearing: tuple[ClearingLine, ...]) -> Leg:
    book = judged.book
    return Leg(
        step=step,
        domain=entry.domain,
        company_code=book.company_code,
        currency_code=book.currency_code,
        amount=_least_amount(book, clearing),
        business_unit=book.business_unit,
        lines=book.lines,
        clearing=clearing,
        references=judged.follows,
        **target.for_leg,
    )


def _least_amount(book: Book, clearing: Sequence[ClearingLine]) -> str:
    """The debits of the leg as it is posted; its credits are as much."""
    added = sum((Decimal(one.amount) for one in clearing if one.posting_side == "debit"), Decimal(0))
    debits = book.amount if book.balance >= 0 else book.amount + book.balance
    return format(debits + added, "f")


def _clearing(
    parts: LineParts, entry: JournalEntry, judged: Sequence[Judged], placed: Sequence[Target]
) -> Mapping[int, list[ClearingLine]]:
    """By place of the book. All books of a currency clear with the leading one: that of the entry's own company code,
    else the first."""
    accounts = clearing_accounts(parts.rules.rulebook.governance.policies)
    found: dict[int, list[ClearingLine]] = {}
    for currency in dict.fromkeys(one.book.currency_code for one in judged):
        places = [place for place, one in enumerate(judged) if one.book.currency_code == currency]
        lead = next((place for place in places if judged[place].book.company_code == entry.company_code), places[0])
        leading = judged[lead].book
        for place in places:
            book = judged[place].book
            if place == lead or not book.balance:
                continue
            here = account_for(accounts, book.company_code, leading.company_code, placed[place].system_id)
            there = account_for(accounts, leading.company_code, book.company_code, placed[lead].system_id)
            if here is None or there is None:
                raise _unbalanced(book, leading)
            amount = format(abs(book.balance), "f")
            sides = ("credit", "debit") if book.balance > 0 else ("debit", "credit")
            found.setdefault(place, []).append(ClearingLine(here.account, sides[0], amount, leading.company_code))
            found.setdefault(lead, []).append(ClearingLine(there.account, sides[1], amount, book.company_code))
    return found


def _unbalanced(book: Book, leading: Book) -> Problem:
    message = (
        f"debits less credits of company code {book.company_code} in {book.currency_code} are {book.balance:f}, not 0"
    )
    return Problem(
        "totals-disagree",
        f"lines: {message}, and no clearing accounts of {book.company_code} and {leading.company_code} are declared",
        remedy=_BALANCE_EACH,
        errors=(FieldError("lines", message, _BALANCE_EACH),),
    )
