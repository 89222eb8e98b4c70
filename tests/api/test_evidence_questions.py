"""The question of a pack, worded otherwise by who holds the evidence key: one that nobody can ask is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from gateway.ledger.evidence.contents import PACK
from gateway.store.store import Store, open_store
from tests.api.auditing import Auditing, auditing
from tests.api.evidence import NONCE, pack_of, published_log, said_otherwise, verified, with_evidence, without
from tests.migrated import migrated_file

ABOUT: Final = ("lineages", None, 1, ["lineage"], {"a": 1}, "ruleChange", "sample", "transaction")
NO_TEXTS: Final = (None, "", 1, ["lin"], {"a": 1})


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """The pack does not depend on the database."""
    found = await open_store(migrated_file(tmp_path / "gateway.db"))
    yield found
    await found.close()


@pytest.fixture
async def audit(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    async with auditing(store, tmp_path) as found:
        yield with_evidence(found)


async def _asked(audit: Auditing) -> list[dict[str, Any]]:
    (item,) = (await audit.get("traces", name="10248"))["items"]
    return [
        {"about": "lineage", "lineageId": item["document"]["lineageId"]},
        {"about": "transaction", "transactionId": item["transactions"][0]["transactionId"]},
        {"about": "ruleChange", "activationNumber": 1},
        {"about": "sample", "sampleSize": 2, "nonce": NONCE, "domain": "orders"},
    ]


def _worded(told: dict[str, Any], **change: Any) -> None:
    told["query"] |= change


def _nothing_found(told: dict[str, Any], **change: Any) -> None:
    told["query"] |= change
    for one in told["entries"]:
        one["role"] = "beside"


async def test_a_question_that_nobody_can_ask_is_refused(audit: Auditing, tmp_path: Path) -> None:
    asked = await _asked(audit)
    log = await published_log(audit, tmp_path / "published")
    changes: list[list[dict[str, Any]]] = [
        [{"about": about} for about in ABOUT] + [{"lineageId": no_text} for no_text in NO_TEXTS],
        [{"transactionId": no_text} for no_text in NO_TEXTS],
        [{"activationNumber": number} for number in (None, "1", True, 1.0)],
        [{"sampleSize": 3}, {"sampleSize": "2"}, {"nonce": 1}, {"domain": None}, {"logSize": "1"}],
    ]
    others = {"lineageId": "lin_1", "transactionId": "txn_1", "activationNumber": 1, "sampleSize": 2, "more": "more"}
    for question, altered in zip(asked, changes, strict=True):
        pack = await pack_of(audit, question)
        assert verified(pack, published=log).wrong is None
        added = [{name: value} for name, value in others.items() if name not in question]
        for change in (*altered, *added):
            forged = said_otherwise(pack, partial(_worded, **change))
            for published in (None, log):
                wrong = verified(forged, published=published).wrong
                assert wrong is not None, (question, change)
                assert wrong.path == PACK
                assert "change of the rules" not in wrong.detail


async def test_a_transaction_is_compared_as_one_whatever_stands_beside(audit: Auditing, tmp_path: Path) -> None:
    _, question, *_ = await _asked(audit)
    log = await published_log(audit, tmp_path / "published")
    pack = await pack_of(audit, question)
    cut = without(pack, lambda body: body["trace"] == question["transactionId"] and body["seq"] > 3)

    for more in ({}, {"lineageId": "lin_00000000000000000000000000"}):
        forged = said_otherwise(cut, partial(_nothing_found, **more))
        for published in (None, log):
            assert verified(forged, published=published).wrong is not None, more


@pytest.mark.parametrize("number", [0, 1])
async def test_what_was_asked_about_has_an_entry(audit: Auditing, number: int) -> None:
    pack = await pack_of(audit, (await _asked(audit))[number])
    wrong = verified(said_otherwise(pack, _nothing_found)).wrong
    assert wrong is not None
    assert "no entry" in wrong.detail
