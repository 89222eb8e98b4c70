"""Settings are checked at start, not at the first posting."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapters.legacy_erp.sap_ecc.settings import IdocSettings, SalesArea
from adapters.legacy_erp.sap_ecc.table_names import ECC_TABLES
from tests.unit.sap_ecc.documents import SETTINGS


@pytest.mark.parametrize(
    "wrong",
    [
        {"user": "a:b"},
        {"client": "1"},
        {"order_type": "order"},
        {"sales_area": SalesArea("17100")},
        {"accounts": replace(SETTINGS.accounts, revenue="")},
        {"accounts": replace(SETTINGS.accounts, bank_by_method={"card": "x y"})},
        {"units": {"C62": "PIECE"}},
        {"profit_centers": {"beverages": "PROFIT CENTER"}},
        {"freight_material": "X" * 19},
        {"document_types": replace(SETTINGS.document_types, payment="")},
        {"document_types": replace(SETTINGS.document_types, journal_reversal="DA")},
        {"rejection_reason": "9", "tables": ECC_TABLES},
        {"rejection_reason": "92"},
    ],
)
def test_settings_that_the_erp_could_not_hold_fail_at_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(SETTINGS, **wrong)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("sender", ("gateway", "LS", "GATEWAY")),
        ("sender", ("GATEWAY", "L", "GATEWAY")),
        ("receiver", ("SAPECC", "LS", "X" * 11)),
        ("freight_condition", "FREIGHT"),
        ("units", {"C62": "PIECE"}),
        ("poll_s", 0.0),
        ("poll_s", 11.0),
        ("wait_s", 61.0),
        ("recent", 0),
        ("recent", 10_001),
    ],
)
def test_idoc_settings_that_no_control_record_could_hold_fail_at_start(name: str, wrong: Any) -> None:
    with pytest.raises(ValueError, match=f"idoc.{name}"):
        IdocSettings(**{name: wrong})


def test_a_reason_for_rejection_goes_with_a_column_that_shows_it() -> None:
    assert replace(SETTINGS, rejection_reason="92", tables=ECC_TABLES).rejection_reason == "92"


def test_settings_are_ok_with_what_may_be_empty() -> None:
    accounts = replace(SETTINGS.accounts, receivable="")
    replace(SETTINGS, accounts=accounts, freight_material="")


def test_a_sales_organisation_names_a_company_code_only_if_it_has_one() -> None:
    areas = {"1000": SalesArea("1000"), "2000": SalesArea("2000"), "3000": SalesArea("2000")}
    settings = replace(SETTINGS, sales_areas=areas)
    assert (settings.company_of("1000"), settings.company_of("2000"), settings.company_of("9")) == ("1000", None, None)
    assert settings.area_of("4000") == SETTINGS.sales_area
