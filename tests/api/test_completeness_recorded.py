"""Which documents a completeness check asked for stands in its record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.api import ledger_accesses
from gateway.store.store import Store
from tests.api.auditing import Auditing, auditing

LINES = [
    {"externalId": "10248", "domain": "orders", "amount": "168.00", "currencyCode": "USD", "contentHash": "ab" * 32},
    {"externalId": "NOPE"},
]


@pytest.fixture
async def audit(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    async with auditing(store, tmp_path) as found:
        yield found


async def _compare(audit: Auditing) -> None:
    asked = {"source": "salesforce", "sentFrom": "2001-01-01", "sentUntil": "2001-01-02", "documents": LINES}
    answer = await audit.http.post("/v1/ledger/completeness", headers=audit.headers("ledger:read"), json=asked)
    assert answer.status_code == 200, answer.text


async def test_the_record_says_what_was_tried(audit: Auditing) -> None:
    await _compare(audit)
    newest = (await audit.get("queries"))["items"][0]
    assert newest["filter"]["documents"] == LINES


async def test_a_page_of_long_questions_ends_early_and_goes_on(
    audit: Auditing, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        await _compare(audit)
        audit.rig.clock.micros += 1_000_000
    monkeypatch.setattr(ledger_accesses, "MOST_SHOWN", 500)
    pages = [await audit.get("queries")]
    while pages[-1]["nextCursor"] is not None:
        pages.append(await audit.get("queries", cursor=pages[-1]["nextCursor"]))
        assert len(pages) < 9
    asked = [one for page in pages for one in page["items"] if one["resource"].endswith("/completeness")]
    assert len(pages) > 1
    assert len({one["queryId"] for one in asked}) == len(asked) == 3
