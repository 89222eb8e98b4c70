"""A restored record is known as one: by what the operator says, and on SQLite by what no back-up holds."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from adapters.canonical import JournalEntry
from gateway.domain.lanes import RESPOND_ASYNC
from gateway.domain.queries import Visible
from gateway.domain.transaction import Status
from gateway.errors import Problem
from gateway.settings import load_settings
from gateway.transactions.commands import Cancel, Create
from gateway.wiring.ledger import held_checkpoint
from tests.command_line import erp_gateway
from tests.integration.test_wiring import data, running
from tests.line.documents import journal_entry
from tests.line.rig import BILLING

__all__ = ["data"]

LIMIT_S = 60.0


async def restored(data: Path) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(erp_gateway, "restored", "--data", data)


async def test_a_start_without_the_checkpoint_that_is_held_outside_is_one_of_a_restored_record(data: Path):
    held = held_checkpoint(data, load_settings(data))
    async with running(data) as runtime:
        runtime.start(worker=False)
        async with asyncio.timeout(LIMIT_S):
            while held.read() is None:  # noqa: ASYNC110 - the file tells nobody
                await asyncio.sleep(0.05)
        assert await runtime.store.reads.restored_at() == 0
    async with running(data) as runtime:
        assert await runtime.store.reads.restored_at() == 0
        assert runtime.line._parts.limits.inquired_first_until == 0
    (data / load_settings(data).ledger.held_file).unlink()
    async with running(data) as runtime:
        noted = await runtime.store.reads.restored_at()
        assert noted > 0
        assert runtime.line._parts.limits.inquired_first_until == noted


async def test_the_operator_says_so_before_the_start(data: Path):
    async with running(data) as runtime:
        refused = await restored(data)
        assert refused.returncode != 0
        assert "another gateway" in refused.stderr
        assert "Traceback" not in refused.stderr
        assert await runtime.store.reads.restored_at() == 0
    assert (await restored(data)).returncode == 0
    async with running(data) as runtime:
        assert await runtime.store.reads.restored_at() > 0


async def test_what_was_accepted_before_is_not_called_off_before_its_erp_was_asked(data: Path):
    async with running(data) as runtime:
        entry = JournalEntry.model_validate_json(json.dumps(journal_entry()))
        made = (await runtime.line.submit(Create(BILLING, entry, queueing=RESPOND_ASYNC, wait_s=0.0))).transaction
        assert made.status is Status.ACCEPTED
    assert (await restored(data)).returncode == 0
    async with running(data) as runtime:
        with pytest.raises(Problem) as caught:
            await runtime.line.cancel(Cancel(BILLING, "journal_entries", made.document_id, idempotency_key="k"))
        assert caught.value.slug == "in-flight"
        found = await runtime.store.reads.transaction(made.transaction_id, Visible())
        assert found is not None
        assert (found.status, found.system_id) == (Status.UNKNOWN, "legacy-main")
