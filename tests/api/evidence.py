"""An auditor who asks for evidence packs, and verifies them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from gateway.cutover.reproduction import Reproduction
from gateway.domain.caller import DataScope
from gateway.ledger.copying import copy_log
from gateway.ledger.evidence.archive import archive_of, files_of
from gateway.ledger.evidence.contents import KINDS, PACK, json_file, rows_hash
from gateway.ledger.evidence.desk import EvidenceDesk
from gateway.ledger.evidence.manifest import MANIFEST, manifest_of
from gateway.ledger.evidence.verify_pack import PackFound, verify_pack
from gateway.ledger.note_keys import SigningKey
from gateway.ledger.tile_directory import DirectoryTiles
from tests.api.auditing import EVERYTHING, Auditing
from tests.api.conftest import in_this_loop
from tests.ledger.logs import KEY, LOG, ORIGIN

EVIDENCE_KEY = SigningKey(f"{ORIGIN}/evidence", b"e" * 32)
NONCE = "dice-4421-3316-6252"


def with_evidence(audit: Auditing) -> Auditing:
    """The same, in a process that signs packs."""
    ledger = audit.parts.ledger
    assert ledger is not None
    desk = EvidenceDesk(audit.rig.store, ledger.accesses, ORIGIN, lambda: EVIDENCE_KEY)
    return replace(audit, parts=replace(audit.parts, ledger=replace(ledger, evidence=desk)))


async def ask(audit: Auditing, body: dict[str, Any], *scopes: str, data: DataScope = EVERYTHING) -> httpx.Response:
    """POST /v1/ledger/evidence."""
    headers = audit.headers(*(scopes or ("ledger:read", "documents:read")), data=data)
    async with in_this_loop(audit.parts) as http:
        return await http.post("/v1/ledger/evidence", json=body, headers=headers)


async def pack_of(audit: Auditing, body: dict[str, Any], *scopes: str, data: DataScope = EVERYTHING) -> bytes:
    """The zip file."""
    answer = await ask(audit, body, *scopes, data=data)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    return answer.content


def verified(pack: bytes, **changes: Any) -> PackFound:
    """By both keys."""
    return verify_pack(pack, [KEY.key], **({"evidence_key": EVIDENCE_KEY.key, "reproduces": Reproduction()} | changes))


async def published_log(audit: Auditing, directory: Path) -> DirectoryTiles:
    """What there is of the log by now, as it is published in that directory."""
    log = DirectoryTiles(directory)
    await asyncio.to_thread(copy_log, await audit.log.tiles(), log, LOG)
    return log


def without(pack: bytes, drops: Callable[[dict[str, Any]], bool]) -> bytes:
    """The pack without the entries of which `drops` says so, signed again by the evidence key."""
    files = dict(files_of(pack))
    del files[MANIFEST]
    told = json.loads(files[PACK])
    bodies = {one["logIndex"]: json.loads(files[f"entries/{one['logIndex']}.json"]) for one in told["entries"]}
    gone = {index for index, body in bodies.items() if drops(body)}
    assert gone
    kept = {one["path"] for one in told["openings"] if one["logIndex"] not in gone}
    for one in told["openings"]:
        if one["path"] is not None and one["path"] not in kept:
            files.pop(one["path"], None)
    for index in gone:
        del files[f"entries/{index}.json"], files[f"entries/{index}.tlog-proof"]
    for name in ("entries", "openings"):
        told[name] = [one for one in told[name] if one["logIndex"] not in gone]
    found = [bytes.fromhex(one["leafHash"]) for one in told["entries"] if one["role"] == "found"]
    told["query"] |= {"rowCount": len(found), "rowsHash": rows_hash(found)}
    left = [(one["logIndex"], bodies[one["logIndex"]]) for one in told["entries"]]
    for path, kinds in KINDS.items():
        files[path] = json_file([{"logIndex": index, "entry": body} for index, body in left if body["kind"] in kinds])
    files[PACK] = json_file(told)
    return archive_of({**files, MANIFEST: manifest_of(files, EVIDENCE_KEY)})


def said_otherwise(
    pack: bytes, edit: Callable[[dict[str, Any]], object], changed: Mapping[str, bytes | None] | None = None
) -> bytes:
    """The pack with other words in `pack.json`, and these files changed, or gone, signed again by the evidence key."""
    files = {path: body for path, body in ({**files_of(pack), **(changed or {})}).items() if body is not None}
    told = json.loads(files[PACK])
    edit(told)
    found = [bytes.fromhex(one["leafHash"]) for one in told["entries"] if one["role"] == "found"]
    told["query"] |= {"rowCount": len(found), "rowsHash": rows_hash(found)}
    rest = {**files, PACK: json_file(told)}
    del rest[MANIFEST]
    return archive_of({**rest, MANIFEST: manifest_of(rest, EVIDENCE_KEY)})
