"""The audit of the state, of what belongs to no lineage: what was put in force, and who asked what of the ledger."""

# ruff: noqa: S608  (the statements are made of this file's own names)

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.accesses import AccessRecord
from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.records import ActivationRecord, EntryRecord
from gateway.ledger.access_log import AccessLog, Asker, Question
from gateway.ledger.errors import LogRefused
from gateway.ledger.state import accesses, activations
from gateway.ledger.state.audit import audit_state
from gateway.ledger.state.recheck import StateRecheck
from gateway.store.store import Store, StoreUnit, open_store
from tests.cutover.activating import Process, look_until_settled, variant
from tests.ledger.tampering_rows import without_guards
from tests.migrated import migrated_file
from tests.store.made import an_activation

ADA = Asker(client="auditor", person="ada", issuer="urn:issuer", teams=("revision",))
AN_ACCESS = AccessRecord(
    query_id="qry_0",
    kind="queried",
    state="answered",
    resource="/v1/ledger/entries",
    asked_at=1,
    client="auditor",
    person="x",
    issuer="urn:issuer",
    teams="[]",
    payload_id="pay_0",
    log_size=1,
    row_count=0,
)
ASKED = Question(resource="/v1/ledger/entries", filter={"kind": "posted"}, log_size=7)


async def _world(store: Store) -> Process:
    """Two activations; a question, an export that ended, one that broke, one under way, and an evidence pack."""
    process = await Process.on(store)
    asked = await process.schedule(variant("a"), person="commitment")
    await look_until_settled([process], asked.activation_id)
    log = AccessLog(store, process.rig.parts.tools)
    await log.queried(log.new_id(), ADA, ASKED, 3, "aa" * 32)
    await log.export_ends(await log.export_begins(log.new_id(), ADA, ASKED), 9, "bb" * 32, broken=False)
    await log.export_ends(await log.export_begins(log.new_id(), ADA, ASKED), 2, "cc" * 32, broken=True)
    await log.export_begins(log.new_id(), ADA, ASKED)
    await log.export_ends(await log.export_begins(log.new_pack_id(), ADA, ASKED), 1, "dd" * 32, broken=False)
    return process


async def _findings(store: Store) -> list[str]:
    return [str(one) for one in await audit_state(store.reads)]


async def test_an_empty_database_alarms_nobody(store: Store) -> None:
    assert await _findings(store) == []


