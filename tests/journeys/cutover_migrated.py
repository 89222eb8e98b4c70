"""A migration that is done elsewhere: an open order is made in the cloud by hand and closed in legacy.

Over the ERPs' own OData, as a migration tool would do it; the gateway is told afterwards, by adopting.
"""

from __future__ import annotations

import asyncio

import httpx

from gateway.demo.northwind import Lineage
from gateway.demo.odata import SERVICES, expanded, session
from tests.journeys.cutover_world import World

ORDERS = "API_SALES_ORDER_SRV"
TOKEN = "/sap/bc/sec/oauth2/token"


def migrated(world: World, lineage: Lineage) -> str:
    """The number of the new order in the cloud."""
    return asyncio.run(_migrated(world, lineage))


async def _migrated(world: World, lineage: Lineage) -> str:
    order = world.document("orders", str(lineage.order.external_id))
    customer = world.document("customers", str(lineage.order.customer.external_id))
    old = next(one["documentNumber"] for one in order["erpNumbers"] if one["systemId"] == "legacy-main")
    party = next(one["documentNumber"] for one in customer["erpNumbers"] if one["systemId"] == "cloud-main")
    made = await _made(world, lineage, party)
    await _closed(world, old)
    return made


async def _closed(world: World, number: str) -> None:
    """An order of which every item is gone is called off there, as far as the gateway's settings for it say."""
    async with session(world.legacy) as legacy:
        orders = await legacy.all(ORDERS, "A_SalesOrder", orderby="SalesOrder", expand="to_Item")
    items = expanded(next(one for one in orders if one["SalesOrder"] == number), "to_Item")
    async with httpx.AsyncClient(base_url=world.legacy.base_url, auth=world.legacy.auth, trust_env=False) as http:
        for item in items:
            key = f"SalesOrder='{number}',SalesOrderItem='{item['SalesOrderItem']}'"
            answer = await http.delete(f"{SERVICES}/{ORDERS}/A_SalesOrderItem({key})")
            assert answer.status_code == 204, answer.text


async def _made(world: World, lineage: Lineage, party: str) -> str:
    """Like an order that stands in the cloud already, with the lines of this one. A write needs a token that was
    fetched in the same session (SAP Gateway, CSRF)."""
    async with session(world.cloud) as cloud:
        like = (await cloud.all(ORDERS, "A_SalesOrder", orderby="SalesOrder desc", expand="to_Item"))[0]
        items = expanded(like, "to_Item")
    kept = ("SalesOrderType", "SalesOrganization", "DistributionChannel", "OrganizationDivision")
    content = {name: like[name] for name in kept} | {
        "SoldToParty": party,
        "TransactionCurrency": lineage.order.currency_code,
        "PurchaseOrderByCustomer": f"MIG {lineage.order.external_id}",
        "to_Item": {
            "results": [
                {
                    "SalesOrderItem": str(line.line_number),
                    "SalesOrderItemText": line.description,
                    "Material": items[0]["Material"],
                    "RequestedQuantity": str(line.quantity.value) if line.quantity else "1",
                    "RequestedQuantityUnit": items[0]["RequestedQuantityUnit"],
                    "NetAmount": str(line.net_amount),
                }
                for line in lineage.order.lines
            ]
        },
    }
    async with httpx.AsyncClient(base_url=world.cloud.base_url, timeout=30, trust_env=False) as http:
        answer = await http.post(TOKEN, data={"grant_type": "client_credentials"}, auth=world.cloud.auth)
        http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        fetched = await http.get(
            f"{SERVICES}/{ORDERS}/", headers={"X-CSRF-Token": "Fetch", "Accept": "application/json"}
        )
        headers = {"X-CSRF-Token": fetched.headers["x-csrf-token"], "Accept": "application/json"}
        made = await http.post(f"{SERVICES}/{ORDERS}/A_SalesOrder", json=content, headers=headers)
        assert made.status_code == 201, made.text
        return str(made.json()["d"]["SalesOrder"])
