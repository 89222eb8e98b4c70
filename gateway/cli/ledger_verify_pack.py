"""`erp-gateway ledger verify PACK.zip`: an evidence pack, checked offline by who trusts nothing but keys."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gateway.cli.console import Failure, complain, print_json, print_line
from gateway.cutover.reproduction import Reproduction
from gateway.ledger.cosignature import WitnessPolicy
from gateway.ledger.durable_files import read_limited
from gateway.ledger.errors import KeyMisused, Malformed, StateBroken
from gateway.ledger.evidence.archive import MOST_BYTES
from gateway.ledger.evidence.verify_pack import PackFound, verify_pack
from gateway.ledger.held import Held, held_file
from gateway.ledger.lines import base64_text
from gateway.ledger.note_keys import VerifierKey
from gateway.ledger.tile_directory import DirectoryTiles


def check_pack(
    pack: Path,
    keys: Sequence[str],
    evidence_key: str | None,
    state: Path | None,
    witnesses: Sequence[str],
    quorum: int,
    directory: Path | None = None,
    *,
    json: bool,
) -> None:
    """Tell what was found; `directory`: the published log, from which a sample is drawn again, and with which the
    entries of a transaction or lineage are compared. Raises Failure: 1 if the pack is wrong, 2 for keys that are none,
    and for a published log beside a pack of a rule change."""
    try:
        known = [VerifierKey.parse(one) for one in keys]
        policy = WitnessPolicy(tuple(VerifierKey.parse(one) for one in witnesses), quorum)
        found = verify_pack(
            _read(pack),
            known,
            evidence_key=None if evidence_key is None else VerifierKey.parse(evidence_key),
            witnesses=policy,
            held=None if state is None else _held(state, known[0].name),
            reproduces=Reproduction(),
            published=None if directory is None else DirectoryTiles(directory),
        )
    except (KeyMisused, Malformed) as error:
        raise Failure(str(error), 2) from error
    if json:
        print_json(found.as_json())
    elif found.ok:
        _tell(pack, found)
    if found.wrong is not None:
        raise Failure(f"{pack} is NOT sound: {found.wrong.reason} · {found.wrong.path} · {found.wrong.detail}")
    if directory is not None and found.redrawn is None and found.compared is None:
        raise Failure(f"{pack} is about a change of the rules: nothing of it is compared with {directory}", 2)
    if not found.manifest_checked:
        complain("without --evidence-key nobody vouches for the page, and for the words around what is proven")


def _read(pack: Path) -> bytes:
    try:
        data = read_limited(pack, MOST_BYTES)
    except (OSError, Malformed) as error:
        raise Failure(f"{pack} cannot be read: {error}", 2) from error
    if data is None:
        raise Failure(f"{pack} is not there", 2)
    return data


def _held(state: Path, origin: str) -> Held:
    """What was seen. A pack adds nothing to it: it holds no tree."""
    try:
        with held_file(state, origin) as file:
            held = file.read()
    except StateBroken as error:
        raise Failure(str(error)) from error
    if held is None:
        raise Failure(f"{state} is not there: `ledger verify --directory` makes it", 2)
    return held


def _tell(pack: Path, found: PackFound) -> None:
    print_line(f"{pack}: {found.pack_id} of {found.origin} is sound")
    print_line(", ".join(f"{name} {value}" for name, value in (found.about or {}).items()))
    print_line(
        f"{found.entries} entries are in the log of {found.size} entries, root {base64_text(found.root or b'')}; "
        f"{found.decisions} decisions follow from the rules; {found.opened} commitments are opened, {found.closed} not"
    )
    for one in found.cosignatures:
        print_line(f"cosigned by {one.key.name}, {one.time} s after 1970")
    if found.manifest_checked:
        print_line(f"signed by {found.origin}/evidence+{found.evidence_key_id}")
    if found.redrawn is not None:
        print_line(f"the sample was drawn again from the published log, of the same {found.redrawn} transactions")
    if found.compared is not None:
        print_line(
            f"the published log has these {found.compared} entries of it, and no other up to the same checkpoint"
        )
    if found.continues is not None:
        print_line(f"it continues the {found.continues} entries that were seen before")
