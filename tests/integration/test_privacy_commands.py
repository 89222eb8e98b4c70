"""`erp-gateway ledger erase|hold` against a gateway that runs: asked by one person, approved by another."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.command_line import erp_gateway
from tests.cutover.test_act_commands import data, said  # noqa: F401 (a fixture)
from tests.line.documents import customer

pytestmark = pytest.mark.timeout(400)
"""Every command is a process of its own, which begins slowly on a busy machine."""


def _send_customer(directory: Path, external_id: str) -> None:
    token = erp_gateway("token", "--client", "salesforce", "--data", directory).stdout.strip()
    headers = {"Authorization": f"Bearer {token}", "Prefer": "respond-async"}
    url = said("where", "--data", directory)["url"]
    answer = httpx.post(f"{url}/v1/customers", json=customer(external_id), headers=headers, timeout=30.0)
    assert answer.is_success, answer.text


def test_one_person_asks_and_another_approves(data: Path) -> None:  # noqa: F811
    _send_customer(data, "ERASE-1")
    where = ("--data", data)
    asked = said("ledger", "erase", "ask", "salesforce:ERASE-1", "--reason", "asked by letter", *where)
    # no ERP answers, so the customer's creation has not ended
    assert [one["keptFor"] for one in asked["kept"]] == ["under-way"]
    again = erp_gateway("ledger", "erase", "ask", "salesforce:ERASE-1", "--reason", "asked by letter", *where)
    assert f"{asked['erasureId']} of {asked['customerId']}: asked, as you asked before" in again.stdout, again.stderr
    alone = erp_gateway("ledger", "erase", "approve", asked["erasureId"], *where)
    assert alone.returncode == 1
    assert "another person" in alone.stderr
    approved = erp_gateway("ledger", "erase", "approve", asked["erasureId"], "--as", "shift-lead", *where)
    assert "approved" in approved.stdout, approved.stderr
    assert "under-way" in approved.stdout


def test_one_person_holds_and_two_lift(data: Path) -> None:  # noqa: F811
    _send_customer(data, "HOLD-1")
    where = ("--data", data)
    hold = said("ledger", "hold", "set", "--customer", "salesforce:HOLD-1", "--reason", "case 1", *where)
    assert hold["holdId"] in erp_gateway("ledger", "hold", "list", *where).stdout
    lift = ("ledger", "hold", "lift", hold["holdId"], "--reason", "the case ended", *where)
    assert "stays until a second person" in erp_gateway(*lift).stdout
    assert "is lifted" in erp_gateway(*lift, "--as", "shift-lead").stdout


def test_what_is_due_is_told(data: Path) -> None:  # noqa: F811
    assert "0 transactions are due" in erp_gateway("ledger", "erase", "due", "--data", data).stdout


def test_what_names_no_customer_is_refused(data: Path) -> None:  # noqa: F811
    refused = erp_gateway("ledger", "erase", "ask", "VINET", "--reason", "x", "--data", data)
    assert (refused.returncode, refused.stderr.count("SOURCE:ID")) == (2, 1)
    neither = erp_gateway("ledger", "hold", "set", "--reason", "x", "--data", data)
    assert (neither.returncode, neither.stderr.count("--customer or --lineage")) == (2, 1)


def test_the_clock_is_compared_at_the_start(data: Path) -> None:  # noqa: F811
    token = erp_gateway("token", "--client", "operations", "--data", data).stdout.strip()
    url = said("where", "--data", data)["url"]
    shown = httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=30.0).text
    assert 'erp_gateway_clock_offset_seconds{against="database"}' in shown
