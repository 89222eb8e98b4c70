"""`erp-gateway ledger view|ask` on the record of a data directory, and put to a gateway that is running."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.cli.console import Failure
from gateway.domain.operational_views import View
from gateway.ledger import named_questions
from gateway.ledger.api_uses import ApiUse, ApiUses
from gateway.store.store import open_store
from tests.integration.test_wiring import NOBODY, SETTINGS
from tests.line.documents import TO_CLOUD
from tests.line.rig import Rig, invoice, order, payment
from tests.migrated import migrated_file

PERIOD = ("acceptedFrom=2023-11-01T00:00:00Z", "acceptedUntil=2023-12-01T00:00:00Z")


async def _business(directory: Path) -> None:
    """An order that was paid; one that was refused, with an invoice that waits for another one that is stuck."""
    url = migrated_file(directory / "gateway.db")
    store = await open_store(url)
    rig = await Rig.on(store)
    for number, changes in (("10248", {}), ("10249", TO_CLOUD)):
        await rig.send(order(number, **changes), wait_s=5.0)
        await rig.send(invoice(f"INV-{number}", number, **changes), "invoices", wait_s=5.0)
        rig.clock.forward(7_200.0 if changes else 86_400.0 * 3)
        await rig.send(payment(f"PAY-{number}", (f"INV-{number}",), **changes), "payments", wait_s=5.0)
    rig.legacy.script = ["reject", "down"]
    await rig.send(order("10250"), wait_s=5.0)
    await rig.send(order("10251"))
    await rig.line.drain(30)
    await rig.send(invoice("INV-10251", "10251"), "invoices")
    uses = ApiUses(store, rig.clock)
    uses.note(ApiUse("salesforce", "salesforce", "v1", "createOrder"), 201)
    uses.note(ApiUse("salesforce", "salesforce", "v1", "createOrder"), 422)
    await uses.flush()
    await store.close()


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("viewed")
    (made / "gateway.toml").write_text(SETTINGS.format(url=NOBODY), encoding="utf-8")
    (made / "secret").write_text("s", encoding="utf-8")
    key = made / "commitments.key"
    key.write_bytes(b"c" * 32)
    key.chmod(0o600)
    asyncio.run(_business(made))
    return made


def _call(directory: Path, *arguments: str) -> Any:
    return CliRunner().invoke(app, ["ledger", *arguments, "--data", str(directory)])


def _said(directory: Path, *arguments: str) -> Any:
    done = _call(directory, *arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_view_is_drawn_with_bars(directory: Path) -> None:
    done = _call(directory, "view", "cycle-time", *PERIOD, "groupBy=side")
    assert done.exit_code == 0, done.output
    head, columns, cloud, legacy = done.stdout.splitlines()
    assert head.startswith("cycle-time: accepted from 2023-11-01")
    assert columns.split() == ["side", "paidCount", "medianMs", "p95Ms", "longestMs"]
    assert cloud.split()[:4] == ["cloud", "1", "2.0", "h"]
    assert legacy.split()[:4] == ["legacy", "1", "3.0", "d"]
    assert legacy.count("#") == 20
    assert cloud.count("#") == 1


@pytest.mark.parametrize("view", list(View))
def test_every_view_is_told_as_json_csv_and_table(directory: Path, view: View) -> None:
    found = _said(directory, "view", view, *PERIOD)
    assert found["items"]
    assert found["groupBy"] == ["month", "slice", "side"]
    told = list(csv.DictReader(io.StringIO(_call(directory, "view", view, *PERIOD, "--csv").stdout)))
    assert [one["month"] for one in told] == [one["month"] for one in found["items"]]
    table = _call(directory, "view", view, *PERIOD).stdout.splitlines()
    assert len(table[: table.index("")] if "requests" in found else table) == len(found["items"]) + 2


def test_requests_by_caller_and_version_are_told_beside_the_rows(directory: Path) -> None:
    months = len(_said(directory, "view", "api-use", *PERIOD, "groupBy=month")["items"])
    lines = _call(directory, "view", "api-use", *PERIOD, "groupBy=month").stdout.splitlines()[2 + months :]
    assert lines[:2] == ["", "requests by caller and version, in whole hours:"]
    assert lines[2].split() == [
        "month", "client", "source", "apiVersion", "operationId", "answeredCount", "refusedCount", "failedCount",
        "brokenCount",
    ]  # fmt: skip
    assert [one.split() for one in lines[3:]] == [
        ["2023-11", "salesforce", "salesforce", "v1", "createOrder", "1", "1", "0", "0"]
    ]
    assert "month" not in _call(directory, "view", "api-use", *PERIOD, "groupBy=side").stdout
    assert "requests" not in _call(directory, "view", "api-use", *PERIOD, "side=cloud").stdout


def test_questions_about_a_document(directory: Path) -> None:
    (stuck, waits) = _said(directory, "ask", "where-stuck", "10251")["items"]
    assert (stuck["awaited"], waits["awaited"]) == ("next_attempt", "transaction")
    assert "the credit limit is exceeded" in _call(directory, "ask", "why-failed", "10250").stdout
    (told,) = _said(directory, "ask", "events-told", "PAY-10248", "--domain", "payments")["items"]
    assert not told["wasSentAgain"]
    assert "posted" in _call(directory, "ask", "events-told", "PAY-10248").stdout
    assert "INV-10251" in _call(directory, "ask", "waiting-documents", "10251").stdout


def test_that_more_is_known_than_is_listed_is_said_beside_the_table(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("ask", "events-told", "10248")
    whole = _call(directory, *asked)
    assert (whole.exit_code, whole.stderr) == (0, "")
    monkeypatch.setattr(named_questions, "MOST_OF_THESE", 1)
    cut = _call(directory, *asked)
    assert (cut.exit_code, cut.stdout) == (0, whole.stdout)
    assert cut.stderr == "erp-gateway: there is more than is listed: ask by an id, or with --domain and --source\n"
    as_json = _call(directory, *asked, "--json")
    assert (json.loads(as_json.stdout)["isCut"], as_json.stderr) == (True, "")


def test_what_is_not_stuck_and_did_not_fail_is_said_in_words(directory: Path) -> None:
    for question, said in (("where-stuck", "nothing is stuck"), ("why-failed", "nothing of it was refused")):
        done = _call(directory, "ask", question, "INV-10248")
        assert (done.exit_code, done.stdout.startswith(f"INV-10248: {said}")) == (0, True), done.output
        assert len(done.stdout.splitlines()) == 1
        assert _said(directory, "ask", question, "INV-10248")["items"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("view", "cycle-time", "acceptedFrom=2020-01-01T00:00:00Z", "acceptedUntil=2023-01-01T00:00:00Z"),
            "acceptedFrom: is more than 13 months before acceptedUntil. Ask for a shorter period.",
        ),
        (
            ("query", "knownAt=2199-01-01T00:00:00Z"),
            "knownAt: is later than now. Use an instant that has passed, or leave it out.",
        ),
    ],
)
def test_what_is_wrong_is_said_once(directory: Path, arguments: tuple[str, ...], said: str) -> None:
    assert str(_call(directory, *arguments).exception) == said


@pytest.mark.parametrize(
    "arguments",
    [
        ("view", "cycle-time", "acceptedFrom=2020-01-01T00:00:00Z"),
        ("view", "cycle-time", "colour=red"),
        ("view", "nothing"),
        ("ask", "where-stuck", "nobody"),
    ],
)
def test_wrong_questions_are_refused_in_words(directory: Path, arguments: tuple[str, ...]) -> None:
    done = _call(directory, *arguments)
    assert done.exit_code != 0
    assert isinstance(done.exception, Failure | SystemExit)
    assert str(done.exception) if isinstance(done.exception, Failure) else done.output
