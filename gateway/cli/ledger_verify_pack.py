"""`erp-gateway ledger verify PACK.zip`: an evidence pack, checked offline by who trusts nothing but keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gateway.cli.console import Failure, complain, print_json, print_line
from gateway.cli.entry_progress import entry_progress
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
    """Tell what was found; `directory`: the published log, with which the pack is compared. Raises Failure: 1 if the
    pack is wrong, 2 for keys that are none, and for a pack that is sound and could not be compared."""
    try:
        known = [VerifierKey.parse(one) for one in keys]
        policy = WitnessPolicy(tuple(VerifierKey.parse(one) for one in witnesses), quorum)
        with entry_progress() as progress:
            found = verify_pack(
                _read(pack),
                known,
                evidence_key=None if evidence_key is None else VerifierKey.parse(evidence_key),
                witnesses=policy,
                held=None if state is None else _held(state, known[0].name),
                reproduces=Reproduction(),
                published=None if directory is None else DirectoryTiles(directory),
                progress=progress,
            )
    except (KeyMisused, Malformed) as error:
        raise Failure(str(error), 2) from error
    if directory is not None and found.not_compared is not None and not _is_directory(directory):
        found = replace(found, not_compared=f"there is no directory {directory}")
    if json:
        print_json(found.as_json())
    elif found.ok:
        _tell(pack, found)
    if found.wrong is not None:
        raise Failure(f"{pack} is NOT sound: {found.wrong.reason} · {found.wrong.path} · {found.wrong.detail}")
    if not found.manifest_checked:
        complain("without --evidence-key nobody vouches for the page, and for the words around what is proven")
    if found.not_compared is not None:
        raise Failure(f"{pack} could not be compared with {directory}: {found.not_compared}", 2)


def _read(pack: Path) -> bytes:
    try:
        data = read_limited(pack, MOST_BYTES)
    except (OSError, Malformed) as error:
        raise Failure(f"{pack} cannot be read: {error}", 2) from error
    if data is None:
        raise Failure(f"{pack} is not there", 2)
    return data


def _is_directory(path: Path) -> bool:
    """Also for what cannot be looked at: what reading it said, stands."""
    try:
        return path.is_dir()
    except OSError:
        return True


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
    compared = found.compared
    if compared is not None and compared.redrawn is not None:
        print_line(f"the sample was drawn again from the published log, of the same {compared.redrawn} transactions")
    if compared is not None:
        print_line(
            f"the published log has these {compared.entries} entries of it, and no other up to the same checkpoint"
        )
    if found.continues is not None:
        print_line(f"it continues the {found.continues} entries that were seen before")
