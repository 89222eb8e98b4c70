"""Questions to an index that has not come as far as they ask: refused, and never answered short."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.entry_filter import EntryFilter
from gateway.domain.wire import instant
from gateway.ledger.entry_indexer import EntryIndexer
from gateway.ledger.entry_pages import Asked
from gateway.ledger.exports import Export, IndexEmptied
from gateway.store.store import Store, StoreUnit
from tests.api.auditing import Auditing, auditing
from tests.line.rig import order

QUESTIONS = ("entries", "summary", "unended", "entries.csv", "entries.jsonl")


@pytest.fixture
async def audit(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    async with auditing(store, tmp_path) as found:
        yield found


async def _signed_and_not_indexed(audit: Auditing) -> None:
    await audit.rig.send(order("L1"))
    await audit.rig.settle()
    audit.log.clock.at = audit.rig.clock.now()
    await audit.log.settle()


@pytest.mark.parametrize("path", QUESTIONS)
async def test_as_of_then_waits_for_the_index(audit: Auditing, path: str) -> None:
    await _signed_and_not_indexed(audit)
    size = await audit.rig.store.ledger.log_size()
    questions: list[dict[str, Any]] = [{"knownAt": instant(audit.rig.clock.now())}, {"logSize": str(size)}]
    for query in questions:
        refused = await audit.ask(path, **query)
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (503, "not-ready")
        assert refused.headers["retry-after"]
    assert (await audit.ask(path)).status_code == 200  # right after a write: out of what is there
    assert (await audit.ask(path, logSize=str(10**15))).status_code == 200
    await EntryIndexer(audit.rig.store).finish()
    assert (await audit.ask(path, logSize=str(size))).status_code == 200


@pytest.mark.parametrize("path", QUESTIONS)
async def test_an_index_that_is_made_again_answers_nothing(audit: Auditing, path: str) -> None:
    async def empty(unit: StoreUnit) -> None:
        await unit.empty_entry_index()

    audit.rig.clock.micros += 60_000_000
    await audit.rig.store.write(empty)
    questions: list[dict[str, Any]] = [{}, {"logSize": str(10**15)}]
    for query in questions:
        refused = await audit.ask(path, **query)
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (503, "not-ready")
    await EntryIndexer(audit.rig.store).finish()
    assert (await audit.ask(path)).status_code == 200


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_an_export_says_as_of_when_it_is(audit: Auditing, form: str) -> None:
    await _signed_and_not_indexed(audit)
    indexed = await audit.rig.store.ledger.indexed_size()
    assert indexed < await audit.rig.store.ledger.log_size()
    now = await audit.ask(f"entries.{form}", kind="accepted")
    assert _told(now.text, form)["logSize"] == str(indexed)
    assert "knownAt" not in _told(now.text, form)
    (listed,) = [one for one in (await audit.get("queries"))["items"] if one["resource"].endswith(form)]
    assert listed["logSize"] == indexed
    await EntryIndexer(audit.rig.store).finish()
    at = instant(audit.rig.clock.now())
    told = _told((await audit.ask(f"entries.{form}", kind="accepted", knownAt=at)).text, form)
    assert (told["knownAt"], int(told["logSize"]) > indexed) == (at, True)


def _told(text: str, form: str) -> dict[str, str]:
    last = text.strip().splitlines()[-1]
    if form == "csv":
        return dict(word.split("=", 1) for word in last[2:].split())
    return {name: str(value) for name, value in json.loads(last)["export"].items()}


async def test_what_a_killed_gateway_did_not_index_keeps_nobody_from_the_rest(audit: Auditing) -> None:
    """Its data directory is asked later, and nothing goes on there."""
    await audit.rig.send(order("L0"))
    await audit.rig.settle()
    audit.log.clock.at = audit.rig.clock.now()
    await audit.log.settle()
    await EntryIndexer(audit.rig.store).finish()
    audit.rig.clock.micros += 1_000_000
    await _signed_and_not_indexed(audit)
    audit.rig.clock.micros += 3_600_000_000
    assert (await audit.ask("entries")).status_code == 200


async def test_an_export_whose_index_is_emptied_meanwhile_has_no_last_line(audit: Auditing) -> None:
    reads = audit.rig.store.ledger
    export = Export(reads, Asked(where=EntryFilter(), end=await reads.indexed_size()), "jsonl", "qry_1")
    await audit.rig.store.write(lambda unit: unit.empty_entry_index())
    with pytest.raises(IndexEmptied):
        async for _ in export.parts():
            pass
