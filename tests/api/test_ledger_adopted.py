"""What moved a lineage's pin from outside belongs to what is told of it, as far as the asker's data scope goes."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.adoptions import AdoptionLineRecord, AdoptionRecord
from gateway.domain.caller import DataScope
from gateway.domain.entries import EntryKind, ledger_entry
from gateway.ledger.evidence.archive import files_of
from gateway.ledger.evidence.contents import PACK
from gateway.store.store import Store, StoreUnit
from tests.api.auditing import EVERYTHING, Auditing, auditing
from tests.api.evidence import pack_of, published_log, verified, with_evidence, without
from tests.store.made import new_id

BATCH = new_id("adp")


@pytest.fixture
async def audit(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    async with auditing(store, tmp_path) as found:
        yield with_evidence(found)


async def _document(audit: Auditing, name: str) -> dict[str, Any]:
    document: dict[str, Any] = (await audit.get("traces", name=name))["items"][0]["document"]
    return document


async def _adopted(audit: Auditing) -> list[dict[str, Any]]:
    """Both lineages in one batch; their orders."""
    now = audit.rig.clock.now()
    documents = [await _document(audit, "10249"), await _document(audit, "10248")]
    batch = AdoptionRecord(
        adoption_id=BATCH, state="approved", from_system_id="legacy-main", to_system_id="cloud-main",
        effective_on="2023-11-01", control_count=2, control_totals="[]", content_hash="ab" * 32, idempotency_key="k",
        requested_at=now, requested_by="operations", requested_person="cd" * 32, entry_count=2,
    )  # fmt: skip
    lines, entries = [], []
    for number, one in enumerate(documents, 1):
        lineage_id = one["lineageId"]
        lines.append(AdoptionLineRecord(BATCH, number, lineage_id, "sales_order", f"{number}", "adopted"))
        members = {"adoptionId": BATCH, "documentId": one["documentId"], "requestedPerson": "cd" * 32}
        entries.append(
            ledger_entry(
                EntryKind.ADOPTED, trace=BATCH, seq=number, at=now, actor="operations", lineage=lineage_id,
                members=members,
            )
        )  # fmt: skip

    async def unit(unit: StoreUnit) -> None:
        await unit.insert_adoption(batch, lines)
        await unit.insert_entries(entries)

    await audit.rig.store.write(unit)
    await audit.catch_up()
    return documents


def _scope_of(document: dict[str, Any]) -> DataScope:
    return DataScope(frozenset({document["businessUnit"]}), frozenset({document["geography"]}))


def _of_batch(pack: bytes) -> tuple[dict[int, str], list[str]]:
    """The entries of the batch by their number in it, each with its role; and what was left out."""
    told = json.loads(zipfile.ZipFile(io.BytesIO(pack)).read("pack.json"))
    return {one["seq"]: one["role"] for one in told["entries"] if one["trace"] == BATCH}, told["leftOut"]


async def test_a_filter_by_lineage_or_document_finds_what_moved_its_pin(audit: Auditing) -> None:
    first, second = await _adopted(audit)
    asked: list[dict[str, Any]] = [{"lineageId": second["lineageId"]}, {"documentId": second["documentId"]}]
    for where in asked:
        items = (await audit.get("entries", **where, pageSize="200"))["items"]
        assert [(one["trace"], one["seq"]) for one in items if one["kind"] == "adopted"] == [(BATCH, 2)]
        assert "posted" in {one["kind"] for one in items}
        assert [one["seq"] for one in (await audit.get("entries", **where, trace=BATCH))["items"]] == [2]
        (group,) = (await audit.get("summary", **where, kind="adopted"))["groups"]
        assert group["entryCount"] == 1
    of_other = {"lineageId": first["lineageId"], "documentId": second["documentId"]}
    assert (await audit.get("entries", **of_other))["items"] == []
    invoice = await _document(audit, "INV-10248")
    items = (await audit.get("entries", documentId=invoice["documentId"]))["items"]
    assert "adopted" not in {one["kind"] for one in items}


async def test_the_tree_names_what_moved_the_pin(audit: Auditing) -> None:
    _, second = await _adopted(audit)
    (one,) = (await audit.get(f"lineages/{second['lineageId']}"))["adoptions"]
    assert (one["adoptionId"], one["seq"], one["kind"]) == (BATCH, 2, "adopted")
    assert one["documentId"] == second["documentId"]
    (row,) = (await audit.get("entries", trace=BATCH, lineageId=second["lineageId"]))["items"]
    assert one["logIndex"] == row["logIndex"]
    entries = await audit.rig.store.reads.lineage_entries(second["lineageId"])
    assert [(one.trace, one.seq) for one in entries if one.kind == "adopted"] == [(BATCH, 2)]


async def test_a_pack_holds_it_with_the_rest_of_its_batch_where_that_may_be_seen(audit: Auditing) -> None:
    _, second = await _adopted(audit)
    pack = await pack_of(audit, {"about": "lineage", "lineageId": second["lineageId"]}, data=EVERYTHING)
    assert _of_batch(pack) == ({1: "beside", 2: "found"}, [])
    assert verified(pack).ok, verified(pack).wrong


async def test_a_pack_holds_it_alone_where_the_batch_is_of_others_too(audit: Auditing) -> None:
    first, second = await _adopted(audit)
    scope = _scope_of(second)
    assert _scope_of(first) != scope
    pack = await pack_of(audit, {"about": "lineage", "lineageId": second["lineageId"]}, data=scope)
    entries, left_out = _of_batch(pack)
    assert entries == {2: "found"}
    assert any(BATCH in one for one in left_out)
    assert first["lineageId"].encode() not in b"".join(
        zipfile.ZipFile(io.BytesIO(pack)).read(name) for name in zipfile.ZipFile(io.BytesIO(pack)).namelist()
    )
    assert verified(pack).ok, verified(pack).wrong


async def test_the_published_log_knows_what_moved_the_pin(audit: Auditing, tmp_path: Path) -> None:
    document = (await _adopted(audit))[1]
    pack = await pack_of(audit, {"about": "lineage", "lineageId": document["lineageId"]})
    log = await published_log(audit, tmp_path / "published")
    found = verified(pack, published=log)
    assert found.compared is not None
    assert (found.wrong, found.compared.entries) == (None, json.loads(files_of(pack)[PACK])["query"]["rowCount"])
    cut = without(pack, lambda body: body["kind"] == "adopted")
    assert verified(cut).wrong is None, "in itself it is sound"
    wrong = verified(cut, published=log).wrong
    assert wrong is not None
    assert (wrong.reason, "missing" in wrong.detail) == ("members", True)
