"""Money in answers has the decimals of its currency, and never loses one."""

from __future__ import annotations

from decimal import Decimal

from gateway.api.money_wire import amounts


def test_the_decimals_are_those_of_the_currency_unless_there_are_more() -> None:
    found = {"USD": Decimal(336), "JPY": Decimal("5.00"), "EUR": Decimal("0.125"), "BHD": Decimal("1.5")}
    assert amounts(found) == [
        {"currencyCode": "BHD", "amount": "1.500"},
        {"currencyCode": "EUR", "amount": "0.125"},
        {"currencyCode": "JPY", "amount": "5"},
        {"currencyCode": "USD", "amount": "336.00"},
    ]
