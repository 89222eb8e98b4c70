"""`erp-gateway cutover overlay|period` against a gateway that runs: held, asked by one person, lifted by another."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.command_line import erp_gateway
from tests.integration.test_wiring import NOBODY, SETTINGS, TABLES
from tests.line.documents import customer
from tests.ports import reserved_port

COMMAND = Path(sys.executable).with_name("erp-gateway")
STARTED_S = 60.0
SOON_S = 60.0


def said(*arguments: str | Path) -> Any:
    """What a command that succeeds prints as JSON."""
    done = erp_gateway(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data directory of a gateway that runs; nobody answers at the addresses of its ERPs."""
    directory = tmp_path_factory.mktemp("acts")
    shutil.copytree(TABLES, directory / "rulebook")
    (directory / "secret").write_text("s", encoding="utf-8")
    port = reserved_port()
    settings = SETTINGS.format(url=NOBODY).replace("port = 8099", f"port = {port}")
    (directory / "gateway.toml").write_text(settings, encoding="utf-8")
    log = (directory / "log").open("w", encoding="utf-8")
    process = subprocess.Popen([COMMAND, "serve", "--data", directory], stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + STARTED_S
        while not _ready(port):
            assert process.poll() is None, (directory / "log").read_text()
            assert time.monotonic() < deadline, "the gateway is not ready"
            time.sleep(0.2)
        yield directory
    finally:
        process.terminate()
        process.wait(60)
        log.close()


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=2.0).status_code == 200
    except httpx.HTTPError:
        return False


class Caller:
    """Salesforce, at the gateway of a data directory."""

    def __init__(self, data: Path) -> None:
        token = erp_gateway("token", "--client", "salesforce", "--data", data).stdout.strip()
        self._url: str = said("where", "--data", data)["url"]
        self._headers = {"Authorization": f"Bearer {token}"}

    def send(self, external_id: str) -> dict[str, Any]:
        headers = self._headers | {"Prefer": "respond-async"}
        answer = httpx.post(f"{self._url}/v1/customers", json=customer(external_id), headers=headers, timeout=20.0)
        return {"httpStatus": answer.status_code} | answer.json()

    def until(self, transaction_id: str, status: str) -> dict[str, Any]:
        deadline = time.monotonic() + SOON_S
        while True:
            address = f"{self._url}/v1/transactions/{transaction_id}"
            found: dict[str, Any] = httpx.get(address, headers=self._headers, timeout=20.0).json()
            if found["status"] == status or time.monotonic() > deadline:
                return found
            time.sleep(0.1)


def test_held_and_released_by_two_persons(data: Path) -> None:
    salesforce = Caller(data)
    overlay = said(
        "cutover", "overlay", "set", "hold", "customers.Northwind.World", "--reason", "counted", "--data", data
    )
    held = salesforce.send("NEW-1")
    assert (held["httpStatus"], held["status"]) == (202, "held")
    lift = ["cutover", "overlay", "lift", overlay["overlayId"], "--reason", "done", "--data", data]
    for _ in range(2):
        asked = erp_gateway(*lift)
        assert (asked.returncode, "stays until a second person lifts it" in asked.stdout) == (0, True), asked.stderr
    (listed,) = said("cutover", "overlay", "list", "--data", data)
    assert (listed["state"], listed["setBy"]["personName"]) == ("lift_asked", "operations")
    assert "lift_asked" in erp_gateway("cutover", "overlay", "list", "--data", data).stdout
    lifted = erp_gateway(*lift, "--as", "shift-lead")
    assert "is lifted" in lifted.stdout, lifted.stderr
    assert said("cutover", "overlay", "list", "--data", data) == []
    # it is sent to its ERP at once, where nobody answers
    ended = salesforce.until(held["transactionId"], "dispatched")
    assert (ended["status"], ended["problem"]["code"]) == ("dispatched", "erp-unavailable")


def test_a_freeze_tells_the_caller_when_to_come_again(data: Path) -> None:
    next_week = datetime.now(UTC) + timedelta(days=7)
    overlay = said(
        "cutover", "overlay", "set", "freeze", "customers.Northwind.World", "--reason", "audit",
        "--until", next_week.isoformat(), "--data", data,
    )  # fmt: skip
    refused = Caller(data).send("NEW-2")
    assert (refused["httpStatus"], refused["code"], refused["windowId"]) == (409, "frozen", overlay["overlayId"])
    assert 600_000 < refused["retryAfterS"] <= 7 * 86_400
    for who in ("operations", "shift-lead"):
        said("cutover", "overlay", "lift", overlay["overlayId"], "--reason", "x", "--as", who, "--data", data)
    assert Caller(data).send("NEW-2")["httpStatus"] == 202


def test_a_period_is_closed_and_reopened(data: Path) -> None:
    assert said("cutover", "period", "close", "NW01", "2026-10", "--reason", "x", "--data", data)["state"] == "closed"
    reopened = erp_gateway("cutover", "period", "reopen", "NW01", "2026-10", "--reason", "y", "--data", data)
    assert reopened.stdout == "period 2026-10 of company code NW01 is open\n"
    (listed,) = said("cutover", "period", "list", "--company-code", "NW01", "--data", data)
    assert (listed["period"], listed["state"], listed["reason"]) == ("2026-10", "open", "y")
    assert "2026-10" in erp_gateway("cutover", "period", "list", "--data", data).stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["overlay", "set", "hold", "orders.Atlantis.DE", "--reason", "x"], "unknown-node: businessUnit Atlantis"),
        (["overlay", "lift", "../periods", "--reason", "x"], "not-found"),
        (["overlay", "list", "--as", "nobody"], "no client 'nobody'"),
        (["overlay", "list", "--as", "salesforce"], "forbidden"),
        (["overlay", "list", "--url", NOBODY], "no gateway answers at http://127.0.0.1:9"),
    ],
)
def test_what_goes_wrong_is_said_in_one_line(data: Path, arguments: list[str], told: str) -> None:
    done = erp_gateway("cutover", *arguments, "--data", data)
    assert done.returncode != 0
    assert told in done.stderr
    assert "Traceback" not in done.stderr
