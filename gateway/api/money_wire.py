"""Money in wire words."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from adapters.canonical import smallest_amount


def amounts(found: Mapping[str, Decimal]) -> list[dict[str, str]]:
    """Money by currency."""
    return [{"currencyCode": code, "amount": money(amount, code)} for code, amount in sorted(found.items())]


def money(amount: Decimal, currency_code: str) -> str:
    """With the decimals that the currency has, and more only where the amount has more."""
    usual = amount.quantize(smallest_amount(currency_code))
    return format(usual if usual == amount else amount, "f")
