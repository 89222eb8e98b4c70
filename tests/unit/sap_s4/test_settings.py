"""Settings that would fail only at the first posting fail at the start."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from adapters.cloud_erp.sap_s4.settings import Company, ConditionTypes, DocumentTypes
from adapters.cloud_erp.sap_s4.translate.fields import unit
from adapters.errors import Misconfigured, Rejected
from tests.unit.sap_s4.scripted import ACCOUNTS, SETTINGS


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": ""},
        {"client_id": "a:b"},
        {"client_secret": SecretStr("")},
        {"companies": {}},
        {"companies": {"1000": Company("17100", "1710")}},
        {"companies": {"1000": Company("1710", "17\n")}},
        {"companies": {"1000": Company("1710", "1710"), "2000": Company("1720", "1710")}},
        {"companies": {"1000": Company("1710", "1710"), "2000": Company("1710", "1720")}},
        {"accounts": replace(ACCOUNTS, bank="")},
        {"document_types": DocumentTypes(reversal="DR")},
        {"document_types": DocumentTypes(payment="DZZ")},
        {"conditions": ConditionTypes(price="PR0")},
        {"conditions": ConditionTypes(price="K007")},
        {"units": {"C62": "PC", "H87": "PC"}},
        {"units": {"C62": "PIECE"}},
        {"document_types": DocumentTypes(journal_entry="DZ")},
        {"cancel_reason": "Z123", "cancel_orders_by": "zero_quantity"},
        {"cancel_reason": "Z12"},
        {"cancel_reason": "z1"},
        {"v4_names": {"to_Item": "_Item/$batch?"}},
        {"v4_names": {"to_Item": ""}},
        {"fiscal_year_start_month": 0},
        {"page_rows": 0},
    ],
)
def test_what_is_wrong_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        replace(SETTINGS, **wrong)


def test_the_secret_is_not_shown() -> None:
    assert "s3cret" not in repr(SETTINGS)


def test_units_are_one_to_one() -> None:
    assert SETTINGS.unit_there("C62") == "PC"
    assert SETTINGS.unit_there("MTK") == "MTK"
    assert SETTINGS.unit_here("KG") == "KGM"
    with pytest.raises(Misconfigured):
        SETTINGS.unit_there("KG")


def test_companies_both_ways() -> None:
    settings = replace(SETTINGS, companies={"DE01": Company("1010", "1011"), "US01": Company("1710", "1711")})
    assert settings.company("US01").sales_organization == "1711"
    assert settings.company_code_of("1010") == "DE01"
    assert settings.company_code_of("9999") == "9999"
    assert settings.company_code_of_sales("1711") == "US01"
    assert settings.company_code_of_sales("9999") is None


def test_a_unit_that_a_document_names_is_the_callers_to_mend() -> None:
    with pytest.raises(Rejected) as refused:
        unit("KG", SETTINGS, "lines[0].quantity.unitCode")
    assert refused.value.field == "lines[0].quantity.unitCode"
