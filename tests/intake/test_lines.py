"""Lines are read in JSON's own terms, whichever encoder writes the document down for its model."""

from __future__ import annotations

import pytest

from gateway.api.limits import Limits
from gateway.domain.lanes import IN_BULK
from gateway.errors import Problem
from gateway.intake.lines import DocumentReader
from tests.intake.batches import line
from tests.line.rig import SALESFORCE, order

READER = DocumentReader(SALESFORCE, {"orders"}, IN_BULK, Limits())


@pytest.mark.parametrize("value", ["1e999", "-1e999", "99999999999999999999", "1e16", "true"])
def test_what_is_no_date_stays_none(value: str) -> None:
    raw = line("orders", order() | {"requestedDeliveryDate": "HERE"}).replace(b'"HERE"', value.encode())
    with pytest.raises(Problem) as refused:
        READER.of_line(raw)
    assert refused.value.slug == "invalid-document"
    assert [one.field for one in refused.value.errors] == ["requestedDeliveryDate"]


def test_a_lone_surrogate_is_no_text() -> None:
    raw = line("orders", order() | {"quoteReference": "HERE"}).replace(b'"HERE"', b'"\\ud800"')
    with pytest.raises(Problem) as refused:
        READER.of_line(raw)
    assert refused.value.slug == "invalid-request"


def test_null_and_every_kind_of_text_are_read_as_they_were_sent() -> None:
    ship_to = {"street": 'a"\\\n\x7f\u2028é😀null', "city": "Zürich", "countryCode": "CH"}
    raw = line("orders", order() | {"requestedDeliveryDate": None, "shipTo": ship_to})
    read = READER.of_line(raw).document.model_dump(exclude_none=True, by_alias=True)
    assert read["shipTo"]["street"] == ship_to["street"]
    assert "requestedDeliveryDate" not in read
