"""What is asked of a month that was taken out is answered whole, or the answer says that it is not."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from gateway.cli import main
from gateway.domain.months import Month
from gateway.domain.operational_views import View
from gateway.ledger.current_keys import make_missing
from gateway.ledger.errors import BundleArchived
from gateway.ledger.key_files import KeyFiles
from gateway.ledger.months.archived_leaves import ArchivedLeaves
from gateway.ledger.tiles import Tile
from gateway.ledger.verify import verify_log
from gateway.store.store import Store, open_store
from tests.api.conftest import in_this_loop
from tests.api.evidence import NONCE, ask
from tests.ledger.archived_world import NOVEMBER, ArchivedWorld, archived_world
from tests.ledger.logs import KEY, LOG, ORIGIN
from tests.ledger.month_world import EVIDENCE

pytestmark = pytest.mark.postgres
BOTH = {"acceptedFrom": "2023-11-01T00:00:00Z", "acceptedUntil": "2024-01-01T00:00:00Z"}
DECEMBER = BOTH | {"acceptedFrom": "2023-12-01T00:00:00Z"}
SAMPLE = {"about": "sample", "sampleSize": 2, "nonce": NONCE}
BY_ENTRIES = (View.RECOVERY_TIME, View.COMPLETE_TRACES)


@pytest.fixture
async def world(migrated_postgres_url: str, tmp_path: Path) -> AsyncIterator[ArchivedWorld]:
    store: Store = await open_store(migrated_postgres_url)
    async with archived_world(store, migrated_postgres_url, tmp_path) as found:
        yield found
    await store.close()


async def views(world: ArchivedWorld, **asked: str) -> dict[View, dict[str, Any]]:
    found = {view: await world.audit.get(f"views/{view}", **asked) for view in View}
    return {view: {name: one[name] for name in ("items", "archivedMonths")} for view, one in found.items()}


async def test_a_view_counts_a_month_that_was_taken_out_or_says_that_it_does_not(world: ArchivedWorld) -> None:
    before, december = await views(world, **BOTH), await views(world, **DECEMBER)
    assert [found["archivedMonths"] for found in (*before.values(), *december.values())] == [[]] * 2 * len(View)
    await world.take_out()
    after = await views(world, **BOTH)
    for view in View:
        assert {one["month"] for one in before[view]["items"]} >= {"2023-11"}, view
        kept = before[view]["items"]
        if view in BY_ENTRIES:
            kept = [one for one in kept if one["month"] != "2023-11"]
        assert after[view] == {"items": kept, "archivedMonths": ["2023-11"]}
    assert await views(world, **DECEMBER) == december
    for view in View:
        told = (await world.audit.ask(f"views/{view}.csv", **BOTH)).text.splitlines()[-1]
        assert told.endswith(" archivedMonths=2023-11")
        told = (await world.audit.ask(f"views/{view}.csv", **DECEMBER)).text.splitlines()[-1]
        assert "archivedMonths" not in told
    # an id that was drawn in November, accepted in December
    owner = await asyncpg.connect(world.url)
    await owner.execute("UPDATE transactions SET accepted_at = $1 WHERE accepted_at < $1", Month(2023, 12).first_at)
    await owner.close()
    found = await world.audit.get("views/complete-traces", **DECEMBER)
    assert found["archivedMonths"] == ["2023-11"]
    assert {one["withGapCount"] for one in found["items"]} == {0}


async def test_counts_are_whole_exports_name_the_month_and_samples_are_refused(world: ArchivedWorld) -> None:
    assert (await ask(world.audit, SAMPLE)).status_code == 200
    asked = {"groupBy": "month,kind,domain", "atUntil": "2024-01-01T00:00:00Z"}
    before = await world.audit.get("summary", **asked)
    assert before["archivedMonths"] == []
    await world.take_out()
    after = await world.audit.get("summary", **asked)
    assert after["groups"] == before["groups"]
    assert after["archivedMonths"] == ["2023-11"]
    for lineage, months in ((world.november, ["2023-11"]), (world.december, [])):
        assert (await world.audit.get("summary", lineageId=lineage))["archivedMonths"] == months
    await exports_name_it(world)
    await samples_are_refused(world)


async def exports_name_it(world: ArchivedWorld) -> None:
    text = (await world.audit.ask("entries.csv", kind="posted")).text
    records, _, last = text.rpartition("# ")
    rows = list(csv.DictReader(io.StringIO(records)))
    assert {(one["recordedAt"][:7], one["archivedMonth"]) for one in rows} == {("2023-11", "2023-11"), ("2023-12", "")}
    assert last.endswith(" archivedMonths=2023-11\r\n")
    lines = (await world.audit.ask("entries.jsonl", kind="posted")).text.splitlines()
    assert json.loads(lines[-1])["export"]["archivedMonths"] == ["2023-11"]
    for form in ("csv", "jsonl"):
        assert "archivedMonths" not in (await world.audit.ask(f"entries.{form}", lineageId=world.december)).text


async def samples_are_refused(world: ArchivedWorld) -> None:
    for population in ({}, {"domain": "orders"}, {"businessUnit": "Western"}):
        refused = await ask(world.audit, SAMPLE | population)
        assert refused.status_code == 400
        assert "whose entries are archived: of 2023-11" in refused.json()["detail"]
    assert (await ask(world.audit, SAMPLE | {"acceptedFrom": "2023-12-01T00:00:00Z"})).status_code == 200
    refused = await ask(world.audit, {"about": "lineage", "lineageId": world.november})
    assert (refused.status_code, "in the archive of 2023-11" in refused.json()["detail"]) == (404, True)
    assert (await ask(world.audit, {"about": "lineage", "lineageId": world.december})).status_code == 200


@pytest.fixture
def run(
    tmp_path: Path, migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[str, str]]:
    """`erp-gateway ledger …` on the record itself: stdout, stderr."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "gateway.toml").write_text(
        f'name = "one"\nrulebook = "rules"\n[store]\nurl = "{migrated_postgres_url}"\n[ledger]\norigin = "{ORIGIN}"\n',
        encoding="utf-8",
    )
    make_missing(KeyFiles(data, ORIGIN))

    def command(*words: str) -> tuple[str, str]:
        capsys.readouterr()
        monkeypatch.setattr("sys.argv", ["erp-gateway", "ledger", *words, "--data", str(data)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        assert not ended.value.code, told.err
        return told.out, told.err

    return command


async def test_commands_name_the_month(world: ArchivedWorld, run: Callable[..., tuple[str, str]]) -> None:
    await world.take_out()
    period = [f"{name}={value}" for name, value in BOTH.items()]
    for words, said, aside in (
        (("view", "complete-traces", *period), "archived: 2023-11; their transactions are not counted", False),
        (("view", "cycle-time", *period), "archived: 2023-11; they are counted", False),
        (("view", "cycle-time", *period, "--csv"), "# archivedMonths=2023-11", False),
        (("view", "cycle-time", *period, "--json"), '"archivedMonths": [\n    "2023-11"', False),
        (("query", "kind=posted"), "archived: 2023-11; the bytes of their entries are there", False),
        (("query", "kind=posted", "--group-by", "domain"), "archived: 2023-11; their entries are counted", False),
        (("query", "kind=posted", "--group-by", "domain", "--json"), "archived: 2023-11; their entries", True),
    ):
        out, err = await asyncio.to_thread(run, *words)
        assert said in (err if aside else out), words


class _Served:
    """The log's files as the API answers them to an auditor, read by a thread beside the loop."""

    def __init__(self, http: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self._http, self._headers, self._loop = http, headers, asyncio.get_running_loop()

    def read(self, path: str) -> bytes | None:
        asked = self._http.get(f"/v1/ledger/log/{path}", headers=self._headers)
        answer = asyncio.run_coroutine_threadsafe(asked, self._loop).result(60.0)
        if answer.status_code == 404 and (months := answer.json().get("archivedMonths")):
            raise BundleArchived(path, [Month.parse(one) for one in months])
        return answer.content if answer.status_code == 200 else None

    def partial_widths(self, tile: Tile) -> Sequence[int]:
        return ()


async def test_who_verifies_a_gateway_is_told_which_entries_it_has_no_more(world: ArchivedWorld) -> None:
    parts = replace(world.audit.parts, published_log=world.audit.log.files)
    async with in_this_loop(parts) as http:
        await told_what_is_there_no_more(world, _Served(http, world.audit.headers()))


async def told_what_is_there_no_more(world: ArchivedWorld, served: _Served) -> None:
    verify = partial(asyncio.to_thread, verify_log, served, LOG, None)
    before = await verify()
    assert (before.ok, before.hashed) == (True, ())
    await world.take_out()
    after = await verify()
    assert (after.ok, after.archived_months, after.seen) == (True, (NOVEMBER,), before.seen)
    assert after.entries + after.hashed_only == before.entries
    assert after.hashed_only > 0
    with ArchivedLeaves() as archives:
        archives.add(world.archive, [KEY.key], EVIDENCE.key)
        known = await verify(archives=archives)
        archived = json.loads((world.archive / "archive.json").read_bytes())["entries"]
        assert (known.ok, known.entries) == (True, after.entries + archived)
        # what shares a bundle with them is of no archive, and no bundle holds it any more
        assert known.hashed_only == after.hashed_only - archived
