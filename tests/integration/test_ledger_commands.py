"""`erp-gateway ledger trace|query`: a running gateway and the record that it leaves give the same answers."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.store.store import open_store
from tests.command_line import erp_gateway
from tests.integration.test_wiring import NOBODY, SETTINGS, TABLES
from tests.line.documents import TO_CLOUD
from tests.line.rig import Rig, invoice, order
from tests.migrated import migrated_file
from tests.ports import reserved_port

COMMAND = Path(sys.executable).with_name("erp-gateway")
STARTED_S = 60.0
POSTED = ("ledger", "query", "kind=posted", "domain=orders,invoices")


def call(*arguments: object) -> subprocess.CompletedProcess[str]:
    done = erp_gateway(*arguments)
    assert "Traceback" not in done.stderr
    return done


def said(*arguments: object) -> Any:
    done = call(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def _business(directory: Path) -> None:
    """An order with its invoice in one ERP, an order in the other one; committed to with the directory's key."""
    key = directory / "commitments.key"
    key.write_bytes(b"c" * 32)
    key.chmod(0o600)
    url = migrated_file(directory / "gateway.db")
    store = await open_store(url)
    first = await Rig.on(store)
    parts = replace(first.parts, tools=replace(first.parts.tools, commitment_key=b"c" * 32))
    rig = Rig._made(store, first.clock, first.liveness, first.legacy, first.cloud, parts)
    await rig.send(order(), wait_s=5.0)
    await rig.send(invoice(), "invoices", wait_s=5.0)
    await rig.send(order("10249", **TO_CLOUD), wait_s=5.0)
    await store.close()


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each question was answered while a gateway ran; its data directory, after it has ended."""
    directory = tmp_path_factory.mktemp("asked")
    shutil.copytree(TABLES, directory / "rulebook")
    (directory / "secret").write_text("s", encoding="utf-8")
    port = reserved_port()
    settings = SETTINGS.format(url=NOBODY).replace("port = 8099", f"port = {port}")
    (directory / "gateway.toml").write_text(settings, encoding="utf-8")
    asyncio.run(_business(directory))
    with (directory / "log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen([COMMAND, "serve", "--data", directory], stdout=log, stderr=subprocess.STDOUT)
        try:
            _until(lambda: _ready(port) or process.poll() is not None, "the gateway is not ready")
            assert process.poll() is None, (directory / "log").read_text()
            _until(lambda: len(said(*POSTED, "--live", "--data", directory)) == 3, "the entries are not found")
            found = {name: said(*arguments, "--live", "--data", directory) for name, arguments in QUESTIONS.items()}
            found["csv"] = call(*POSTED, "--csv", "--live", "--data", directory).stdout
        finally:
            process.terminate()
            process.wait(60)
    return found | {"data": directory}


QUESTIONS: dict[str, tuple[str, ...]] = {
    "posted": POSTED,
    "sums": (*POSTED, "--group-by", "systemId,month"),
    "trace": ("ledger", "trace", "10248"),
    "lineage": ("ledger", "trace", "INV-10248", "--lineage"),
    "tree": ("ledger", "trace", "INV-10248", "--tree"),
}


def _until(condition: Any, failure: str) -> None:
    deadline = time.monotonic() + STARTED_S
    while not condition():
        assert time.monotonic() < deadline, failure
        time.sleep(0.2)


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=2.0).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_record_answers_what_the_gateway_answered(answers: dict[str, Any], name: str) -> None:
    told = said(*QUESTIONS[name], "--data", answers["data"])
    if name == "tree":  # over HTTP a node has its transactions too
        told = [{**one, "transactions": then["transactions"]} for one, then in zip(told, answers[name], strict=True)]
    assert told == answers[name]
    assert told


def test_what_is_found(answers: dict[str, Any]) -> None:
    assert {one["systemId"] for one in answers["posted"]} == {"legacy-main", "cloud-main"}
    assert [one["kind"] for one in answers["trace"]][-2:] == ["posted", "linked"]
    assert all(one["logIndex"] is not None for one in answers["trace"])
    assert [(one["depth"], one["document"]["externalId"]) for one in answers["tree"]] == [
        (0, "10248"),
        (1, "INV-10248"),
    ]
    assert {one["key"]["systemId"]: one["entryCount"] for one in answers["sums"]} == {"legacy-main": 2, "cloud-main": 1}


def test_an_export_says_its_hash(answers: dict[str, Any]) -> None:
    for text in (answers["csv"], call(*POSTED, "--csv", "--data", answers["data"]).stdout):
        records, _, last = text.rpartition("# ")
        assert "rows=3" in last
        # a pipe in text mode: the lines end with a line feed here, and with CRLF in the export
        assert sha256(records.replace("\n", "\r\n").encode()).hexdigest() in last
    lines = call(*POSTED, "--jsonl", "--data", answers["data"]).stdout.splitlines()
    assert json.loads(lines[-1])["export"]["rows"] == 3


def test_tables_for_people_and_words_for_wrong_questions(answers: dict[str, Any]) -> None:
    data = answers["data"]
    assert "legacy-main" in call(*POSTED, "--data", data).stdout
    assert "  INV-10248" in call("ledger", "trace", "10248", "--tree", "--data", data).stdout
    assert "posted" in call(*POSTED, "--group-by", "kind", "--data", data).stdout
    for words in (["kind"], ["kind=nothing"], ["kind=posted", "kind=routed"], ["colour=red"], ["--group-by", "colour"]):
        wrong = call("ledger", "query", *words, "--data", data)
        assert (wrong.returncode, wrong.stdout) == (2, ""), words
        assert wrong.stderr.startswith("erp-gateway: "), wrong.stderr
