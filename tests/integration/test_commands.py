"""The command line as people meet it: right answers, and clear words for wrong questions."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gateway.messaging.server_directory import ServerDirectory
from gateway.store.migrate import migrate
from gateway.store.store import open_store
from tests.command_line import erp_gateway
from tests.line.documents import priced
from tests.line.newcomers import bring
from tests.line.rig import Rig, invoice, order

TABLES = Path(__file__).parents[2] / "routing_rules" / "tables"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose record holds an order and its invoice."""
    directory = tmp_path_factory.mktemp("data")
    shutil.copytree(TABLES, directory / "rulebook")

    async def business(rig: Rig) -> None:
        await rig.send(order(), wait_s=5.0)
        await rig.send(invoice(), "invoices", wait_s=5.0)

    return filled(directory, business)


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose record holds an order that was changed and cancelled."""

    async def business(rig: Rig) -> None:
        document_id = (await rig.send(order(), wait_s=5.0)).transaction.document_id
        await rig.change(document_id, priced(20))
        await rig.cancel(document_id)

    return filled(tmp_path_factory.mktemp("operated"), business)


def filled(directory: Path, business: Callable[[Rig], Awaitable[None]]) -> Path:
    """The directory with a record of this business; nothing listens at its port, that of the discard service."""
    (directory / "gateway.toml").write_text('rulebook = "rulebook"\nhttp.port = 9\n', encoding="utf-8")

    async def fill() -> None:
        url = f"sqlite:///{directory / 'gateway.db'}"
        await migrate(url)
        store = await open_store(url)
        await business(await Rig.on(store))
        await store.close()

    asyncio.run(fill())
    return directory


def call(*arguments: object) -> subprocess.CompletedProcess[str]:
    done = erp_gateway(*arguments)
    assert "Traceback" not in done.stderr
    return done


def test_the_installed_script_says_what_the_forked_command_says():
    script = Path(sys.executable).with_name("erp-gateway")
    for words in (["rules", "check", TABLES, "--json"], ["rules", "check", "/nowhere"]):
        done = subprocess.run([script, *words], capture_output=True, text=True, timeout=60, check=False)
        forked = erp_gateway(*words)
        assert (forked.returncode, forked.stdout, forked.stderr) == (done.returncode, done.stdout, done.stderr)
    assert done.returncode != 0


def test_a_trace_is_found_by_any_name_and_the_lineage_shows_all_of_it(data: Path):
    listed = json.loads(call("transactions", "list", "--data", data, "--json").stdout)
    assert [one["domain"] for one in listed] == ["invoices", "orders"]
    the_order = listed[1]
    traces = [
        json.loads(call("ledger", "trace", name, "--data", data, "--json").stdout)
        for name in (the_order["transactionId"], "10248")
    ]
    assert traces[0] == traces[1]
    assert [entry["kind"] for entry in traces[0]][-2:] == ["posted", "linked"]
    number = the_order["erpNumber"]["documentNumber"]
    by_number = json.loads(call("ledger", "trace", number, "--data", data, "--json").stdout)
    assert the_order["transactionId"] in {entry["trace"] for entry in by_number}
    whole = json.loads(call("ledger", "trace", "10248", "--lineage", "--data", data, "--json").stdout)
    assert {entry["trace"] for entry in whole} == {one["transactionId"] for one in listed}
    shown = call("ledger", "trace", "10248", "--data", data).stdout
    assert "legacy-main" in shown
    assert call("ledger", "trace", "nobody", "--data", data).returncode == 1


def test_operations_are_shown_and_asked_for(operated: Path):
    listed = json.loads(call("transactions", "list", "--operation", "cancel", "--data", operated, "--json").stdout)
    assert [one["operation"] for one in listed] == ["cancel"]
    table = call("transactions", "list", "--data", operated).stdout.splitlines()
    assert [line.split()[2] for line in table] == ["operation", "cancel", "change", "create"]
    lines = call("ledger", "trace", listed[0]["lineageId"], "--data", operated).stdout.splitlines()
    # what is longer than its column goes on in a line of its own
    told = {line.split()[1]: line.split()[3] for line in lines if " txn_" in line}
    assert sorted(told.values()) == ["cancel", "change", "create"]
    assert told[listed[0]["transactionId"]] == "cancel"
    assert call("transactions", "list", "--operation", "burn", "--data", operated).returncode == 2


def test_a_trace_says_which_steps_are_an_undo(tmp_path: Path):
    async def business(rig: Rig) -> None:
        # the order is refused, and its new customer taken back
        rig.cloud.script = ["post", "reject"]
        await bring(rig)
        for _ in range(6):
            await rig.until(60)

    shown = call("ledger", "trace", "NEW", "--data", filled(tmp_path, business)).stdout.splitlines()
    told = [(kind, "undo of step 1" in line) for line in shown for kind in line.split()[4:5]]
    done = [one for one in told if one[0] in {"dispatched", "posted"}]
    assert done == [("dispatched", False), ("posted", False), ("dispatched", True), ("posted", True)]


def test_what_does_not_run_is_said_in_a_sentence(data: Path):
    told = call("where", "--data", data)
    assert (told.returncode, told.stdout) == (0, "http://127.0.0.1:9\n")
    assert "no gateway answers there now" in told.stderr
    assert json.loads(call("where", "--json", "--data", data).stdout)["answers"] is False
    server = ServerDirectory(data / "nats")
    server.prepare()
    server.write_address(9)
    for _ in range(2):  # it ran once; it never ran
        told = call("events", "tail", "--data", data)
        assert (told.returncode, told.stdout) == (1, "")
        assert f"no gateway runs on {data}" in told.stderr
        shutil.rmtree(data / "nats", ignore_errors=True)


def test_a_database_of_a_newer_program_is_refused_in_a_sentence(data: Path, tmp_path: Path):
    newer = tmp_path / "newer"
    shutil.copytree(data, newer)
    with sqlite3.connect(newer / "gateway.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'v9999'")
    connection.close()
    for command in (("migrate",), ("transactions", "list")):
        told = call(*command, "--data", newer)
        assert told.returncode == 1
        assert "v9999, which this program does not know" in told.stderr


def test_one_transaction_is_shown(data: Path):
    listed = json.loads(call("transactions", "list", "--data", data, "--json", "--status", "posted").stdout)
    shown = json.loads(call("transactions", "show", listed[0]["transactionId"], "--data", data, "--json").stdout)
    assert shown == listed[0]
    assert "posted" in call("transactions", "show", listed[0]["transactionId"], "--data", data).stdout
    assert call("transactions", "show", "txn_nobody", "--data", data).returncode == 1


def test_a_sound_rulebook_passes_and_a_broken_one_lists_everything_as_text_and_json(tmp_path: Path):
    sound = json.loads(call("rules", "check", TABLES, "--json").stdout)
    assert sound["failedExamples"] == []
    assert sound["rows"]["orders"] == 8
    broken = tmp_path / "rulebook"
    shutil.copytree(TABLES, broken)
    text = (broken / "orders.csv").read_text(encoding="utf-8")
    (broken / "orders.csv").write_text(text.replace("Western,LATAM", "Westernn,LATAM"), encoding="utf-8")
    done = call("rules", "check", broken)
    assert (done.returncode, done.stdout) == (2, "")
    assert "orders.csv:4:" in done.stderr
    listed = call("rules", "check", broken, "--json")
    assert listed.returncode == 2
    assert json.loads(listed.stdout)["complaints"][0]["line"] == 4


def test_a_driver_that_does_not_exist_is_a_complaint(tmp_path: Path):
    strange = tmp_path / "rulebook"
    shutil.copytree(TABLES, strange)
    text = (strange / "rulebook.yaml").read_text(encoding="utf-8")
    (strange / "rulebook.yaml").write_text(text.replace("driver: sap_s4", "driver: nope"), encoding="utf-8")
    done = call("rules", "check", strange)
    assert done.returncode == 2
    assert "nope" in done.stderr


def test_a_decision_is_explained(data: Path):
    arguments = ("rules", "explain", "--data", data, "--domain", "orders", "--business-unit", "Western")
    assert "cloud-main" in call(*arguments, "--geography", "US").stdout
    explained = json.loads(call(*arguments, "--geography", "US", "--json").stdout)
    assert explained["namedRow"] == "o-west"
    wrong = call(*arguments, "--geography", "MOON")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "MOON" in wrong.stderr


def test_a_backup_taken_as_documented_goes_on_in_another_directory(data: Path, tmp_path: Path):
    connection = sqlite3.connect(data / "gateway.db")
    connection.execute("VACUUM INTO ?", (str(tmp_path / "gateway.db"),))
    connection.close()
    shutil.copy(data / "gateway.toml", tmp_path)
    shutil.copytree(data / "rulebook", tmp_path / "rulebook")
    assert call("migrate", "--data", tmp_path).returncode == 0
    for question in (("transactions", "list"), ("ledger", "trace", "10248", "--lineage")):
        here, there = (call(*question, "--data", where, "--json").stdout for where in (data, tmp_path))
        assert here == there != "[]\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("transactions", "list", "--status", "nonsense"),
        ("events", "tail", "--subject", "a b"),
        ("token", "--client", "nobody"),
        ("token", "--client", "salesforce", "--scope", "rules:approve"),
        ("token", "--client", "salesforce", "--lifetime-s", "0"),
        ("nonsense",),
    ],
)
def test_wrong_questions_are_answered_with_exit_code_two(data: Path, arguments: tuple[str, ...]):
    more = () if arguments == ("nonsense",) else ("--data", data)
    done = call(*arguments, *more)
    assert done.returncode == 2
    assert done.stderr
