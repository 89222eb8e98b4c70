"""What is sent is, byte for byte, what a real process was sent and answered."""

from __future__ import annotations

import pytest

from adapters.legacy_erp.sap_ecc.orders05 import order_idoc
from adapters.legacy_erp.sap_ecc.wire import envelope
from tests.unit.sap_ecc.documents import SETTINGS, SYSTEM
from tests.unit.sap_ecc.recorded import CALLS, ordered
from tests.unit.sap_ecc.scripted import golden


@pytest.mark.parametrize("name", CALLS)
def test_the_recorded_calls(name: str) -> None:
    call = CALLS[name]()
    assert envelope(call.function, call.parameters) == golden(name)


def test_the_recorded_idoc() -> None:
    assert order_idoc(ordered(), SETTINGS, SYSTEM) == golden("idoc")
