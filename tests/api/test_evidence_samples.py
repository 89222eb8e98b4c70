"""Samples, drawn again from the published log by a program that shares nothing with ours but the words of the docs."""

from __future__ import annotations

import asyncio
import json
import struct
from base64 import b64decode
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.console import Failure
from gateway.cli.ledger_verify_pack import check_pack
from gateway.domain.caller import DataScope
from gateway.ledger.copying import copy_log
from gateway.ledger.evidence import gathering
from gateway.ledger.evidence.archive import files_of
from gateway.ledger.evidence.population import PopulationRead
from gateway.ledger.evidence.sampling import draw, seed_of
from gateway.ledger.tile_directory import DirectoryTiles
from gateway.store.store import Store
from tests.api.auditing import Auditing, auditing
from tests.api.evidence import EVIDENCE_KEY, NONCE, pack_of, verified, with_evidence
from tests.ledger.logs import KEY, LOG
from tests.line.documents import TO_CLOUD
from tests.line.rig import order

ROOTS = st.binary(min_size=32, max_size=32)
POPULATIONS = st.sets(st.integers(0, 2**40), max_size=60)


@pytest.fixture
async def audit(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    async with auditing(store, tmp_path) as found:
        for number in range(6):
            changes: dict[str, str] = TO_CLOUD if number % 2 else {}
            await found.rig.send(order(f"S-{number}", **changes))
        await found.rig.settle()
        await found.catch_up()
        yield with_evidence(found)


async def _published(audit: Auditing, size: int) -> list[bytes]:
    """The first entries, as a mirror of the published bundles has them."""
    entries: list[bytes] = []
    for number in range(-(-size // 256)):
        width = min(256, size - 256 * number)
        part = "" if width == 256 else f".p/{width}"
        bundle = await audit.log.files.read(f"tile/entries/{number:03d}{part}")
        assert bundle is not None
        while bundle:
            (length,) = struct.unpack(">H", bundle[:2])
            entries.append(bundle[2 : 2 + length])
            bundle = bundle[2 + length :]
    return entries


def _redrawn(entries: Iterable[bytes], sample: Mapping[str, Any]) -> dict[str, Any]:
    """As docs/ledger.md says it, 'Samples'."""
    where = sample["population"]["conditions"]
    begun: dict[str, int] = {}
    facts: dict[str, Any] = {}
    money: list[tuple[str, str, str, Decimal]] = []
    for index, raw in enumerate(entries):
        one = json.loads(raw)
        trace = one["trace"]
        if one["kind"] == "accepted" and one["seq"] == 1:
            same = all(one.get(name) == where[name] for name in ("domain", "operation") if name in where)
            if same:
                begun[trace] = index
        if one["kind"] == "routed":
            facts.setdefault(trace, one["facts"])
        bears = {"routed": "facts", "posted": "confirmed"}.get(one["kind"])
        if bears and bears in one and "amount" in one[bears]:
            money.append((trace, one["kind"], one[bears]["currencyCode"], Decimal(one[bears]["amount"])))
    for plural, name in (("businessUnits", "businessUnit"), ("geographies", "geography")):
        if plural in where:
            begun = {t: i for t, i in begun.items() if t in facts and facts[t].get(name) in where[plural]}
    seed = sha256(sample["nonce"].encode() + b64decode(sample["closing"]["rootHash"])).digest()
    scores = sorted((sha256(seed + struct.pack(">Q", index)).hexdigest(), index, t) for t, index in begun.items())
    sums: Counter[tuple[str, str]] = Counter()
    for trace, kind, currency, amount in money:
        if trace in begun:
            sums[kind, currency] += amount  # type: ignore[assignment]
    return {
        "count": len(begun),
        "indexHash": sha256(b"".join(struct.pack(">Q", one) for one in sorted(begun.values()))).hexdigest(),
        "sums": {key: Decimal(value) for key, value in sums.items()},
        "drawn": [(index, trace, score) for score, index, trace in scores[: sample["sampleSize"]]],
    }


async def test_whoever_has_the_published_log_draws_the_same(audit: Auditing) -> None:
    western = {"domain": "orders", "businessUnit": "Western"}
    for narrowed in ({}, {"domain": "orders"}, western, {"geography": "FR"}):
        pack = await pack_of(audit, {"about": "sample", "sampleSize": 3, "nonce": NONCE, **narrowed})
        assert verified(pack).wrong is None
        sample = json.loads(files_of(pack)["pack.json"])["sample"]
        again = _redrawn(await _published(audit, sample["closing"]["size"]), sample)
        population = sample["population"]
        assert population["transactionCount"] == again["count"] > 3
        assert population["indexHash"] == again["indexHash"]
        assert [(one["logIndex"], one["trace"], one["score"]) for one in sample["drawn"]] == again["drawn"]
        told = {(one["kind"], one["currencyCode"]): Decimal(one["amount"]) for one in population["sums"]}
        assert told == again["sums"]


def _told_offline(pack: bytes, log: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> dict[str, Any]:
    """What `ledger verify PACK.zip --directory LOG --json` says."""
    file = tmp_path / "pack.zip"
    file.write_bytes(pack)
    with suppress(Failure):
        check_pack(file, [KEY.key.text], EVIDENCE_KEY.key.text, None, [], 0, log, json=True)
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


async def test_a_sample_is_drawn_again_offline(
    audit: Auditing, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "published"
    await asyncio.to_thread(copy_log, await audit.log.tiles(), DirectoryTiles(log), LOG)
    asked = {"about": "sample", "sampleSize": 3, "nonce": NONCE}
    since = {"acceptedFrom": "2000-01-01T00:00:00Z", "acceptedUntil": "2100-01-01T00:00:00Z"}
    for narrowed in ({}, {"domain": "orders", **since}, {"businessUnit": "Western"}):
        told = _told_offline(await pack_of(audit, {**asked, **narrowed}), log, capsys, tmp_path)
        assert (told["ok"], told["redrawnOf"] > 3) == (True, True), told
    honest = gathering.read_population

    async def steered(*what: Any) -> PopulationRead:
        found = await honest(*what)
        drawn = draw(seed_of(NONCE, root), found.traces, 1)[0].index
        return replace(found, traces={index: trace for index, trace in found.traces.items() if index != drawn})

    root = LOG.open_checkpoint((log / "checkpoint").read_bytes()).checkpoint.root
    monkeypatch.setattr(gathering, "read_population", steered)
    pack = await pack_of(audit, asked)
    assert verified(pack).wrong is None, "in itself it is sound"
    told = _told_offline(pack, log, capsys, tmp_path)
    assert told["wrong"]["reason"] == "sample"


async def test_a_log_that_was_published_later_draws_the_same(
    audit: Auditing, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pack = await pack_of(audit, {"about": "sample", "sampleSize": 3, "nonce": NONCE})
    await audit.rig.send(order("S-LATE"))
    await audit.rig.settle()
    await audit.catch_up()
    log = tmp_path / "published"
    await asyncio.to_thread(copy_log, await audit.log.tiles(), DirectoryTiles(log), LOG)
    told = _told_offline(pack, log, capsys, tmp_path)
    assert (told["ok"], told["redrawnOf"] > 3) == (True, True), told
    (bundle,) = [one for one in (log / "tile/entries").rglob("*") if one.is_file()]
    bundle.write_bytes(bundle.read_bytes().replace(b'"kind":"accepted"', b'"kind":"acceptex"', 1))
    assert _told_offline(pack, log, capsys, tmp_path)["wrong"]["reason"] == "sample", "what is wider is checked as well"


async def test_a_log_that_is_not_the_signed_one_draws_nothing(
    audit: Auditing, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = tmp_path / "published"
    await asyncio.to_thread(copy_log, await audit.log.tiles(), DirectoryTiles(log), LOG)
    pack = await pack_of(audit, {"about": "sample", "sampleSize": 3, "nonce": NONCE})
    (bundle,) = [one for one in (log / "tile/entries").rglob("*") if one.is_file()]
    bundle.write_bytes(bundle.read_bytes().replace(b'"kind":"accepted"', b'"kind":"acceptex"', 1))
    told = _told_offline(pack, log, capsys, tmp_path)
    assert (told["wrong"]["reason"], "not those" in told["wrong"]["detail"]) == ("sample", True)
    bundle.unlink()
    told = _told_offline(pack, log, capsys, tmp_path)
    assert (told["ok"], told["redrawnOf"], "is missing" in told["notCompared"]) == (True, None, True)
    narrowed = await pack_of(
        audit, {"about": "sample", "sampleSize": 3, "nonce": NONCE}, data=DataScope(frozenset({"Western"}), None)
    )
    assert "restricted" in _told_offline(narrowed, log, capsys, tmp_path)["notCompared"]


async def test_a_population_is_closed_by_the_checkpoint_that_was_named(audit: Auditing) -> None:
    before = json.loads(
        files_of(await pack_of(audit, {"about": "sample", "sampleSize": 3, "nonce": NONCE}))["pack.json"]
    )
    size = before["checkpoint"]["size"]
    await audit.rig.send(order("S-LATE"))
    await audit.rig.settle()
    await audit.catch_up()
    asked = {"about": "sample", "sampleSize": 3, "nonce": NONCE, "logSize": size}
    pack = await pack_of(audit, asked)
    assert verified(pack).wrong is None
    after = json.loads(files_of(pack)["pack.json"])
    assert after["checkpoint"]["size"] > size
    assert after["sample"] == before["sample"]


async def test_a_sample_of_nothing_says_so(audit: Auditing) -> None:
    asked = {"about": "sample", "sampleSize": 3, "nonce": NONCE, "acceptedUntil": "1999-01-01T00:00:00Z"}
    pack = await pack_of(audit, asked)
    assert verified(pack).wrong is None
    assert json.loads(files_of(pack)["pack.json"])["sample"]["drawn"] == []


async def test_whose_data_scope_is_restricted_draws_of_a_part(audit: Auditing) -> None:
    pack = await pack_of(
        audit, {"about": "sample", "sampleSize": 30, "nonce": NONCE}, data=DataScope(frozenset({"Western"}), None)
    )
    told = json.loads(files_of(pack)["pack.json"])
    everything = json.loads(
        files_of(await pack_of(audit, {"about": "sample", "sampleSize": 30, "nonce": NONCE}))["pack.json"]
    )
    mine, all_of_it = (one["sample"]["population"]["transactionCount"] for one in (told, everything))
    assert 0 < mine < all_of_it


@given(ROOTS, POPULATIONS, st.integers(1, 40))
def test_a_larger_sample_only_adds(root: bytes, population: set[int], size: int) -> None:
    seed = seed_of(NONCE, root)
    small, large = draw(seed, population, size), draw(seed, population, size + 5)
    assert large[: len(small)] == small
    assert {one.index for one in large} <= population
    assert len(small) == min(size, len(population))


@given(st.text(max_size=140))
def test_a_nonce_that_can_be_guessed_or_misread_is_refused(text: str) -> None:
    plain = 16 <= len(text) <= 128 and all("!" <= one <= "~" for one in text)
    try:
        seed_of(text, bytes(32))
    except ValueError:
        assert not plain
    else:
        assert plain
