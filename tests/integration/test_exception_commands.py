"""`erp-gateway exceptions …` against a gateway that runs: what a closed period refused, moved by two persons."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.command_line import erp_gateway
from tests.cutover.test_act_commands import SOON_S, data, said  # noqa: F401 (a fixture)
from tests.line.documents import journal_entry


class People:
    """Those who act, at the gateway of a data directory."""

    def __init__(self, directory: Path) -> None:
        self.data = directory
        self.url: str = said("where", "--data", directory)["url"]
        self.tokens = {
            one: erp_gateway("token", "--client", one, "--data", directory).stdout.strip()
            for one in ("operations", "shift-lead", "billing")
        }

    def ask(self, who: str, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {
            "Authorization": f"Bearer {self.tokens[who]}",
            "Idempotency-Key": f"{path}{body}"[:200].replace(" ", ""),
        }
        answer = httpx.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=30.0)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def refused_entry(self, external_id: str) -> str:
        """A journal entry that is held, and refused when it is let go, because its period was closed."""
        setting = {"overlay": "hold", "slice": "journal_entries.Northwind.World", "reason": external_id}
        overlay = self.ask("operations", "POST", "/v1/cutover/overlays", setting)
        sent = self.ask("billing", "POST", "/v1/journal_entries", journal_entry(external_id))
        assert sent["status"] == "held"
        period = f"/v1/cutover/periods/NW01/{sent['postingDate'][:7]}"
        self.ask("operations", "POST", f"{period}/close", {"reason": external_id})
        for who in ("operations", "shift-lead"):
            self.ask(who, "POST", f"/v1/cutover/overlays/{overlay['overlayId']}/lift", {"reason": external_id})
        deadline = time.monotonic() + SOON_S
        while self.ask("billing", "GET", f"/v1/transactions/{sent['transactionId']}")["status"] != "rejected":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        self.ask("operations", "POST", f"{period}/reopen", {"reason": external_id})
        return str(sent["transactionId"])

    def exception_of(self, transaction_id: str) -> dict[str, Any]:
        [found] = self.ask("operations", "GET", f"/v1/exceptions?transactionId={transaction_id}")["items"]
        return found  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def people(data: Path) -> People:  # noqa: F811
    return People(data)


def test_shown_claimed_moved_by_one_and_approved_by_another(people: People) -> None:
    transaction_id, here = people.refused_entry("JE-1"), ("--data", people.data)
    exception_id = people.exception_of(transaction_id)["exceptionId"]
    listed = erp_gateway("exceptions", "list", "--domain", "journal_entries", *here).stdout
    assert exception_id in listed
    claimed = erp_gateway("exceptions", "claim", exception_id, *here)
    assert f"{exception_id} is cared for by" in claimed.stdout, claimed.stderr
    asked = said("exceptions", "move", exception_id, "cancel", "--reason", "booked by hand", *here)
    move_id = asked["move"]["moveId"]
    assert asked["move"]["state"] == "asked"
    approve = ["exceptions", "approve", exception_id, move_id, *here]
    own = erp_gateway(*approve)
    assert (own.returncode, "the person who asked for a move cannot approve it" in own.stderr) == (1, True), own.stderr
    done = erp_gateway(*approve, "--as", "shift-lead")
    assert done.stdout == f"{move_id} cancel: done (cancel); the exception is closed\n", done.stderr
    told = erp_gateway("exceptions", "show", exception_id, *here).stdout
    assert "(closed," in told
    assert f"{move_id} cancel: done (cancel)" in told


def test_a_corrected_document_is_sent(people: People, tmp_path: Path) -> None:
    exception_id = people.exception_of(people.refused_entry("JE-2"))["exceptionId"]
    corrected = tmp_path / "corrected.json"
    corrected.write_text("[", encoding="utf-8")
    command = ["exceptions", "move", exception_id, "resubmit", "--reason", "x", "--data", people.data]
    assert erp_gateway(*command, "--document", corrected).returncode == 2
    corrected.write_text(json.dumps(journal_entry("JE-2")), encoding="utf-8")
    move_id = said(*command, "--document", corrected)["move"]["moveId"]
    moved = said("exceptions", "approve", exception_id, move_id, "--as", "shift-lead", "--data", people.data)
    assert (moved["outcome"], moved["replacedByTransactionId"] is not None) == ("replaced", True)


def test_many_are_shown_by_one_and_moved_by_another(people: People) -> None:
    transaction_id, here = people.refused_entry("JE-3"), ("--data", people.data)
    shown = said("exceptions", "bulk", "show", "cancel", "--reason", "x", "--domain", "journal_entries", *here)
    assert transaction_id in [one["transactionId"] for one in shown["first"]]
    run = ["exceptions", "bulk", "run", shown["bulkId"], shown["digest"], *here]
    assert erp_gateway(*run).returncode == 1
    ran = erp_gateway(*run, "--as", "shift-lead")
    assert ran.stdout == f"0 left; {shown['exceptions']} done\n", ran.stderr
    assert people.exception_of(transaction_id)["state"] == "closed"
