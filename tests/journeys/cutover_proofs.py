"""What must hold over a whole journey, read from both ERPs' own OData and from the ledger."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from gateway.demo.erps import Erp
from gateway.demo.northwind import Lineage
from gateway.demo.odata import Entity, session
from gateway.demo.readings import read_erp
from gateway.demo.tie_out import Found
from tests.journeys.cutover_world import World
from tests.journeys.record import reading

PILOT: Final = ("pilot", "o-east-us")
SHARE: Final = 1_000
"""Buckets below it are in a share of 10 %."""


def standing(world: World) -> dict[str, list[Found]]:
    """What stands in the ERPs, by its external reference."""
    found: dict[str, list[Found]] = defaultdict(list)
    for erp in (world.legacy, world.cloud):
        for one in asyncio.run(read_erp(erp)):
            found[one.reference].append(one)
    return found


def references(world: World) -> list[tuple[str, str, str, str]]:
    """Reference, lineage, domain and external id of every document that was posted, from the record."""
    with reading(world.places.directory) as connection:
        return connection.execute(
            "SELECT external_reference, lineage_id, domain, coalesce(external_id, '') FROM steps"
            " JOIN transactions USING (transaction_id)"
            " WHERE domain NOT IN ('customers', 'products') AND operation = 'create' AND transactions.status = 'posted'"
        ).fetchall()


def assert_no_lineage_is_split(world: World, born: Mapping[str, str]) -> None:
    """All documents of a lineage stand in one system, each once; the ledger says the same."""
    there = standing(world)
    systems: dict[str, set[str]] = defaultdict(set)
    for reference, lineage, domain, external_id in references(world):
        assert len(there[reference]) == 1, (domain, external_id, there[reference])
        systems[lineage].add(there[reference][0].system_id)
        if domain == "orders" and external_id in born and external_id != "11077":
            assert there[reference][0].system_id == born[external_id]
    assert all(len(one) == 1 for one in systems.values()), systems
    routed: dict[str, set[str]] = defaultdict(set)
    with reading(world.places.directory) as connection:
        rows = connection.execute("SELECT body FROM ledger_entries WHERE kind = 'routed'").fetchall()
    for (body,) in rows:
        entry = json.loads(body)
        if entry["facts"]["domain"] not in {"customers", "products"}:
            routed[entry["lineageId"]].add(entry["systemId"])
    assert all(len(one) == 1 for one in routed.values())


def assert_decisions_hold(world: World) -> None:
    """Every decision is made again from what the ledger holds, and a pilot took just its tenth and its list."""
    with reading(world.places.directory) as connection:
        rows = connection.execute("SELECT trace, body FROM ledger_entries WHERE kind = 'routed'").fetchall()
    assert len(rows) > 100
    for transaction_id in {trace for trace, _ in rows}:
        assert world.get(f"/v1/transactions/{transaction_id}/explanation")["reproduced"] is True, transaction_id
    pilots = [
        entry for entry in (json.loads(body) for _, body in rows) if (entry["stage"], entry["rule"]["row"]) == PILOT
    ]
    roots = [one for one in pilots if not one["pinned"]]
    assert len(roots) > 10
    for one in roots:
        in_cloud = one["facts"]["bucket"] < SHARE or one["facts"]["allowHit"]
        assert one["systemId"] == ("cloud-main" if in_cloud else "legacy-main"), one


def assert_money_ties_out(world: World, shipped: Sequence[Lineage], adopted: Lineage) -> None:
    """Both ERPs together hold what was sent, to the cent, by domain; what was called off comes to nothing, and what was
    migrated by hand stands in the cloud alone."""
    there = standing(world)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for reference, _, domain, external_id in references(world):
        if not external_id.startswith("CN-"):
            sums[domain] += there[reference][0].total
    assert sums == {
        "orders": sum((one.order.amount for one in shipped), Decimal(0)),
        "invoices": sum((one.invoice.amount for one in shipped if one.invoice), Decimal(0)),
        "payments": sum((one.payment.amount for one in shipped if one.payment), Decimal(0)),
    }
    (by_hand,) = there[f"MIG {adopted.order.external_id}"]
    assert (by_hand.system_id, by_hand.total) == ("cloud-main", adopted.order.amount)


def names_of(erp: Erp, customer: Mapping[str, Any]) -> set[str]:
    """What the ERP calls the customer."""
    (number,) = {one["documentNumber"] for one in customer["erpNumbers"] if one["systemId"] == erp.system_id}

    async def read() -> list[Entity]:
        async with session(erp) as odata:
            return await odata.all("API_BUSINESS_PARTNER_SRV", "A_BusinessPartner", orderby="BusinessPartner")

    return {str(one["OrganizationBPName1"]) for one in asyncio.run(read()) if one["BusinessPartner"] == number}
