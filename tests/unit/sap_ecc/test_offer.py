"""What the driver says that it can do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.canonical import DOMAINS
from adapters.legacy_erp.sap_ecc.offer import capabilities
from adapters.legacy_erp.sap_ecc.order_changes import CHANGEABLE
from adapters.port import Operation
from tests.unit.sap_ecc.documents import SETTINGS

CREATE, CHANGE, CANCEL, REVERSE = Operation.CREATE, Operation.CHANGE, Operation.CANCEL, Operation.REVERSE
ACCOUNTING = {(domain, what) for domain in ("invoices", "payments", "journal_entries") for what in (CREATE, REVERSE)}
BY_BAPI = ACCOUNTING | {("orders", what) for what in (CREATE, CHANGE, CANCEL)}


@pytest.mark.parametrize(
    ("settings", "supported"),
    [
        (SETTINGS, BY_BAPI),
        (replace(SETTINGS, orders_by="idoc"), ACCOUNTING | {("orders", CREATE)}),
        (
            replace(SETTINGS, closed=frozenset({"invoices", "orders"})),
            {key for key in ACCOUNTING if key[0] != "invoices"},
        ),
    ],
    ids=["bapi", "idoc", "closed"],
)
def test_what_is_supported(settings: object, supported: set[tuple[str, Operation]]) -> None:
    offered = capabilities(settings)  # type: ignore[arg-type]
    assert offered.keys() == {(domain, operation) for domain in DOMAINS for operation in Operation}
    assert {key for key, one in offered.items() if one.supported} == supported
    assert all(one.reason for one in offered.values() if not one.supported)
    assert not any(one.reference_unique for one in offered.values())


def test_only_orders_that_go_as_calls_are_validated_and_changed() -> None:
    offered = capabilities(SETTINGS)
    assert [key for key, one in offered.items() if one.can_validate] == [("orders", CREATE)]
    assert offered["orders", CHANGE].changeable == CHANGEABLE
    by_idoc = capabilities(replace(SETTINGS, orders_by="idoc"))
    assert not any(one.can_validate or one.changeable for one in by_idoc.values())
