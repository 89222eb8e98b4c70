"""The ledger of a world, looked at as an auditor does: sound state, sound log, and no alarm."""

from __future__ import annotations

from typing import Any

from gateway.ledger.state.accesses import audit_accesses
from gateway.ledger.state.activations import audit_activations
from gateway.ledger.state.entries import audit_entries
from gateway.ledger.state.parts import part_findings
from gateway.ledger.state.ruled import read_ruled
from gateway.ledger.verify import verify_log
from tests.ledger.logs import LOG, publish_all
from tests.ledger.memory_tiles import MemoryTiles

_ALL = 1_000_000


async def audited(world: Any, key: bytes) -> list[str]:
    """Every alarm in a sentence; nobody tampered, so none is right."""
    reads = world.store.reads
    found = [f"no row of {one}" for one in await reads.traces_without_row()]
    found += [f"no lineage of {one}" for one in await reads.transactions_without_lineage()]
    found += [f"a key beside its document {one}" for one in await reads.keys_without_document()]
    ruled = await read_ruled(reads)
    found += map(str, part_findings(await reads.state_part("", _ALL), key, ruled=ruled))
    found += map(str, await audit_entries(reads, _ALL))
    found += map(str, await audit_activations(reads, _ALL))
    found += map(str, await audit_accesses(reads, _ALL))
    tiles = MemoryTiles()
    bodies = [body for (body,) in world.rows("SELECT body FROM ledger_entries ORDER BY at, trace, seq")]
    publish_all(tiles, [len(bodies)], of=bodies)
    verified = verify_log(tiles, LOG, None)
    return found if verified.ok else [*found, f"the log: {verified.wrong}"]
