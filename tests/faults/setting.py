"""What worlds live in: the process of the ERPs, and the one that gateways come from."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.faults.nursery import ROOT, Nursery
from tests.faults.world import World


@asynccontextmanager
async def fault_erp(directory: Path) -> AsyncIterator[str]:
    """The process of the ERPs, with its books in `directory`; its address."""
    await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.faults.fault_erp", str(directory)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        port = int(await asyncio.wait_for(process.stdout.readline(), 120))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 60)


@asynccontextmanager
async def world_of(root: Path, seed: str, store: str = "") -> AsyncIterator[World]:
    """One world, not begun, with all that it needs."""
    async with Nursery() as nursery, fault_erp(root / "books") as erp:
        yield World("w0", seed, root, erp, nursery, store=store)
