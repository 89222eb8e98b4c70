"""Orders that bring their customer, over HTTP, through the real driver into a simulated S/4HANA and back out of it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.mock_sap import MockSap
from tests.intake.batches import body, line
from tests.integration.test_wiring import SETTINGS
from tests.journeys.test_intake import Served
from tests.line.documents import customer
from tests.line.newcomers import order_of_new

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

_ENDS = {"posted", "rejected", "compensated", "in_doubt"}
_COMPANY = {"companyCode": "NW01"}


class World(Served):
    """A gateway whose cloud ERP is a simulator with nothing of ours in it."""

    def __init__(self, directory: Path, sap: MockSap) -> None:
        super().__init__(directory)
        self.sap = sap
        settings = SETTINGS.format(url=sap.base_url).replace("port = 8099", f"port = {self.port}")
        (directory / "gateway.toml").write_text(settings, encoding="utf-8")

    def begin(self) -> None:
        """Serve, with the product that is ordered."""
        self.start()
        headers = {"Authorization": f"Bearer {self.token()}", "Prefer": "wait=8"}
        self.http = httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False)
        product = {"externalId": "11", "name": "Queso Cabrales", **_COMPANY}
        assert self.ended(self.http.post("/v1/products", json=product))["status"] == "posted"

    def stop(self) -> None:
        if hasattr(self, "http"):
            self.http.close()
        super().stop()

    def ended(self, answer: httpx.Response) -> dict[str, Any]:
        """The transaction of an answer, once it has come to its end."""
        found: dict[str, Any] = answer.json()
        assert "transactionId" in found, answer.text
        return self.rested(found["transactionId"])

    def rested(self, transaction_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + 120
        while True:
            transaction: dict[str, Any] = self.http.get(f"/v1/transactions/{transaction_id}").json()
            if transaction["status"] in _ENDS:
                return transaction
            assert time.monotonic() < deadline, transaction
            time.sleep(0.1)

    def customer(self, external_id: str, until: str) -> dict[str, Any]:
        """The transaction that made the customer last, once it has that status."""
        deadline = time.monotonic() + 120
        while True:
            [listed] = self.http.get("/v1/customers", params={"externalId": external_id}).json()["items"]
            transaction = self.rested(listed["transactionId"])
            if transaction["status"] == until:
                return transaction
            assert time.monotonic() < deadline, transaction
            time.sleep(0.1)

    def partners(self, name: str) -> list[tuple[str, bool]]:
        """The simulator's own rows of that name: number, and whether it is blocked."""
        query = (
            'SELECT "BusinessPartner", "BusinessPartnerIsBlocked" FROM "A_BusinessPartner"'
            ' WHERE "OrganizationBPName1" = ? ORDER BY 1'
        )
        return [(number, bool(blocked)) for number, blocked in self._rows(query, name)]

    def orders(self, reference: str) -> list[str]:
        """For whom the simulator has orders with this reference."""
        query = 'SELECT "SoldToParty" FROM "A_SalesOrder" WHERE "PurchaseOrderByCustomer" = ?'
        return [party for (party,) in self._rows(query, reference)]

    def _rows(self, query: str, *values: str) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self.sap.database}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(query, values).fetchall()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    sap = MockSap(tmp_path / "sap", ["--oauth", "u:s", "--require-if-match", "--clock", "1996-07-01T08:00"])
    try:
        found = World(tmp_path / "gateway", sap)
        try:
            found.begin()
            yield found
        finally:
            found.stop()
    finally:
        sap.stop()


def _brought(external_id: str, name: str, **changes: Any) -> dict[str, Any]:
    new = customer(f"C-{external_id}", name=name, address={"countryCode": "DE", "city": "Berlin"}, **_COMPANY)
    return order_of_new(external_id, of=new, **changes)


def test_a_deal_with_a_new_customer(world: World) -> None:
    first = world.ended(world.http.post("/v1/orders", json=_brought("D-1", "First")))
    assert first["status"] == "posted", first
    new = world.customer("C-D-1", "posted")
    assert new["routedTo"]["row"] == "c-all"
    assert (first["newCustomerTransactionId"], new["madeForTransactionId"]) == (
        new["transactionId"],
        first["transactionId"],
    )
    [(number, blocked)] = world.partners("First")
    assert (world.orders(first["erpReference"]), blocked) == ([number], False)
    again = world.http.post("/v1/orders", json=_brought("D-1", "First"))
    assert (again.status_code, again.json()["replayed"]) == (200, True)
    other = world.http.post("/v1/orders", json=_brought("D-1", "Another name"))
    assert (other.status_code, other.json()["code"]) == (409, "natural-key-conflict")
    assert other.json()["errors"][0]["field"] == "newCustomer.externalId"
    two = world.http.post("/v1/orders", json=_brought("D-9", "Nobody") | {"customer": {"externalId": "C-D-1"}})
    assert (two.status_code, two.json()["code"]) == (422, "invalid-document")
    assert [one["field"] for one in two.json()["errors"]] == ["newCustomer", "customer"]


def test_a_refused_deal_leaves_a_blocked_customer_and_may_be_corrected(world: World) -> None:
    with world.sap.rule(method="POST", match="/A_SalesOrder", status=400, message="the credit limit is exceeded"):
        refused = world.ended(world.http.post("/v1/orders", json=_brought("D-2", "Second")))
    assert refused["status"] == "rejected", refused
    undone = world.customer("C-D-2", "compensated")
    assert undone["problem"]["code"] == "parent-rejected"
    assert [blocked for _, blocked in world.partners("Second")] == [True]
    corrected = _brought("D-2", "Second", quoteReference="Q-2", replaces=refused["transactionId"])
    done = world.ended(world.http.post("/v1/orders", json=corrected))
    assert done["status"] == "posted", done
    assert [blocked for _, blocked in world.partners("Second")] == [True, False]
    assert world.orders(done["erpReference"]) == [world.partners("Second")[1][0]]


def test_a_batch_may_bring_customers_too(world: World) -> None:
    lines = [line("orders", _brought(f"D-3{number}", f"Batch {number}")) for number in range(3)]
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": "run-1"}
    sent = world.http.post("/v1/batches", content=body(*lines), headers=headers)
    assert (sent.status_code, sent.json()["accepted"]) == (201, 3), sent.text
    for number in range(3):
        [listed] = world.http.get("/v1/orders", params={"externalId": f"D-3{number}"}).json()["items"]
        assert world.rested(listed["transactionId"])["status"] == "posted"
        assert [blocked for _, blocked in world.partners(f"Batch {number}")] == [False]
