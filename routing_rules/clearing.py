"""Clearing accounts: how the books of two company codes, or of two ERPs, balance when one document lies in both.

`policies.clearing` in rulebook.yaml is a list of accounts, each in the book of one company code against a partner:
another company code, or itself where the two books are those of two ERPs. Source: docs/clearing.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

MAX_CLEARING: Final = 1_000
_ACCOUNT: Final = re.compile(r"\A[A-Z0-9]{1,10}\Z")
_REQUIRED: Final = ("company_code", "partner", "account")
_OPTIONAL: Final = ("system", "bank_account")


@dataclass(frozen=True, slots=True)
class ClearingAccount:
    """The account in the book of `company_code` on which it clears with `partner`.

    `system`: only in that ERP. `bank_account`: where that ERP books payments, from which the part of a payment that the
    other ERP takes is moved.
    """

    company_code: str
    partner: str
    account: str
    system: str | None = None
    bank_account: str | None = None


def clearing_accounts(policies: Mapping[str, Any]) -> tuple[ClearingAccount, ...]:
    """All that a checked rulebook has."""
    return tuple(ClearingAccount(**one) for one in policies.get("clearing", ()))


def account_for(
    accounts: Sequence[ClearingAccount], company_code: str, partner: str, system_id: str
) -> ClearingAccount | None:
    """The account for a leg; one that is said for its system goes before one that is said for all."""
    matching = [one for one in accounts if (one.company_code, one.partner) == (company_code, partner)]
    return next((one for one in matching if one.system == system_id), None) or next(
        (one for one in matching if one.system is None), None
    )


def clearing_faults(said: Any, company_codes: Sequence[str], systems: Sequence[str]) -> Iterator[str]:
    """What is wrong with `policies.clearing`, each fault in words."""
    if not isinstance(said, list):
        yield "policies.clearing is no list"
        return
    if len(said) > MAX_CLEARING:
        yield f"policies.clearing has more than {MAX_CLEARING} accounts"
    seen: set[tuple[str, str, str | None]] = set()
    for place, one in enumerate(said[:MAX_CLEARING], 1):
        where = f"account {place} of policies.clearing"
        if not isinstance(one, dict) or not set(_REQUIRED) <= set(one) <= {*_REQUIRED, *_OPTIONAL}:
            yield f"{where} must have {', '.join(_REQUIRED)}, and may have {', '.join(_OPTIONAL)}"
            continue
        yield from _faults_of(where, one, company_codes, systems)
        key = (str(one["company_code"]), str(one["partner"]), one.get("system"))
        if key in seen:
            yield f"{where} says again what {key[0]} clears on with {key[1]}"
        seen.add(key)


def _faults_of(
    where: str, one: Mapping[str, Any], company_codes: Sequence[str], systems: Sequence[str]
) -> Iterator[str]:
    for name in ("company_code", "partner"):
        if one[name] not in company_codes:
            yield f"{where}: {name} {str(one[name])[:40]!r} is no company code of the rulebook"
    if "system" in one and one["system"] not in systems:
        yield f"{where}: system {str(one['system'])[:40]!r} is no system of the rulebook"
    for name in ("account", "bank_account"):
        if name in one and not (isinstance(one[name], str) and _ACCOUNT.match(one[name])):
            said = str(one[name])[:40]
            yield f"{where}: {name} {said!r} is no account: write 1 to 10 capital letters and digits, in quotes"
