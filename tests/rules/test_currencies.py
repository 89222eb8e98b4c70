"""The list of currencies is that of the canonical documents, and what looks like a thousand is asked about."""

from __future__ import annotations

from decimal import Decimal

import pycountry
import pytest

from adapters.canonical.values import _known_currency, minor_units
from routing_rules.cells import CellInvalid, parse_amount
from routing_rules.currencies import MINOR_UNITS


def known(code: str) -> bool:
    try:
        return bool(_known_currency(code))
    except ValueError:
        return False


def test_the_currencies_are_those_that_documents_may_have():
    codes = [one.alpha_3 for one in pycountry.currencies if known(one.alpha_3)]
    assert {code: minor_units(code) for code in codes} == MINOR_UNITS


def test_a_thousand_with_a_point_is_asked_about():
    with pytest.raises(CellInvalid) as refused:
        parse_amount(">=1.000 CHF")
    assert refused.value.faults[0][1] == "Did you mean 1000? Write no thousands separator"


def test_three_decimals_are_an_amount_where_the_currency_has_them():
    assert parse_amount(">=1.000 KWD").lower == Decimal(1)
    assert parse_amount(">=1.50 CHF").lower == Decimal("1.5")
