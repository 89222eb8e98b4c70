"""A restored record is known as one: by what the operator says, and on SQLite by what no back-up holds."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

from gateway.settings import load_settings
from gateway.wiring.ledger import held_checkpoint
from tests.command_line import erp_gateway
from tests.integration.test_wiring import data, running

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
