"""What callers send and what must be seen, before and after each step of docs/cutover.md."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from gateway.demo.northwind import BILLING, SALESFORCE, Lineage, Northwind
from tests.journeys.cutover_document import Command, Shell
from tests.journeys.cutover_gates import GatesSeen
from tests.journeys.cutover_migrated import migrated
from tests.journeys.cutover_proofs import (
    assert_decisions_hold,
    assert_money_ties_out,
    assert_no_lineage_is_split,
    names_of,
)
from tests.journeys.cutover_world import World, billed, needed, order_of, slice_lineages, until
from tests.journeys.test_corrections import credit_note

SLICE = "/v1/cutover/slices/orders.Eastern.US"
LEGACY, CLOUD = "legacy-main", "cloud-main"
LISTED = "10564"
"""An order that goes to the cloud in the pilot because the table names it."""
RENAMED = "Great Lakes Food Market of Eugene"
LATE = "10294"
"""Another one, of August 1996, that comes when that month is closed."""


class Journey:
    """Steps by their names in the document; `after` has them all, in their order."""

    def __init__(self, world: World, desk: Shell, document: str) -> None:
        self.world, self.desk, self.gates = world, desk, GatesSeen(document)
        shipped, self.never, self.others = slice_lineages()
        self.late = next(one for one in shipped if one.order.external_id == LATE)
        self.shipped = [one for one in shipped if one is not self.late]
        self.masters = needed()
        self.born: dict[str, str] = {}
        self.before: dict[str, Callable[[], None]] = {
            "Begin": self.before_begin,
            "Pilot": self.before_pilot,
            "Adopt": self.before_adopting,
        }
        self.after: dict[str, Callable[[], None]] = {
            "Begin": self.begun,
            "Dark": self.dark,
            "Customers change hands": self.customers,
            "A customer that was born in legacy": self.one_customer,
            "Validate": self.validate,
            "Pilot": self.pilot,
            "Back": self.back,
            "Pilot again": self.pilot_again,
            "Close a period": self.closed,
            "Reopen it": self.reopened,
            "Close it for good": lambda: None,
            "Live": self.held,
            "Activate": self.still_held,
            "Lift": self.lifted,
            "Drain": self.drain,
            "Too early": self.too_early,
            "Cancel": self.cancelled,
            "Adopt": self.adopted,
            "Read-only": self.read_only,
            "Retired": self.retired,
        }

    # what is sent

    def orders(self, lineages: Sequence[Lineage]) -> dict[str, str]:
        """Send their orders; the system of each by external id."""
        answers = self.world.send([order_of(one) for one in lineages])
        systems = {name: str(body["routedTo"]["systemId"]) for name, body in answers.items()}
        self.born |= systems
        return systems

    def follow_ups(self, lineages: Sequence[Lineage]) -> None:
        """Send their invoices and payments; each goes where its order is."""
        for name, body in self.world.send(lineages).items():
            root = name.removeprefix("INV-").removeprefix("PAY-")
            assert body["routedTo"]["systemId"] == self.born[root], name

    def open_in_legacy(self) -> int:
        return int(self.world.get(SLICE)["openLineages"]["legacy"]["lineageCount"])

    def ended(self, answer: httpx.Response) -> dict[str, Any]:
        return self.world.done(answer)

    # the steps

    def before_begin(self) -> None:
        elsewhere = tuple(one for one in self.masters.customers if one.geography != "US")
        self.world.send([], masters=Northwind(elsewhere, self.masters.products, ()))
        assert set(self.orders([*self.shipped[:12], *self.never[:2]]).values()) == {LEGACY}
        self.orders(self.others)
        self.follow_ups([billed(one) for one in self.shipped[:9]])
        self.follow_ups(self.shipped[:2])
        assert self.open_in_legacy() == 12

    def begun(self) -> None:
        self.gates.note(self.world.get(f"{SLICE}/gates")["gates"])

    def dark(self) -> None:
        assert set(self.orders(self.shipped[12:15]).values()) == {LEGACY}
        self.gates.note_ledger(self.world)
        self.nobody_knows_for_a_while(self.shipped[15])

    def nobody_knows_for_a_while(self, lineage: Lineage) -> None:
        """An order whose answer is lost makes `nothing_unknown` fail until it is found out what became of it."""
        rule = {"method": "POST", "match": "/sap/bc/srt/", "scenario": "error", "count": 1}
        assert httpx.post(f"{self.world.legacy.base_url}/_mock/faults", json=rule, timeout=30).status_code == 201
        body = json.loads(lineage.order.model_dump_json(exclude_none=True))
        key = f"demo:salesforce:orders:{lineage.order.external_id}"
        answer = self.world.ask(SALESFORCE, "POST", "/v1/orders", body, key, prefer="respond-async")
        assert answer.status_code == 202, answer.text
        until(lambda: self.world.get(answer.json()["statusUrl"]), lambda one: one["status"] == "unknown")
        found = self.world.get(f"{SLICE}/gates")["gates"]
        assert not next(one for one in found if one["gate"] == "nothing_unknown")["passed"], found
        self.gates.note(found)
        self.ended(answer)
        self.born |= {str(lineage.order.external_id): LEGACY}

    def customers(self) -> None:
        inside = {str(one.external_id): one for one in self.masters.customers if one.geography == "US"}
        assert "GREAL" in inside
        self.world.send([], masters=Northwind(tuple(inside.values()), (), ()))

    def one_customer(self) -> None:
        """Born in legacy, made in the cloud by now: a change goes to the cloud."""
        customer = self.world.document("customers", "GREAL")
        assert {one["systemId"] for one in customer["erpNumbers"]} == {LEGACY, CLOUD}
        assert names_of(self.world.cloud, customer) == {RENAMED}
        assert names_of(self.world.legacy, customer) == {"Great Lakes Food Market"}, "nobody writes to both"

    def validate(self) -> None:
        assert set(self.orders([*self.shipped[16:17], self.never[2]]).values()) == {LEGACY}
        self.gates.note_drafts(self.world)

    def before_pilot(self) -> None:
        self.gates.note(self.world.get(f"{SLICE}/gates")["gates"])

    def pilot(self) -> None:
        systems = self.orders(self.shipped[17:30])
        assert systems[LISTED] == CLOUD, "the list names it"
        assert LEGACY in systems.values(), "a tenth of the customers is not all of them"
        self.follow_ups([billed(one) for one in self.shipped if one.order.external_id == LISTED])

    def back(self) -> None:
        assert set(self.orders(self.shipped[30:33]).values()) == {LEGACY}
        self.follow_ups([one for one in self.shipped if one.order.external_id == LISTED])

    def pilot_again(self) -> None:
        systems = self.orders(self.shipped[33:36])
        assert all(name in self.born for name in systems)

    def send_late(self) -> httpx.Response:
        body = json.loads(self.late.order.model_dump_json(exclude_none=True))
        return self.world.ask(SALESFORCE, "POST", "/v1/orders", body, f"demo:salesforce:orders:{LATE}")

    def closed(self) -> None:
        refused = self.send_late()
        assert (refused.status_code, refused.json()["code"]) == (422, "policy-check-failed"), refused.text
        assert refused.json()["period"] == "1996-08"

    def reopened(self) -> None:
        self.born[LATE] = self.ended(self.send_late())["routedTo"]["systemId"]
        assert self.born[LATE] == CLOUD, "the list names it"

    def held(self) -> None:
        order = json.loads(self.shipped[36].order.model_dump_json(exclude_none=True))
        key = f"demo:salesforce:orders:{order['externalId']}"
        answer = self.world.ask(SALESFORCE, "POST", "/v1/orders", order, key, prefer="wait=1")
        assert (answer.status_code, answer.json()["status"]) == (202, "held"), answer.text
        self.waiting = answer

    def still_held(self) -> None:
        assert self.world.get(self.waiting.json()["statusUrl"])["status"] == "held"

    def lifted(self) -> None:
        released = self.ended(self.waiting)
        assert (released["routedTo"]["systemId"], released["routedTo"]["stage"]) == (CLOUD, "live"), released
        self.born[str(self.shipped[36].order.external_id)] = CLOUD
        assert set(self.orders(self.shipped[37:44]).values()) == {CLOUD}

    def drain(self) -> None:
        assert set(self.orders(self.shipped[44:50]).values()) == {CLOUD}
        legacy = [one for one in self.shipped[:44] if self.born[str(one.order.external_id)] == LEGACY]
        counts = [self.open_in_legacy()]
        half = len(legacy) // 2
        for part in ([billed(one) for one in legacy], legacy[:half], legacy):
            self.follow_ups(part)
            counts.append(self.open_in_legacy())
        assert counts[0] == counts[1] > counts[2] > counts[3], counts

    def too_early(self) -> None:
        self.gates.note_drafts(self.world)
        assert self.open_in_legacy() == 3

    def cancelled(self) -> None:
        for name in ("11040", "11061"):
            order = self.world.document("orders", name)
            assert (order["state"], len(order["erpNumbers"])) == ("cancelled", 1), order
        assert self.open_in_legacy() == 1

    def cancel(self, name: str) -> None:
        order = self.world.document("orders", name)
        path = f"/v1/orders/{order['documentId']}/cancel"
        self.ended(self.world.ask(SALESFORCE, "POST", path, {"reason": "Never shipped"}, f"cancel-{name}"))

    def before_adopting(self) -> None:
        number = migrated(self.world, self.never[2])
        self.desk.run(Command(f"NEW={number}"))

    def adopted(self) -> None:
        assert self.open_in_legacy() == 0
        self.born["11077"] = CLOUD
        order = self.world.document("orders", "11077")
        assert {one["systemId"] for one in order["erpNumbers"]} == {LEGACY, CLOUD}

    def read_only(self) -> None:
        assert set(self.orders(self.shipped[50:52]).values()) == {CLOUD}
        first = self.shipped[0]
        assert first.invoice is not None
        body = credit_note(first.invoice) | {"postingDate": "1998-05-06"}
        late = self.world.ask(BILLING, "POST", "/v1/invoices", body, "late")
        assert self.ended(late)["routedTo"]["systemId"] == CLOUD, "the policy for late credits says so"

    def retired(self) -> None:
        assert set(self.orders(self.shipped[52:]).values()) == {CLOUD}
        self.follow_ups([*self.shipped, self.late])
        for one in self.others:
            self.cancel(str(one.order.external_id))
        whole = self.world.get("/v1/cutover/slices/orders.Northwind.World")["openLineages"]
        assert whole["legacy"]["lineageCount"] == 0
        assert whole["cloud"]["lineageCount"] == 1, "what was adopted"

    def assert_everything(self) -> None:
        """The must-holds over the whole journey."""
        self.gates.note_ledger(self.world)
        assert self.gates.seen == self.gates.promised
        never = [self.world.document("orders", str(one.order.external_id)) for one in (*self.never, *self.others)]
        assert sorted(one["state"] for one in never) == ["active", *["cancelled"] * 20], "one was adopted"
        assert_no_lineage_is_split(self.world, self.born)
        assert_decisions_hold(self.world)
        assert_money_ties_out(self.world, [*self.shipped, self.late], self.never[2])
