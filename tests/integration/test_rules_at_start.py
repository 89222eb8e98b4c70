"""What decides in a process that starts: the database's version whatever the files say; or nothing, and it says so."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from litestar.testing import AsyncTestClient
from structlog.testing import capture_logs

from gateway.app import create_app
from gateway.auth.clients import Client
from gateway.cutover.draft_files import read
from gateway.cutover.last_good import FILE, read_last_good
from gateway.domain.activations import RulesState
from gateway.domain.caller import DataScope
from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.records import ActivationRecord
from gateway.settings import load_settings
from gateway.store.store import StoreUnit, open_store
from gateway.wiring.issuer import embedded_issuer
from gateway.wiring.refusals import RulebookRefused
from gateway.wiring.runtime import Runtime, open_runtime
from routing_rules import RulebookInvalid, version_of
from tests.integration.test_wiring import change, data, running
from tests.line.rig import order

__all__ = ["data"]

NOTE = "Everything that no phase has reached yet"


async def kept(runtime: Runtime) -> None:
    """One look of the activator: it keeps the version in force beside the database."""
    await runtime.activator.look()


async def test_the_files_come_into_force_once_and_then_the_database_decides(data: Path):
    async with running(data) as first:
        version = first.rules.current.rulebook.version
        assert first.rules.current.activation_number == 1
        kept_files = await first.store.reads.rulebook_files(1)
        assert kept_files is not None
        assert read(kept_files.files)["orders.csv"] == (data / "rulebook" / "orders.csv").read_text(encoding="utf-8")
    change(data / "rulebook" / "orders.csv", NOTE, "Something else")
    with capture_logs() as logs:
        async with running(data) as second:
            assert second.rules.current.rulebook.version == version
            assert second.rules.current.activation_number == 1
            assert (await second.store.reads.rules_state()) == RulesState(1, 0)
    (told,) = [one for one in logs if one["event"] == "rulebook_files_not_in_force"]
    assert "save the files as a draft" in told["remedy"]


async def test_files_that_are_broken_or_gone_do_not_stop_a_gateway_with_a_version_in_force(data: Path):
    async with running(data):
        pass
    change(data / "rulebook" / "orders.csv", "legacy,legacy-main", "legacyy,legacy-main")
    async with running(data) as runtime:
        assert runtime.rules.current.activation_number == 1
    shutil.rmtree(data / "rulebook")
    async with running(data) as runtime:
        assert runtime.rules.current.activation_number == 1


async def test_files_that_are_not_proven_do_not_come_into_force(data: Path):
    table = data / "rulebook" / "orders.csv"
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text("".join(line for line in lines if not line.startswith("o-base,")), encoding="utf-8")
    with pytest.raises(RulebookRefused, match="gap"):
        await open_runtime(data, load_settings(data))


async def test_a_process_that_cannot_read_what_is_in_force_reads_on_and_accepts_nothing(data: Path):
    async with running(data) as runtime:
        await kept(runtime)
    number_and_version = read_last_good(data)
    assert number_and_version is not None
    assert number_and_version[0] == 1
    await newer_program(data)
    async with running(data) as runtime, AsyncTestClient(create_app(runtime.app_parts)) as client:
        client.headers["Authorization"] = f"Bearer {token(data)}"
        ready = await client.get("/health/ready")
        assert (ready.status_code, ready.json()["code"]) == (503, "not-ready")
        parts = {part["name"]: part for part in ready.json()["parts"]}
        assert (parts["rules"]["ready"], parts["rules"]["needed"]) == (False, True)
        refused = await client.post("/v1/orders", json=order())
        assert (refused.status_code, refused.json()["code"]) == (503, "not-ready")
        assert "format rules/v1" in refused.json()["detail"]
        assert int(refused.headers["Retry-After"]) > 0
        assert (await client.get("/v1/orders")).status_code == 200
        await runtime.activator.look()
        after = read_last_good(data)
        assert after == number_and_version, "what it fell back to is still the last good one"


async def test_without_a_last_good_version_it_does_not_start(data: Path):
    async with running(data) as runtime:
        await kept(runtime)
    await newer_program(data)
    (data / FILE).write_text("{}", encoding="utf-8")
    with pytest.raises(RulebookInvalid, match="format rules/v1"):
        await open_runtime(data, load_settings(data))
    (data / FILE).unlink()
    with pytest.raises(RulebookInvalid, match="format rules/v1"):
        await open_runtime(data, load_settings(data))


async def newer_program(data: Path) -> None:
    """Another process, of a newer version, puts a text in force that this one cannot read."""
    store = await open_store(f"sqlite:///{data / 'gateway.db'}")
    rules, governance = '{"format":"rules/v2"}', '{"format":"governance/v1"}'
    record = ActivationRecord(
        2, version_of(rules.encode()), version_of(governance.encode()), 1, "newer", rules, governance
    )
    rule = {"tableVersion": record.table_version, "governanceVersion": record.governance_version, "activationNumber": 2}
    entry = ledger_entry(EntryKind.ACTIVATED, trace="act_newer", seq=1, at=1, actor="newer", members={"rule": rule})

    async def put(unit: StoreUnit) -> None:
        await unit.insert_activation(record)
        await unit.insert_entries([entry])
        await unit.set_rules_state(RulesState(2, 0))

    await store.write(put)
    await store.close()


def token(data: Path) -> str:
    client = Client(
        "salesforce", "salesforce", frozenset({"documents:submit", "documents:read"}), DataScope(None, None)
    )
    return embedded_issuer(data, load_settings(data), time.time).mint(client)