async def test_activations_and_questions_are_as_their_entries_tell(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _world(store)
    assert await _findings(store) == []
    # parts of one or two must tell the same
    monkeypatch.setattr(activations, "PART", 1)
    monkeypatch.setattr(accesses, "PART", 2)
    assert await _findings(store) == []


async def test_missing_and_added_rows_are_named_on_both_databases(store: Store) -> None:
    await _world(store)

    async def add(unit: StoreUnit) -> None:
        await unit.insert_activation(an_activation(3))
        await unit.insert_access(replace(AN_ACCESS, query_id="qry_0"))
        for trace, kind, members in (
            ("act_0", EntryKind.ACTIVATED, {"rule": rule}),
            ("evd_0", EntryKind.EXPORTED, {}),
            ("qry_1", EntryKind.QUERIED, {}),
        ):
            await unit.insert_entries([ledger_entry(kind, trace=trace, seq=1, at=1, actor="x", members=members)])

    rule = {"activationNumber": 9, "tableVersion": "t", "governanceVersion": "g"}
    await store.write(add)
    there, gone = "the row is there, and the ledger tells nothing", "the row is nothing, and the ledger tells there"
    assert await _findings(store) == [
        f"activation 3: {there}",
        f"activation 9: {gone}",
        "activation 3: the number in force is 2, and the ledger tells 3",
        f"evd_0: {gone}",
        f"qry_0: {there}",
        f"qry_1: {gone}",
    ]


async def test_what_comes_into_force_meanwhile_is_no_alarm(store: Store) -> None:
    process = await _world(store)

    class Meanwhile:
        """Puts another version in force once the entries were read."""

        done = False

        def __getattr__(self, name: str) -> Any:
            return getattr(store.reads, name)

        async def next_activation(self, after: int) -> ActivationRecord | None:
            if not self.done:
                self.done = True
                asked = await process.schedule(variant("b"))
                await look_until_settled([process], asked.activation_id)
            return await store.reads.next_activation(after)

    assert await activations.audit_activations(Meanwhile(), 10) == []
    assert (await store.reads.in_force()).newest_number == 3


OTHER_COLUMNS = ", ".join(one.name for one in fields(AccessRecord)[1:])
ANSWERED = "SELECT payload_id FROM ledger_accesses WHERE state = 'answered'"
EDITS = {
    "another table version": (
        "UPDATE activations SET table_version = '00' || substr(table_version, 3)",
        ("activation 1: table_version is 00", "activation 2: table_version is 00"),
    ),
    "another governance version": (
        "UPDATE activations SET governance_version = '' WHERE activation_number = 2",
        ("activation 2: governance_version is ",),
    ),
    "another text": (
        "UPDATE activations SET rules = replace(rules, 'cloud-main', 'cloud-mine') WHERE activation_number = 1",
        ("activation 1: rules (hashed) is",),
    ),
    "another governance": (
        "UPDATE activations SET governance = governance || ' ' WHERE activation_number = 2",
        ("activation 2: governance (hashed) is",),
    ),
    "somebody else": (
        "UPDATE activations SET activated_by = 'nobody' WHERE activation_number = 2",
        ("activation 2: activated_by is nobody, and the ledger tells console",),
    ),
    "another time": (
        "UPDATE activations SET activated_at = activated_at - 3600000000 WHERE activation_number = 2",
        ("activation 2: activated_at is",),
    ),
    "the first is gone": (
        "DELETE FROM activations WHERE activation_number = 1",
        ("activation 1: the row is nothing, and the ledger tells there",),
    ),
    "the newest is gone": (
        "DELETE FROM activations WHERE activation_number = 2",
        ("activation 2: the row is nothing, and the ledger tells there", "activation 1: the number in force is 2"),
    ),
    "another number": (
        "UPDATE activations SET activation_number = -4 WHERE activation_number = 1",
        ("activation -4: the row is there, and the ledger tells nothing", "activation 1: the row is nothing"),
    ),
    "an older one in force": (
        "UPDATE rules_state SET activation_number = 1",
        ("activation 2: the number in force is 1, and the ledger tells 2",),
    ),
    "nobody ever asked": (
        "DELETE FROM ledger_accesses",
        ("evd_", *["qry_"] * 4),
    ),
    "an export that never was": (
        f"INSERT INTO ledger_accesses SELECT 'abc', {OTHER_COLUMNS} FROM ledger_accesses LIMIT 1",
        ("abc: the row is there, and the ledger tells nothing",),
    ),
    "fewer rows": ("UPDATE ledger_accesses SET row_count = 0 WHERE row_count = 9", ("row_count is 0, and",)),
    "another answer": (
        "UPDATE ledger_accesses SET answer_hash = 'ee' WHERE state = 'answered'",
        ("answer_hash is ee, and",),
    ),
    "it never ended": (
        "UPDATE ledger_accesses SET state = 'begun', entry_count = 1 WHERE state = 'broken'",
        ("state is begun, and the ledger tells broken", "entry_count is 1, and the ledger tells 2"),
    ),
    "it ended": (
        "UPDATE ledger_accesses SET state = 'ended', ended_at = 5 WHERE state = 'begun'",
        ("state is ended, and the ledger tells begun", "ended_at is 5, and the ledger tells nothing"),
    ),
    "another person": (
        "UPDATE ledger_accesses SET person = 'x', client = 'y' WHERE state = 'answered'",
        ("client is y, and the ledger tells auditor", "person is x, and"),
    ),
    "another resource": (
        "UPDATE ledger_accesses SET resource = '/x', log_size = 1, asked_at = 1 WHERE state = 'answered'",
        ("resource is /x", "asked_at is 1, and", "log_size is 1, and the ledger tells 7"),
    ),
    "another kind": (
        "UPDATE ledger_accesses SET kind = 'exported' WHERE state = 'answered'",
        ("kind is exported, and the ledger tells queried",),
    ),
    "another filter": (
        f"UPDATE payloads SET body = CAST('{{}}' AS BLOB) WHERE payload_id IN ({ANSWERED})",
        ("filter (committed) is",),
    ),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The world as the bytes of its file."""
    path = tmp_path_factory.mktemp("beside") / "gateway.db"
    migrated_file(path)

    async def make() -> None:
        store = await open_store(f"sqlite:///{path}")
        await _world(store)
        await store.close()

    asyncio.run(make())
    return path.read_bytes()


@pytest.mark.parametrize("edit", EDITS)
async def test_an_edited_row_is_an_alarm(made: bytes, tmp_path: Path, edit: str) -> None:
    statement, told = EDITS[edit]
    path = tmp_path / "gateway.db"
    path.write_bytes(made)
    with closing(sqlite3.connect(path)) as rows, rows:
        without_guards(rows)
        assert rows.execute(statement).rowcount > 0
    store = await open_store(f"sqlite:///{path}")
    found = await _findings(store)
    assert len(found) == len(told), found
    for one, words in zip(found, told, strict=True):
        assert words in one
    with pytest.raises(LogRefused, match="not as its ledger tells"):
        await StateRecheck(store.reads, b"", 60.0, first_after_s=60.0).at_start()
    await store.close()


@pytest.mark.parametrize("edit", ["UPDATE payloads SET body = NULL, salt = x'', erased_at = 1", "DELETE FROM payloads"])
async def test_what_was_asked_and_is_gone_is_named(made: bytes, tmp_path: Path, edit: str) -> None:
    """Nothing erases a question."""
    path = tmp_path / "gateway.db"
    path.write_bytes(made)
    with closing(sqlite3.connect(path)) as rows, rows:
        without_guards(rows)
        rows.execute(f"{edit} WHERE payload_id IN (SELECT payload_id FROM ledger_accesses)")
    store = await open_store(f"sqlite:///{path}")
    found = await _findings(store)
    assert len(found) == 5
    assert all("filter is missing, and the ledger tells there, and never erased" in one for one in found)
    await store.close()


async def test_the_two_looks_at_the_clock_of_older_programs_are_no_alarm() -> None:
    at = 1_000_000_000
    rule = {"activationNumber": 1, "tableVersion": "t", "governanceVersion": "g"}
    body = json.dumps({"rule": rule, "actor": "test", "at": at}).encode()
    told = activations.ToldActivation.by(EntryRecord("act_1", 1, "activated", at, None, body, b""))
    record = an_activation(1, table_version="t", governance_version="g", activated_by="test")
    for activated_at, wrong in [(at - 700, False), (at, False), (at - 61_000_000, True)]:
        row = activations.activation_findings(
            ActivationRecord(1, "t", "g", activated_at, "test", record.rules, record.governance), told
        )
        assert ("activated_at" in {one.what for one in row}) is wrong
